//! The three services as real processes on instances of their own: what tests kill and benchmarks
//! measure. Every service keeps its port over a restart, as a deployed one does.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{GetReadStatusRequest, GetReadStatusResponse, GetWriteStatusRequest};
use devkit::Devkit;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tonic::transport::Channel;

const READY_SECONDS_MAX: u64 = 60;
const LOOK_EVERY_MS: u64 = 20;

/// Given to `catalogctl service`, makes it end with the process that started it.
pub const UNTIL_STDIN_CLOSES: &str = "--until-stdin-closes";

/// Ends this process when its standard input closes: when its owner ends, kill -9 included.
pub fn end_with_stdin() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        std::process::exit(0);
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Command,
    Query,
    Bff,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Command, Part::Query, Part::Bff];

    /// As in `catalogctl service NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Part::Command => "catalog-command",
            Part::Query => "catalog-query",
            Part::Bff => "bff",
        }
    }
}

/// Where the services listen.
#[derive(Clone, Copy, Debug)]
struct Ports {
    command: u16,
    query: u16,
    http: u16,
}

/// Services, Postgres and NATS; all end with this value, and with this process.
pub struct Cluster {
    pub devkit: Devkit,
    folder: TempDir,
    catalogctl: PathBuf,
    environment: Vec<(&'static str, String)>,
    ports: Ports,
    running: [Option<Child>; 3],
}

impl Cluster {
    /// Starts all three services with the `catalogctl` binary given. A throw-away cluster is quick
    /// and forgets in a power cut; another keeps its promises on the disk, as benchmarks must.
    pub async fn start(catalogctl: &Path, throwaway: bool) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("catalog-cluster-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir()?;
        let devkit = match throwaway {
            true => Devkit::throwaway().await?,
            false => Devkit::start(&folder.path().join("instances")).await?,
        };
        let ports = Ports {
            command: free_port()?,
            query: free_port()?,
            http: free_port()?,
        };
        let environment = environment(&devkit, ports, folder.path()).await?;
        let mut cluster = Self {
            devkit,
            folder,
            catalogctl: catalogctl.to_owned(),
            environment,
            ports,
            running: [None, None, None],
        };
        for part in Part::ALL {
            cluster.launch(part)?;
        }
        cluster.ready().await?;
        Ok(cluster)
    }

    /// Starts one that was killed.
    pub fn launch(&mut self, part: Part) -> anyhow::Result<()> {
        let log = self.folder.path().join(format!("{}.log", part.name()));
        let log = File::options().create(true).append(true).open(log)?;
        let child = Command::new(&self.catalogctl)
            .args(["service", part.name(), UNTIL_STDIN_CLOSES])
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .env(
                "RUST_LOG",
                std::env::var("RUST_LOG").unwrap_or("info,request=warn".to_owned()),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.catalogctl.display()))?;
        self.running[part as usize] = Some(child);
        Ok(())
    }

    /// kill -9, and waits until the process is gone.
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

    /// Where tests plant what must not be there.
    pub fn query_database_url(&self) -> Option<&str> {
        let mut variables = self.environment.iter();
        let found = variables.find(|(name, _)| *name == "CATALOG_QUERY_DATABASE_URL");
        found.map(|(_, url)| url.as_str())
    }

    /// Until a read goes through all of it, or the logs when it does not.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let client = reqwest::Client::new();
        let probes = [
            format!("{}/api/health", self.http()),
            format!("{}/api/products/search?q=x", self.http()),
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

    /// Until every projection has applied `position`, embeddings too if asked.
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

    /// The last lines of each service's log.
    pub fn logs(&self) -> String {
        const LINES: usize = 15;
        let mut text = String::new();
        for part in Part::ALL {
            let path = self.folder.path().join(format!("{}.log", part.name()));
            let log = std::fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES)..];
            text.push_str(&format!("-- {}\n{}\n", part.name(), last.join("\n")));
        }
        text
    }

    /// How many events the log has.
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

/// Connects when it is first used, and again after a failure.
pub fn channel(target: &str) -> Channel {
    match Channel::from_shared(target.to_owned()) {
        Ok(endpoint) => endpoint.tcp_nodelay(true).connect_lazy(),
        Err(err) => unreachable!("{target} is made of an address: {err}"),
    }
}

/// Below the range that the system takes for outgoing connections, so that a port stays free while
/// its service is down.
pub fn free_port() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let port = fastrand::u16(15_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("found no free port between 15000 and 32000")
}

async fn environment(
    devkit: &Devkit,
    ports: Ports,
    folder: &Path,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let suffix: String = (0..8).map(|_| fastrand::lowercase()).collect();
    let secret: String = (0..32).map(|_| fastrand::alphanumeric()).collect();
    let model = devkit::embedding_model().await?;
    let address = |port: u16| format!("127.0.0.1:{port}");
    let free = || "127.0.0.1:0".to_owned();
    Ok(vec![
        (
            "CATALOG_COMMAND_DATABASE_URL",
            devkit.database_url(&format!("command_{suffix}")).await?,
        ),
        ("CATALOG_COMMAND_NATS_URL", devkit.nats_url()),
        ("CATALOG_COMMAND_GRPC_ADDR", address(ports.command)),
        ("CATALOG_COMMAND_OPS_ADDR", free()),
        ("CATALOG_COMMAND_TOKEN_SECRET", secret.clone()),
        (
            "CATALOG_QUERY_DATABASE_URL",
            devkit.database_url(&format!("query_{suffix}")).await?,
        ),
        ("CATALOG_QUERY_NATS_URL", devkit.nats_url()),
        ("CATALOG_QUERY_GRPC_ADDR", address(ports.query)),
        ("CATALOG_QUERY_OPS_ADDR", free()),
        ("CATALOG_QUERY_TOKEN_SECRET", secret),
        (
            "CATALOG_QUERY_COMMAND_GRPC_TARGET",
            format!("http://{}", address(ports.command)),
        ),
        (
            "CATALOG_QUERY_DATA_DIR",
            folder.join("index").display().to_string(),
        ),
        (
            "CATALOG_QUERY_MODEL_DIR",
            model.folder.display().to_string(),
        ),
        ("BFF_HTTP_ADDR", address(ports.http)),
        ("BFF_OPS_ADDR", free()),
        (
            "BFF_CATALOG_GRPC_TARGET",
            format!("http://{}", address(ports.query)),
        ),
        (
            "BFF_COMMAND_GRPC_TARGET",
            format!("http://{}", address(ports.command)),
        ),
    ])
}
