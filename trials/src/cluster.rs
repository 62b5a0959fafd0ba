//! Runs the three services as real processes on servers of their own, for tests to kill and
//! benchmarks to measure. Every service keeps its port over a restart, as a deployed one does.

mod part;
mod ports;
mod proxy;
mod links;
mod disk;
mod environment;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{GetReadStatusRequest, GetReadStatusResponse, GetWriteStatusRequest};
use devkit::{Devkit, Pause};
use service_kit::{GrpcAccess, GrpcChannel, ServiceTokens};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tonic::transport::Endpoint;

use crate::cluster::environment::{COMMAND_DATABASE, INDEX, environment};
use crate::cluster::links::Links;
use crate::cluster::ports::Ports;

pub(crate) use crate::cluster::disk::Disk;
pub use crate::cluster::environment::SERVICE_TOKEN;
pub use crate::cluster::links::Link;
pub use crate::cluster::part::Part;
pub(crate) use crate::cluster::ports::free_port;
pub use crate::cluster::proxy::{LinkFault, Proxy};

const READY_SECONDS_MAX: u64 = 60;
const LOOK_EVERY_MS: u64 = 20;
/// How long a service may take to stop, since it drains for some seconds.
const STOP_SECONDS_MAX: u64 = 20;

/// The option of `catalogctl service` that makes it end with the process that started it.
pub const UNTIL_STDIN_CLOSES: &str = "--until-stdin-closes";

/// Ends this process when its standard input closes, that is when its owner ends, kill -9 included.
pub fn end_with_stdin() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(0);
    });
}

#[derive(Clone, Copy, Debug, Default)]
pub struct ClusterOptions {
    /// Quick, but without promises in a power cut; otherwise everything is synced to the disk.
    pub throwaway: bool,
    /// Whether the embedding model is used; without it, search is by keyword only.
    pub model: bool,
    /// Whether every [`Link`] has a proxy.
    pub proxied: bool,
    /// Whether the broker has a disk of its own, for [`Cluster::cut_power`]. Not for a throw-away
    /// cluster, which promises nothing.
    pub power_cuts: bool,
}

/// Services, Postgres and NATS. All end with this value, and with this process.
pub struct Cluster {
    pub devkit: Devkit,
    /// The disk is dropped after the servers, which have files open on it, and before its folder.
    disk: Option<Disk>,
    folder: TempDir,
    catalogctl: PathBuf,
    environment: Vec<(&'static str, String)>,
    command_database: String,
    ports: Ports,
    /// The proxies, if there are any.
    links: Option<Links>,
    running: [Option<Child>; 4],
}

impl Cluster {
    /// Starts all three services with the `catalogctl` binary given. A throw-away cluster is quick
    /// but loses data in a power cut; any other keeps its promises on the disk, as benchmarks must.
    pub async fn start(catalogctl: &Path, throwaway: bool) -> anyhow::Result<Self> {
        let options = ClusterOptions {
            throwaway,
            model: true,
            ..ClusterOptions::default()
        };
        Self::start_with(catalogctl, options).await
    }

    pub async fn start_with(catalogctl: &Path, options: ClusterOptions) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("catalog-cluster-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()?;
        let instances = folder.path().join("instances");
        let disk = if options.power_cuts {
            Some(Disk::mount(folder.path(), &instances.join("nats/streams"))?)
        } else {
            None
        };
        let devkit = if options.throwaway {
            Devkit::throwaway().await?
        } else {
            Devkit::start(&instances).await?
        };
        let ports = Ports::free()?;
        let mut environment = environment(&devkit, ports, folder.path(), options.model).await?;
        let command_database = environment
            .iter()
            .find(|(name, _)| *name == COMMAND_DATABASE)
            .map_or(String::new(), |(_, url)| url.clone());
        let links = if options.proxied {
            Some(Links::between(&mut environment).await?)
        } else {
            None
        };
        let mut cluster = Self {
            devkit,
            disk,
            folder,
            catalogctl: catalogctl.to_owned(),
            environment,
            command_database,
            ports,
            links,
            running: [None, None, None, None],
        };
        for part in Part::ALL {
            cluster.launch(part)?;
        }
        cluster.ready().await?;
        Ok(cluster)
    }

