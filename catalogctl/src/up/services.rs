//! Runs the three services inside this process, configured as their own programs would be.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use devkit::Devkit;
use service_kit::{Env, Service};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::deployment::database;
use crate::endpoints::Published;

const QUERY_GRPC_PORT: u16 = 50051;
const COMMAND_GRPC_PORT: u16 = 50052;
const ANY_PORT: &str = "127.0.0.1:0";
/// How long draining may take: a little more than a service gives its own tasks.
const DRAIN_MS_MAX: u64 = 12_000;

/// The servers, folders and address that the services use.
pub(super) struct Infrastructure<'a> {
    pub(super) devkit: &'a Devkit,
    pub(super) data_dir: &'a Path,
    pub(super) model_dir: Option<PathBuf>,
    pub(super) http: SocketAddr,
    /// The query services; there are two of the others where there are several of these.
    pub(super) replicas: u16,
    /// What the services ask each other, and everybody else, for.
    pub(super) service_token: String,
}

type Ended = (&'static str, anyhow::Result<()>);

/// Running services; dropping it ends them at once.
pub(super) struct Services {
    /// The group to drain first, since its requests need the other group.
    front: Group,
    back: Group,
}

#[derive(Default)]
struct Group {
    tasks: JoinSet<Ended>,
    stop: CancellationToken,
}

impl Services {
    /// Starts all services. Every port is bound when this returns.
    pub(super) async fn start(on: &Infrastructure<'_>) -> anyhow::Result<(Self, Published)> {
        let (mut front, mut back) = (Group::default(), Group::default());
        let token_secret = token_secret(on.data_dir)?;
        let others = on.replicas.min(2);
        let mut commands = Vec::new();
        for _ in 0..others {
            let command = Box::pin(build_command(on, &token_secret)).await?;
            commands.push((command.grpc_addr()?, command.ops_addr()?));
            // The read side needs the stream, which the write side creates.
            back.run(command);
        }
        let mut queries = Vec::new();
        for number in 1..=on.replicas {
            let (command, _) = commands[usize::from(number - 1) % commands.len()];
            let query = Box::pin(build_query(on, number, &token_secret, command)).await?;
            queries.push((query.grpc_addr()?, query.ops_addr()?));
            back.run(query);
        }
        let mut bffs = Vec::new();
        for (number, (command, _)) in commands.iter().enumerate() {
            let http = if number == 0 { on.http } else { any_port() };
            let bff = Box::pin(build_bff(on, http, *command, &queries)).await?;
            bffs.push((bff.http_addr(), bff.ops_addr()));
            front.run(bff);
        }
        let published = published(on, &commands, &queries, &bffs).await?;
        Ok((Self { front, back }, published))
    }

    /// Waits until a service ends, which none does on its own, and tells why it did.
    pub(super) async fn any_ended(&mut self) -> anyhow::Error {
        let ended = tokio::select! {
            Some(ended) = self.front.tasks.join_next() => ended,
            Some(ended) = self.back.tasks.join_next() => ended,
            else => return anyhow::anyhow!("no service runs"),
        };
        match ended {
            Ok((name, Ok(()))) => anyhow::anyhow!("{name} ended"),
            Ok((name, Err(err))) => err.context(format!("{name} ended")),
            Err(err) => anyhow::anyhow!(err).context("a service ended"),
        }
    }

    pub(super) async fn drain(self) {
        self.front.drain().await;
        self.back.drain().await;
    }
}

impl Group {
    fn run<S: Service + Send + 'static>(&mut self, service: S) {
        let stop = self.stop.clone();
        let running = Box::pin(service.run(stop));
        self.tasks.spawn(async move { (S::NAME, running.await) });
    }

    async fn drain(mut self) {
        self.stop.cancel();
        let drained = async {
            while let Some(ended) = self.tasks.join_next().await {
                report(ended);
            }
        };
        let limit = Duration::from_millis(DRAIN_MS_MAX);
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::warn!("not every service was drained in {DRAIN_MS_MAX} ms");
        }
    }
}

fn report(ended: Result<Ended, JoinError>) {
    match ended {
        Ok((_, Ok(()))) => {}
        Ok((name, Err(err))) => tracing::warn!("{name} ended: {err:#}"),
        Err(err) => tracing::warn!("a service ended: {err}"),
    }
}

/// The addresses of each service: of its clients, and of operators.
type Addresses = [(SocketAddr, SocketAddr)];

async fn published(
    on: &Infrastructure<'_>,
    commands: &Addresses,
    queries: &Addresses,
    bffs: &Addresses,
) -> anyhow::Result<Published> {
    let nothing = "no service runs";
    let (command, further_commands) = commands.split_first().context(nothing)?;
    let (query, replicas) = queries.split_first().context(nothing)?;
    let (bff, further_bffs) = bffs.split_first().context(nothing)?;
    let addresses = |of: &Addresses| of.iter().map(|(address, _)| address.to_string()).collect();
    Ok(Published {
        http: url(bff.0),
        further_http: further_bffs.iter().map(|(http, _)| url(*http)).collect(),
        command_grpc: command.0.to_string(),
        further_commands: addresses(further_commands),
        query_grpc: query.0.to_string(),
        replicas: addresses(replicas),
        bff_ops: bff.1.to_string(),
        command_ops: command.1.to_string(),
        query_ops: query.1.to_string(),
        nats_url: on.devkit.nats_url(),
        command_database: Some(on.devkit.database_url(database::NAME).await?),
    })
}

