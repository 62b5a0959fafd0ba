//! The one entrance of a service: production, the all-in-one `catalogctl up` and tests all go
//! through `configure`, `build` and `run`.

use std::future::Future;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::{Env, init_telemetry, stop_signal};

/// `EX_CONFIG` of sysexits.h.
const EXIT_CONFIG: u8 = 78;

pub trait Service: Sized {
    const NAME: &'static str;
    /// Of every environment variable, for instance `BFF_`.
    const PREFIX: &'static str;
    type Config;

    fn configure(env: &mut Env) -> Self::Config;

    /// Connects, prepares storage and binds the ports; nothing is served yet.
    fn build(config: Self::Config) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// Serves until `stop` is cancelled or a part of the service ends.
    fn run(self, stop: CancellationToken) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// `main` of a service. The whole configuration is parsed before anything is opened; a bad one is
/// one line for each variable and exit code 78.
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
    match runtime.block_on(build_and_run::<S>(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!(service = S::NAME, "stopped: {err:#}");
            ExitCode::FAILURE
        }
    }
}

async fn build_and_run<S: Service>(config: S::Config) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let on_signal = stop.clone();
    tokio::spawn(async move {
        stop_signal().await;
        on_signal.cancel();
    });
    let service = tokio::select! {
        service = S::build(config) => service?,
        () = stop.cancelled() => return Ok(()),
    };
    service.run(stop).await
}
