//! The one entrance of a service: production, the all-in-one `catalogctl up` and tests all go
//! through `configure`, `build` and `run`.

use std::future::Future;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::ops::Leaving;
use crate::trace::TracingConfig;
use crate::{Env, init_telemetry, stop_signal};

/// The exit code for a bad configuration: `EX_CONFIG` of sysexits.h.
const EXIT_CONFIG: u8 = 78;

/// A service: how it is configured, built and run.
pub trait Service: Sized {
    /// The name, for people and for the broker, for instance `catalog-query`.
    const NAME: &'static str;
    /// The prefix of the service's environment variables, for instance `BFF_`.
    const PREFIX: &'static str;
    /// The whole configuration, checked.
    type Config;

    /// Reads the configuration. What is wrong is collected in `env`; see [`Env::finish`].
    fn configure(env: &mut Env) -> Self::Config;

    /// Connects, prepares storage and binds the ports. Nothing is served yet.
    fn build(config: Self::Config) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// How the service takes its leave at a signal, before it is stopped: clients hear that it is going
    /// while it still answers them. Unless told otherwise it is stopped at once.
    fn leaving(&self) -> Leaving {
        Leaving::default()
    }

    /// Serves until `stop` is cancelled or a part of the service ends.
    fn run(self, stop: CancellationToken) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// The `main` of a service. The whole configuration is parsed before anything is opened; a bad one is
/// told in one line for each variable and ends the process with exit code 78. `--help` lists the
/// variables.
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn run<S: Service>() -> ExitCode {
    let mut env = Env::from_process(S::PREFIX);
    let config = S::configure(&mut env);
    if std::env::args()
        .skip(1)
        .any(|arg| arg == "--help" || arg == "-h")
    {
        println!(
            "{}\n\nConfigured by environment variables:\n\n{}",
            S::NAME,
            env.help()
        );
        return ExitCode::SUCCESS;
    }
    if let Err(err) = env.finish() {
        eprintln!("invalid configuration: {err}");
        return ExitCode::from(EXIT_CONFIG);
    }
    let tracing = match TracingConfig::from_process() {
        Ok(config) => config,
        Err(err) => {
            eprintln!("invalid configuration: {err}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    init_telemetry();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("cannot start the async runtime: {err}");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(async {
        let export = tracing.begin(S::NAME)?;
        let served = build_and_run::<S>(config).await;
        export.end().await;
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!(service = S::NAME, "stopped: {err:#}");
            ExitCode::FAILURE
        }
    }
}

async fn build_and_run<S: Service>(config: S::Config) -> anyhow::Result<()> {
    let signalled = CancellationToken::new();
    let on_signal = signalled.clone();
    tokio::spawn(async move {
        stop_signal().await;
        on_signal.cancel();
    });
    let service = tokio::select! {
        service = S::build(config) => service?,
        () = signalled.cancelled() => return Ok(()),
    };
    let stop = CancellationToken::new();
    let (leaving, on_leave) = (service.leaving(), stop.clone());
    tokio::spawn(async move {
        signalled.cancelled().await;
        leaving.take().await;
        on_leave.cancel();
    });
    service.run(stop).await
}