async fn build_command(
    on: &Infrastructure<'_>,
    token_secret: &str,
) -> anyhow::Result<catalog_command::App> {
    let variables = [
        (
            "CATALOG_COMMAND_DATABASE_URL",
            on.devkit.database_url(database::NAME).await?,
        ),
        ("CATALOG_COMMAND_NATS_URL", on.devkit.nats_url()),
        (
            "CATALOG_COMMAND_GRPC_ADDR",
            free_or_any(COMMAND_GRPC_PORT).to_string(),
        ),
        ("CATALOG_COMMAND_OPS_ADDR", ANY_PORT.to_owned()),
        ("CATALOG_COMMAND_SERVICE_TOKEN", on.service_token.clone()),
        ("CATALOG_COMMAND_TOKEN_SECRET", token_secret.to_owned()),
        // Receivers that are tried out run on this machine.
        ("CATALOG_COMMAND_WEBHOOK_PRIVATE", "true".to_owned()),
    ];
    Box::pin(build(variables)).await
}

async fn build_query(
    on: &Infrastructure<'_>,
    number: u16,
    token_secret: &str,
    command_grpc: SocketAddr,
) -> anyhow::Result<catalog_query::App> {
    let folder = match number {
        1 => "query".to_owned(),
        further => format!("query-{further}"),
    };
    let model_dir = on.model_dir.as_ref().map(|dir| dir.display().to_string());
    let variables = [
        (
            "CATALOG_QUERY_DATABASE_URL",
            on.devkit.database_url("catalog_query").await?,
        ),
        ("CATALOG_QUERY_NATS_URL", on.devkit.nats_url()),
        (
            "CATALOG_QUERY_GRPC_ADDR",
            free_or_any(QUERY_GRPC_PORT).to_string(),
        ),
        ("CATALOG_QUERY_OPS_ADDR", ANY_PORT.to_owned()),
        ("CATALOG_QUERY_SERVICE_TOKEN", on.service_token.clone()),
        ("CATALOG_QUERY_TOKEN_SECRET", token_secret.to_owned()),
        ("CATALOG_QUERY_COMMAND_GRPC_TARGET", url(command_grpc)),
        (
            "CATALOG_QUERY_DATA_DIR",
            on.data_dir.join(folder).display().to_string(),
        ),
        ("CATALOG_QUERY_MODEL_DIR", model_dir.unwrap_or_default()),
    ];
    Box::pin(build(variables)).await
}

async fn build_bff(
    on: &Infrastructure<'_>,
    http: SocketAddr,
    command_grpc: SocketAddr,
    queries: &Addresses,
) -> anyhow::Result<bff::App> {
    let replicas: Vec<String> = queries.iter().map(|(grpc, _)| url(*grpc)).collect();
    let variables = [
        ("BFF_HTTP_ADDR", http.to_string()),
        ("BFF_OPS_ADDR", ANY_PORT.to_owned()),
        ("BFF_SERVICE_TOKEN", on.service_token.clone()),
        // No load balancer sends requests here.
        ("BFF_DRAIN_WAIT_MS", "0".to_owned()),
        ("BFF_CATALOG_GRPC_TARGET", replicas.join(",")),
        ("BFF_COMMAND_GRPC_TARGET", url(command_grpc)),
    ];
    Box::pin(build(variables)).await
}

async fn build<S: Service, const N: usize>(
    variables: [(&'static str, String); N],
) -> anyhow::Result<S> {
    let mut env = Env::from_process_with(S::PREFIX, variables);
    let config = S::configure(&mut env);
    env.finish()?;
    S::build(config)
        .await
        .with_context(|| format!("cannot start {}", S::NAME))
}

/// The secret of consistency tokens. It is made once, so that a token stays valid for a restarted
/// service.
fn token_secret(data_dir: &Path) -> anyhow::Result<String> {
    let file = data_dir.join("token-secret");
    if let Ok(secret) = fs::read_to_string(&file) {
        return Ok(secret);
    }
    let secret = Uuid::new_v4().to_string();
    let mut options = OpenOptions::new();
    let written = options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut new| new.write_all(secret.as_bytes()));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    Ok(secret)
}

/// An address with this port, or with any free one (0) when it is taken.
pub(super) fn free_or_any(port: u16) -> SocketAddr {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(addr) {
        Ok(_) => addr,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A URL that works on this machine, even where the service listens on every address.
fn url(mut addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{addr}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_an_address_that_can_be_called() {
        let check = |addr: &str, expected| assert_eq!(url(addr.parse().unwrap()), expected);
        check("0.0.0.0:8000", "http://127.0.0.1:8000");
        check("[::]:8000", "http://[::1]:8000");
        check("192.0.2.7:80", "http://192.0.2.7:80");
    }
}
