//! Finds the services: where the operator says, else what a running `catalogctl up` has published
//! in its folder, else the default ports.

pub(crate) mod service_token;
mod signed;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use catalog_events::Broker;
use client_kit::Target;
use serde::{Deserialize, Serialize};
use service_kit::{ClientTls, GrpcAccess, ServiceTokens};

pub(crate) use self::signed::signed;

const FILE: &str = "endpoints.json";
const QUERY_GRPC_DEFAULT: &str = "127.0.0.1:50051";
const COMMAND_GRPC_DEFAULT: &str = "127.0.0.1:50052";
const HTTP_DEFAULT: &str = "127.0.0.1:8000";
const NATS_DEFAULT: &str = "nats://127.0.0.1:4222";

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Where the services are")]
pub struct EndpointArgs {
    /// The read service, or its replicas with commas between them: `verify` asks each, and each address of a
    /// name, other commands the first [default: that of `catalogctl up`, else 127.0.0.1:50051]
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "CATALOG_QUERY_GRPC"
    )]
    pub query_grpc: Option<String>,
    /// The write service [default: that of `catalogctl up`, else 127.0.0.1:50052]
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "CATALOG_COMMAND_GRPC"
    )]
    pub command_grpc: Option<String>,
    /// The broker [default: that of `catalogctl up`, else nats://127.0.0.1:4222]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "CATALOG_NATS_URL",
        hide_env_values = true
    )]
    pub nats: Option<String>,
    /// What both services ask for [default: that of `catalogctl up`, for its own services only]
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "CATALOG_SERVICE_TOKEN",
        hide_env_values = true
    )]
    pub service_token: Option<String>,
    /// PEM file of the authority of services at https:// and of a broker at tls:// [default: those that
    /// the system trusts]
    #[arg(long, global = true, value_name = "FILE", env = "CATALOG_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
    /// PEM file of the certificate that they are shown
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CATALOG_TLS_CLIENT_CERT",
        requires = "tls_client_key"
    )]
    pub tls_client_cert: Option<PathBuf>,
    /// PEM file of the key of that certificate
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CATALOG_TLS_CLIENT_KEY",
        requires = "tls_client_cert"
    )]
    pub tls_client_key: Option<PathBuf>,
    /// The folder of `catalogctl up` [default: /var/lib/catalog for root, else
    /// ~/.local/share/catalog]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// The addresses of what `catalogctl up` runs; the content of `endpoints.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    pub http: String,
    /// The addresses of further BFFs.
    #[serde(default)]
    pub further_http: Vec<String>,
    pub command_grpc: String,
    /// Further write services, of which one leads.
    #[serde(default)]
    pub further_commands: Vec<String>,
    pub query_grpc: String,
    /// Further replicas of the read service.
    #[serde(default)]
    pub replicas: Vec<String>,
    pub bff_ops: String,
    pub command_ops: String,
    pub query_ops: String,
    pub nats_url: String,
    /// The database of the write side, as its owner.
    #[serde(default)]
    pub command_database: Option<String>,
}

/// The services as a command calls them.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub command: Target,
    pub query: Target,
    /// All replicas of the read service, as they were named.
    pub replicas: Vec<Target>,
    pub nats: Broker,
}

impl EndpointArgs {
    pub fn resolve(&self) -> anyhow::Result<Endpoints> {
        let data_dir = self.data_dir()?;
        let running = Published::load(&data_dir)?;
        let names_all = [&self.query_grpc, &self.command_grpc]
            .into_iter()
            .all(|one| set(one).is_some());
        if !names_all {
            self.check_runs(running.as_ref())?;
        }
        let published = running.as_ref();
        let command = published.map(|up| &up.command_grpc);
        let query = published.map(|up| &up.query_grpc);
        let nats = published.map(|up| &up.nats_url);
        let access = self.access(&data_dir)?;
        let (command_grpc, query_grpc) = (set(&self.command_grpc), set(&self.query_grpc));
        let of_query = access.of(query_grpc.is_none() && query.is_some());
        let given = choose(query_grpc, query, QUERY_GRPC_DEFAULT).split(',');
        let further = published.map_or(&[][..], |up| &up.replicas);
        let further = further.iter().filter(|_| query_grpc.is_none());
        let replicas: Vec<Target> = given
            .chain(further.map(String::as_str))
            .map(|address| Target::query(address.trim()).with_access(of_query.clone()))
            .collect();
        let first = replicas.first().cloned();
        Ok(Endpoints {
            command: Target::command(choose(command_grpc, command, COMMAND_GRPC_DEFAULT))
                .with_access(access.of(command_grpc.is_none() && command.is_some())),
            query: first.context("--query-grpc names no address")?,
            replicas,
            nats: self.broker(choose(set(&self.nats), nats, NATS_DEFAULT)),
        })
    }

