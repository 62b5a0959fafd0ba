//! An owner is killed with -9: this test binary starts itself as that owner.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use devkit::Devkit;

use crate::persistent::folder;
use crate::{eventually, is_alive, signal};

const REPORT: &str = "DEVKIT_TEST_OWNER_REPORT";
const DATA: &str = "DEVKIT_TEST_OWNER_DATA";

/// This is the owner, when another test starts it, and not a test of its own. It writes what it
/// owns into a file and waits to be killed.
#[tokio::test]
async fn owner() {
    let Some(report) = std::env::var_os(REPORT).map(PathBuf::from) else {
        return;
    };
    let started = match std::env::var_os(DATA) {
        Some(data) => Devkit::start(Path::new(&data)).await,
        None => Devkit::throwaway().await,
    };
    let mut devkit = started.unwrap_or_else(|err| panic!("{err}"));
    let database = devkit.database_url("owned").await.unwrap();
    let broker = devkit.nats_url();
    let postgres = devkit.postgres().map_or(0, |postgres| postgres.pid());
    let nats = devkit.nats().map_or(0, |nats| nats.pid());
    let partial = report.with_extension("partial");
    fs::write(
        &partial,
        format!("{postgres}\n{nats}\n{database}\n{broker}"),
    )
    .unwrap();
    fs::rename(partial, report).unwrap();
    std::future::pending::<()>().await;
}

pub(crate) struct Owner {
    process: Child,
    /// The process ids; 0 for a server that it did not start.
    pub(crate) postgres: u32,
    pub(crate) nats: u32,
    pub(crate) database: String,
    pub(crate) broker: String,
}

impl Owner {
    /// Starts an owner with servers in the folder given, or in a throw-away one.
    pub(crate) async fn start(
        root: &Path,
        data: Option<&Path>,
        variables: &[(&str, &str)],
    ) -> Self {
        let report = root.join("report");
        let process = command(&report, data, variables)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the owner reports", async || report.exists()).await;
        let text = fs::read_to_string(report).unwrap();
        let mut lines = text.lines();
        let mut line = || lines.next().unwrap();
        Self {
            process,
            postgres: line().parse().unwrap(),
            nats: line().parse().unwrap(),
            database: line().to_owned(),
            broker: line().to_owned(),
        }
    }
}

/// Ends the owner by kill -9.
impl Drop for Owner {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

pub(crate) fn command(report: &Path, data: Option<&Path>, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "owner::owner", "--nocapture"])
        .env(REPORT, report)
        .envs(variables.iter().copied())
        .envs(data.map(|data| (DATA, data)));
    command
}

#[tokio::test]
async fn the_servers_of_a_killed_owner_stop_and_its_folder_goes() {
    let root = folder();
    let tmp = root.path().to_str().unwrap();
    let owner = Owner::start(root.path(), None, &[("TMPDIR", tmp)]).await;
    assert!(is_alive(owner.postgres) && is_alive(owner.nats));
    assert!(holds_instance(root.path()));
    let servers = [owner.postgres, owner.nats];
    drop(owner);
    eventually("the servers stop", async || {
        !servers.into_iter().any(is_alive)
    })
    .await;
    eventually("the folder goes", async || !holds_instance(root.path())).await;
}

fn holds_instance(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().starts_with("catalog-devkit-")
    })
}

#[tokio::test]
async fn the_folder_of_a_killed_owner_can_be_used_again_at_once() {
    let root = folder();
    let data = root.path().join("data");
    let owner = Owner::start(root.path(), Some(&data), &[]).await;
    let servers = [owner.postgres, owner.nats];
    drop(owner);
    let devkit = Devkit::start(&data).await.unwrap();
    assert!(!servers.into_iter().any(is_alive));
    devkit.stop().await;
}

/// Nobody is left to tidy up, as after a power cut.
#[tokio::test]
async fn a_folder_survives_the_death_of_all_its_processes() {
    let root = folder();
    let data = root.path().join("data");
    let owner = Owner::start(root.path(), Some(&data), &[]).await;
    for pid in [owner.postgres, owner.nats, owner.process.id()] {
        assert!(signal("-9", pid));
    }
    assert!(data.join("postgres/pgdata/postmaster.pid").exists());
    drop(owner);
    let devkit = Devkit::start(&data).await.unwrap();
    devkit.database_url("owned").await.unwrap();
    devkit.stop().await;
}
