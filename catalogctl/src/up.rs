//! `catalogctl up`: runs the whole system in one process, on a database and a broker of its own.
//! Invariant: services are drained before the servers under them stop, however the command ends.

mod development_key;
mod services;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use catalog_events::Broker;
use client_kit::import::{self, ImportOptions, Notice};
use client_kit::{Meter, Target, output, sample};
use devkit::Devkit;
use service_kit::{GrpcAccess, ServiceTokens, TracingConfig};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::endpoints::{EndpointArgs, Endpoints, Published, service_token};
use crate::import::stop_at_signal;
use crate::status::Status;
use crate::up::services::{Infrastructure, Services, free_or_any};

const HTTP_PORT: u16 = 8000;
/// The log level unless `RUST_LOG` is set: a line for every request would hide the rest of the
/// terminal.
const LOG_FILTER: &str = "warn";
/// The name in traces, which cannot tell the services of one process apart.
const TRACED_AS: &str = "catalog";
const POLL_MS: u64 = 100;
const READY_SECONDS_MAX: u64 = 60;
const ANSWER_MS_MAX: u64 = 5_000;

#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// Where HTTP is served [default: 127.0.0.1:8000, or a free port when that is taken]
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// How many query services run; from two on also two write services and two BFFs. They are all in this
    /// process: a cluster to try out, no faster one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=8))]
    replicas: u16,
    /// Leaves an empty catalog empty
    #[arg(long, conflicts_with = "sample")]
    empty: bool,
    /// How many made-up products an empty catalog is filled with
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    sample: u64,
}

pub(crate) async fn command(args: UpArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    init_telemetry();
    let traces = TracingConfig::from_process().map_err(anyhow::Error::msg)?;
    let traces = traces.begin(TRACED_AS)?;
    let stop = stop_at_signal();
    let data_dir = endpoints.data_dir()?;
    let http = http_addr(args.http)?;
    eprintln!(
        "starting PostgreSQL and NATS in {} (the first start downloads them)",
        data_dir.display()
    );
    let started = tokio::select! {
        started = Box::pin(start(&data_dir)) => started?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    let (devkit, model_dir) = started;
    let infrastructure = Infrastructure {
        devkit: &devkit,
        data_dir: &data_dir,
        model_dir,
        http,
        replicas: args.replicas,
        service_token: service_token::find_or_make(&data_dir)?,
    };
    let result = Box::pin(serve(&args, &infrastructure, stop)).await;
    traces.end().await;
    devkit.stop().await;
    result.map(|()| ExitCode::SUCCESS)
}

/// Logs as the services do, but quietly unless `RUST_LOG` asks for more.
fn init_telemetry() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_FILTER));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = subscriber.with_ansi(ansi).try_init();
}

/// The address that was asked for, or a free one near the default.
fn http_addr(asked: Option<SocketAddr>) -> anyhow::Result<SocketAddr> {
    let Some(addr) = asked else {
        return Ok(free_or_any(HTTP_PORT));
    };
    match TcpListener::bind(addr) {
        Ok(_) => Ok(addr),
        Err(err) if err.kind() == ErrorKind::AddrInUse => anyhow::bail!(
            "{addr} is in use: stop what listens there, or choose another address with --http"
        ),
        Err(err) => Err(err).with_context(|| format!("cannot listen on {addr} (--http)")),
    }
}

/// Starts the servers and finds the folder of the embedding model, without which search is by
/// keyword only.
async fn start(data_dir: &Path) -> anyhow::Result<(Devkit, Option<PathBuf>)> {
    let (devkit, model) = tokio::join!(Devkit::start(data_dir), devkit::embedding_model());
    let devkit = devkit?;
    let model_dir = match model {
        Ok(model) => Some(model.folder),
        Err(err) => {
            eprintln!("no embedding model, so search is by keyword only: {err}");
            None
        }
    };
    Ok((devkit, model_dir))
}

async fn serve(
    args: &UpArgs,
    infrastructure: &Infrastructure<'_>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (mut services, published) = tokio::select! {
        built = Box::pin(Services::start(infrastructure)) => built?,
        () = stop.cancelled() => return Ok(()),
    };
    let result = match published.write(infrastructure.data_dir) {
        Ok(()) => tokio::select! {
            result = Box::pin(operate(args, &published, infrastructure)) => result,
            ended = services.any_ended() => Err(ended),
            () = stop.cancelled() => Ok(()),
        },
        Err(err) => Err(err),
    };
    eprintln!("stopping");
    Published::remove(infrastructure.data_dir);
    services.drain().await;
    result
}