    /// The options that led to the write service, for a command that somebody pastes. Secrets are not among them.
    pub(crate) fn of_the_write_service(&self) -> Vec<String> {
        let data = self.data.as_ref().map(|data| data.display().to_string());
        let address = set(&self.command_grpc).cloned();
        [("--data", data), ("--command-grpc", address)]
            .into_iter()
            .filter_map(|(name, value)| Some([name.to_owned(), value?]))
            .flatten()
            .collect()
    }

    /// Checks that a catalog runs in the folder that was named: whoever names one means that, and not another that
    /// happens to run on the usual ports.
    fn check_runs(&self, running: Option<&Published>) -> anyhow::Result<()> {
        if let (Some(folder), None) = (&self.data, running) {
            anyhow::bail!(
                "no catalog runs in {folder}: start it with `catalogctl up --data {folder}`, or say with \
                 --command-grpc and --query-grpc where the services are",
                folder = folder.display()
            );
        }
        Ok(())
    }

    fn identity(&self) -> Option<(PathBuf, PathBuf)> {
        self.tls_client_cert
            .clone()
            .zip(self.tls_client_key.clone())
    }

    fn broker(&self, url: &str) -> Broker {
        let broker = Broker::at(url);
        if !url.starts_with("tls://") {
            return broker;
        }
        Broker {
            authority: self.tls_ca.clone(),
            identity: self.identity(),
            ..broker
        }
    }

    fn access(&self, data_dir: &Path) -> anyhow::Result<Access> {
        let given = match set(&self.service_token) {
            Some(token) => Some(token.parse().context("--service-token")?),
            None => None,
        };
        Ok(Access {
            of_up: service_token::find(data_dir)?,
            given,
            tls: ClientTls::of_files(self.tls_ca.clone(), self.identity()),
        })
    }

    /// The address of the BFF: that of a running `catalogctl up`, else the default one.
    pub(crate) fn http(&self) -> anyhow::Result<String> {
        let running = Published::load(&self.data_dir()?)?;
        self.check_runs(running.as_ref())?;
        let address = running.map_or_else(|| HTTP_DEFAULT.to_owned(), |up| up.http);
        Ok(if address.contains("://") {
            address
        } else {
            format!("http://{address}")
        })
    }

    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        match &self.data {
            Some(folder) => Ok(folder.clone()),
            None => default_data_dir(),
        }
    }
}

/// The tokens at hand.
struct Access {
    given: Option<ServiceTokens>,
    /// That of `catalogctl up`, which nobody else is shown.
    of_up: Option<ServiceTokens>,
    tls: ClientTls,
}

impl Access {
    fn of(&self, is_up: bool) -> GrpcAccess {
        let own = self.of_up.as_ref().filter(|_| is_up);
        GrpcAccess::default()
            .with_tokens(self.given.as_ref().or(own))
            .with_tls(self.tls.clone())
    }
}

/// A variable that is set to nothing counts as unset.
fn set(given: &Option<String>) -> Option<&String> {
    given.as_ref().filter(|given| !given.is_empty())
}

fn choose<'a>(
    given: Option<&'a String>,
    published: Option<&'a String>,
    default: &'a str,
) -> &'a str {
    given.or(published).map_or(default, String::as_str)
}