    /// Sets a variable of the services that are started from now on.
    pub fn configure(&mut self, variable: &'static str, value: String) {
        self.environment.push((variable, value));
    }

    /// Starts a service that is not running.
    pub fn launch(&mut self, part: Part) -> anyhow::Result<()> {
        let path = part.log(self.folder.path());
        let log = File::options().create(true).append(true).open(path)?;
        let child = Command::new(&self.catalogctl)
            .args(["service", part.name(), UNTIL_STDIN_CLOSES])
            .env(
                "RUST_LOG",
                std::env::var("RUST_LOG").unwrap_or("info,request=warn".to_owned()),
            )
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .envs(self.own_environment(part))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            // Ctrl-C is meant for the owner, who ends the services.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", self.catalogctl.display()))?;
        self.running[part as usize] = Some(child);
        Ok(())
    }

    fn own_environment(&self, part: Part) -> Vec<(&'static str, String)> {
        if part != Part::Replica {
            return Vec::new();
        }
        let data = self.folder.path().join("index-of-replica");
        vec![
            (
                "CATALOG_QUERY_GRPC_ADDR",
                format!("127.0.0.1:{}", self.ports.replica),
            ),
            ("CATALOG_QUERY_DATA_DIR", data.display().to_string()),
        ]
    }

    /// Sends SIGTERM and waits until the process is gone: the first half of a restart.
    pub async fn stop(&mut self, part: Part) -> anyhow::Result<()> {
        if let Some(pid) = self.pid(part) {
            tokio::task::spawn_blocking(move || devkit::signal("-TERM", pid)).await?;
        }
        if let Some(mut child) = self.running[part as usize].take() {
            // Waiting would close it, and so end the service in the midst of its draining.
            let _stdin = child.stdin.take();
            let ended = Duration::from_secs(STOP_SECONDS_MAX);
            if tokio::time::timeout(ended, child.wait()).await.is_err() {
                child.kill().await?;
                bail!("{} did not end within {STOP_SECONDS_MAX} s", part.name());
            }
        }
        Ok(())
    }

    /// Sends SIGSTOP; the process goes on when the returned value is dropped. Returns none when the
    /// service is down.
    pub async fn pause(&self, part: Part) -> anyhow::Result<Option<Pause>> {
        let Some(pid) = self.pid(part) else {
            return Ok(None);
        };
        let pause = tokio::task::spawn_blocking(move || Pause::of(pid)).await??;
        Ok(Some(pause))
    }

    /// Starts the services again that ended by themselves, as a supervisor does in production;
    /// returns which.
    pub fn supervise(&mut self) -> anyhow::Result<Vec<Part>> {
        let mut ended = Vec::new();
        for part in Part::ALL.into_iter().chain([Part::Replica]) {
            let child = self.running[part as usize].as_mut();
            if child.is_some_and(|child| matches!(child.try_wait(), Ok(Some(_)))) {
                self.launch(part)?;
                ended.push(part);
            }
        }
        Ok(ended)
    }

    pub fn is_launched(&self, part: Part) -> bool {
        self.running[part as usize].is_some()
    }

    /// Sets the fault of a connection from now on. Nothing happens without proxies.
    pub fn set_link(&self, link: Link, fault: Option<LinkFault>) {
        if let Some(links) = &self.links {
            links.set(link, fault);
        }
    }

    /// Cuts the power of the broker: it loses what it had not synced, and starts again.
    pub async fn cut_power(&mut self) -> anyhow::Result<()> {
        let disk = self
            .disk
            .as_mut()
            .context("the broker has no disk of its own")?;
        let nats = self.devkit.nats().context("the broker is not ours")?;
        disk.cut()?;
        nats.kill().await?;
        disk.mount_again()?;
        Ok(nats.restart().await?)
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub async fn kill(&mut self, part: Part) -> anyhow::Result<()> {
        if let Some(mut child) = self.running[part as usize].take() {
            child.kill().await?;
        }
        Ok(())
    }

    pub fn pid(&self, part: Part) -> Option<u32> {
        self.running[part as usize].as_ref().and_then(Child::id)
    }

    pub fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    pub fn command_grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.command)
    }