/// Fills, waits and greets; never returns once everything is ready.
async fn operate(
    args: &UpArgs,
    published: &Published,
    infrastructure: &Infrastructure<'_>,
) -> anyhow::Result<()> {
    let data_dir = infrastructure.data_dir;
    let tokens: ServiceTokens = infrastructure.service_token.parse()?;
    let access = GrpcAccess::default().with_tokens(Some(&tokens));
    let endpoints = Endpoints {
        command: Target::command(&published.command_grpc).with_access(access.clone()),
        query: Target::query(&published.query_grpc).with_access(access.clone()),
        replicas: std::iter::once(&published.query_grpc)
            .chain(&published.replicas)
            .map(|address| Target::query(address).with_access(access.clone()))
            .collect(),
        nats: Broker::at(&published.nats_url),
    };
    if !args.empty {
        fill_when_empty(&endpoints, args.sample).await?;
    }
    for replica in &endpoints.replicas {
        let of_replica = Endpoints {
            query: replica.clone(),
            ..endpoints.clone()
        };
        catch_up(&of_replica).await?;
    }
    let key = development_key::find_or_make(endpoints.command, data_dir).await?;
    for http in std::iter::once(&published.http).chain(&published.further_http) {
        answer(http, &key).await?;
    }
    say_hello(published, data_dir, &key);
    output::line(&format!("ready {}", published.http))?;
    std::future::pending().await
}

async fn fill_when_empty(endpoints: &Endpoints, count: u64) -> anyhow::Result<()> {
    let write = Status::ask(endpoints).await?.write;
    if write.map_err(anyhow::Error::msg)?.products > 0 || count == 0 {
        return Ok(());
    }
    eprintln!("the catalog is empty: importing {count} made-up products (--empty leaves it so)");
    let mut meter = Meter::new("importing");
    let mut notice = |notice: Notice<'_>| match notice {
        Notice::Progress(summary) => {
            meter.set(
                summary.rows,
                Some(count),
                &format!("{} products", summary.rows),
            );
        }
        Notice::Rejected(rejection) => meter.line(&format!("{rejection:?}")),
        Notice::Retrying { why, .. } => meter.line(why),
        Notice::Warning(_) | Notice::Preview(..) | Notice::Answered(_) => {}
    };
    let rows = import::rows(sample::products(count, sample::SEED_DEFAULT));
    let options = ImportOptions::default();
    let stop = CancellationToken::new();
    let (_, result) = import::run(rows, &endpoints.command, &options, stop, &mut notice).await;
    Ok(result?)
}

/// Waits until reads and keyword searches see everything; embeddings go on in the background.
async fn catch_up(endpoints: &Endpoints) -> anyhow::Result<()> {
    let mut meter = Meter::new("catching up");
    let mut most = 0;
    loop {
        let status = Status::ask(endpoints).await?;
        match status.lag_without_embeddings() {
            Some(0) => return Ok(()),
            Some(lag) => {
                most = most.max(lag);
                let why = status.errors().join("; ");
                meter.set(most - lag, Some(most), &format!("{lag} to go {why}"));
            }
            None => meter.set(0, None, &status.errors().join("; ")),
        }
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

/// Waits until a request passes through every service, and until a BFF has heard of the key.
async fn answer(http: &str, key: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(ANSWER_MS_MAX))
        .build()?;
    let deadline = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
    for path in [
        "/api/health",
        "/api/products/search?q=mouse&limit=1&untracked=true",
    ] {
        let url = format!("{http}{path}");
        loop {
            let why = match client.get(&url).bearer_auth(key).send().await {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) => answer.status().to_string(),
                Err(err) => format!("{err:#}"),
            };
            anyhow::ensure!(
                Instant::now() < deadline,
                "{url} does not answer after {READY_SECONDS_MAX} s: {why}; RUST_LOG=info shows more"
            );
            tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
        }
    }
    Ok(())
}

/// Prints the addresses, and commands to copy.
fn say_hello(published: &Published, data_dir: &Path, key: &str) {
    let Published {
        http,
        command_grpc,
        query_grpc,
        ..
    } = published;
    let also = |further: &[String]| match further {
        [] => String::new(),
        further => format!(", also {}", further.join(", ")),
    };
    let (more_http, more_commands) = (&published.further_http, &published.further_commands);
    let (more_http, more_commands) = (also(more_http), also(more_commands));
    let more_queries = also(&published.replicas);
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "catalogctl".to_owned());
    let data = data_dir.display();
    eprintln!(
        "\n  HTTP  {http}/api, described at {http}/api/docs{more_http}\n  gRPC  {query_grpc}{more_queries} (read), \
         {command_grpc}{more_commands} (write)\n  \
         data  {data}\n  key   {key}\n\n  \
         curl '{http}/api/products/search?q=gaming+mouse'\n  \
         curl '{http}/api/products' -H 'authorization: Bearer {key}' \\\n    \
         -H 'content-type: application/json' -d '{{\"title\":\"Purple lamp\",\"price\":\"12.50\"}}'\n  \
         {program} search gaming mouse --data {data}\n\nCtrl-C stops everything.\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_address_is_told_when_it_was_asked_for() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap();
        let err = http_addr(Some(addr)).expect_err("taken").to_string();
        assert!(err.contains("is in use") && err.contains("--http"), "{err}");
        assert_eq!(free_or_any(addr.port()).port(), 0);
    }
}