impl Endpoints {
    /// The address of the broker without its token or password, for messages.
    pub fn broker(&self) -> String {
        let (scheme, rest) = self
            .nats
            .url
            .split_once("://")
            .unwrap_or(("nats", &self.nats.url));
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{host}")
    }
}

fn default_data_dir() -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    // PostgreSQL does not run as root, and nobody else can enter the home of root.
    if is_root() {
        return Ok(PathBuf::from("/var/lib/catalog"));
    }
    if let Some(folder) = variable("XDG_DATA_HOME") {
        return Ok(PathBuf::from(folder).join("catalog"));
    }
    let home = variable("HOME").context("no folder for the data: give --data DIR or set HOME")?;
    Ok(PathBuf::from(home).join(".local/share/catalog"))
}

/// Whether this process runs as root. The standard library does not tell; `id` of POSIX does.
fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

impl Published {
    /// Loads the addresses; none where no `catalogctl up` runs.
    pub fn load(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let file = data_dir.join(FILE);
        let text = match fs::read(&file) {
            Ok(text) => text,
            // It is not there, or in the folder of another user.
            Err(_) => return Ok(None),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .with_context(|| format!("cannot read {}", file.display()))
    }

    /// Writes the addresses for the owner only: the URL of the broker holds its token. The file is
    /// written beside and renamed, so that nobody reads half of it.
    pub fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let file = data_dir.join(FILE);
        let beside = file.with_extension("json.new");
        let write = || {
            let mut options = OpenOptions::new();
            let mut new = options
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&beside)?;
            new.write_all(&serde_json::to_vec_pretty(self)?)?;
            new.sync_all()?;
            fs::rename(&beside, &file)
        };
        write().with_context(|| format!("cannot write {}", file.display()))
    }

    pub fn remove(data_dir: &Path) {
        if let Err(err) = fs::remove_file(data_dir.join(FILE)) {
            tracing::debug!("endpoints are not removed: {err}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Published {
        Published {
            http: "127.0.0.1:1".to_owned(),
            further_http: Vec::new(),
            command_grpc: "127.0.0.1:2".to_owned(),
            further_commands: Vec::new(),
            query_grpc: "127.0.0.1:3".to_owned(),
            replicas: Vec::new(),
            bff_ops: "127.0.0.1:4".to_owned(),
            command_ops: "127.0.0.1:5".to_owned(),
            query_ops: "127.0.0.1:6".to_owned(),
            nats_url: "nats://secret@127.0.0.1:7".to_owned(),
            command_database: None,
        }
    }

    #[test]
    fn options_come_before_a_running_up_and_that_before_the_defaults() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mut args = EndpointArgs {
            data: Some(folder.path().to_owned()),
            query_grpc: Some("10.0.0.1:9".to_owned()),
            ..EndpointArgs::default()
        };
        published().write(folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let found = args.resolve().unwrap();
        assert_eq!(found.query.address(), "10.0.0.1:9");
        assert_eq!(found.command.address(), "127.0.0.1:2");
        assert_eq!(found.nats.url, "nats://secret@127.0.0.1:7");
        assert_eq!(found.broker(), "nats://127.0.0.1:7");

        args.query_grpc = None;
        assert_eq!(args.resolve().unwrap().query.address(), "127.0.0.1:3");
    }

    #[test]
    fn whoever_names_the_folder_of_no_running_catalog_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut args = EndpointArgs {
            data: Some(folder.path().to_owned()),
            query_grpc: Some("10.0.0.1:9".to_owned()),
            ..EndpointArgs::default()
        };
        let refusal = args.resolve().unwrap_err().to_string();
        assert!(refusal.contains("no catalog runs in"), "{refusal}");
        assert!(
            refusal.contains(&folder.path().display().to_string()),
            "{refusal}"
        );

        // With every service named nothing is left to look up in it.
        args.command_grpc = Some("10.0.0.1:8".to_owned());
        let named = args.resolve().unwrap();
        assert_eq!(named.query.address(), "10.0.0.1:9");
        assert_eq!(named.command.address(), "10.0.0.1:8");
    }
}