    pub fn query_grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.query)
    }

    pub fn replica_grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.replica)
    }

    /// The URL of the write side's database, past the proxies.
    pub fn command_database(&self) -> &str {
        &self.command_database
    }

    /// The URL of the query service's database, in which tests plant errors.
    pub fn query_database_url(&self) -> Option<&str> {
        let mut variables = self.environment.iter();
        let found = variables.find(|(name, _)| *name == "CATALOG_QUERY_DATABASE_URL");
        found.map(|(_, url)| url.as_str())
    }

    /// The folder of the query service's index.
    pub fn query_data_dir(&self) -> PathBuf {
        self.folder.path().join(INDEX)
    }

    /// Waits until a read passes through all services; fails with their logs when none does.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let client = reqwest::Client::new();
        let probes = [
            format!("{}/api/health", self.http()),
            format!("{}/api/products/search?q=x&untracked=true", self.http()),
        ];
        let started = Instant::now();
        loop {
            let mut answers = true;
            for probe in &probes {
                let answer = client.get(probe).send().await;
                answers &= answer.is_ok_and(|answer| answer.status().is_success());
            }
            if answers && self.log_position().await.is_ok() {
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(READY_SECONDS_MAX) {
                bail!("the cluster is not ready:\n{}", self.logs());
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
    }

    /// Waits until every projection has applied `position`, and all embeddings are made if asked.
    pub async fn caught_up(
        &self,
        position: i64,
        embeddings: bool,
        seconds_max: u64,
    ) -> anyhow::Result<GetReadStatusResponse> {
        let started = Instant::now();
        loop {
            let status = self.read_status().await;
            if let Ok(status) = &status
                && is_caught_up(status, position, embeddings)
            {
                return Ok(status.clone());
            }
            if started.elapsed() > Duration::from_secs(seconds_max) {
                bail!("not caught up with {position}: {status:?}\n{}", self.logs());
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
    }

    pub async fn read_status(&self) -> Result<GetReadStatusResponse, tonic::Status> {
        let channel = channel(&self.query_grpc());
        let mut operations = CatalogQueryOperationsClient::new(channel);
        let answer = operations.get_read_status(GetReadStatusRequest {}).await?;
        Ok(answer.into_inner())
    }

    /// The last lines of every service's log.
    pub fn logs(&self) -> String {
        const LINES: usize = 15;
        let mut text = String::new();
        for part in Part::ALL {
            let log = self.log(part);
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES)..];
            text.push_str(&format!("-- {}\n{}\n", part.name(), last.join("\n")));
        }
        text
    }

    /// All that a service has logged.
    pub fn log(&self, part: Part) -> String {
        std::fs::read_to_string(part.log(self.folder.path())).unwrap_or_default()
    }

    /// The number of events in the log.
    pub async fn log_position(&self) -> Result<i64, tonic::Status> {
        let channel = channel(&self.command_grpc());
        let mut operations = CatalogCommandOperationsClient::new(channel);
        let answer = operations
            .get_write_status(GetWriteStatusRequest {})
            .await?;
        Ok(answer.into_inner().log_position)
    }
}

fn is_caught_up(status: &GetReadStatusResponse, position: i64, embeddings: bool) -> bool {
    status
        .projections
        .iter()
        .all(|projection| match projection.name.as_str() {
            "embeddings" => !embeddings || projection.lag == 0,
            _ => projection.position >= position,
        })
}

/// A channel to a service of a cluster, which connects when it is first used, and again after a failure.
pub fn channel(target: &str) -> GrpcChannel {
    let endpoint = match Endpoint::from_shared(target.to_owned()) {
        Ok(endpoint) => endpoint.tcp_nodelay(true),
        Err(err) => unreachable!("{target} is made of an address: {err}"),
    };
    match access().channel(&endpoint) {
        Ok(channel) => channel,
        Err(err) => unreachable!("no cluster speaks TLS: {err}"),
    }
}

/// How the services of a cluster are called.
pub(crate) fn access() -> GrpcAccess {
    let tokens: Option<ServiceTokens> = SERVICE_TOKEN.parse().ok();
    GrpcAccess::default().with_tokens(tokens.as_ref())
}
