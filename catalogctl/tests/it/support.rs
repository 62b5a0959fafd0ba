//! A cluster of processes and the `catalogctl` that a person would type.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio::process::Command;
use trials::cluster::{Cluster, Part, SERVICE_TOKEN};

pub(crate) const CATALOGCTL: &str = env!("CARGO_BIN_EXE_catalogctl");

pub(crate) async fn cluster() -> Cluster {
    Cluster::start(Path::new(CATALOGCTL), true)
        .await
        .expect("start the cluster")
}

/// The command `catalogctl` with the addresses of the cluster.
pub(crate) fn catalogctl(cluster: &Cluster, args: &[&str]) -> Command {
    let mut command = Command::new(CATALOGCTL);
    command
        .args(args)
        .env("CATALOG_COMMAND_GRPC", cluster.command_grpc())
        .env("CATALOG_QUERY_GRPC", cluster.query_grpc())
        .env("CATALOG_SERVICE_TOKEN", SERVICE_TOKEN)
        .env("CATALOG_NATS_URL", cluster.devkit.nats_url())
        .kill_on_drop(true);
    command
}

/// Runs it to its end and reads the JSON object it prints.
pub(crate) async fn json(cluster: &Cluster, args: &[&str]) -> Value {
    let output = catalogctl(cluster, args)
        .output()
        .await
        .expect("run catalogctl");
    assert!(
        output.status.success(),
        "{args:?}: {}\n{}",
        shown(&output),
        cluster.logs()
    );
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// All that the services have logged, where [`Cluster::logs`] has the last lines.
pub(crate) fn whole_logs(cluster: &Cluster) -> String {
    Part::ALL.map(|part| cluster.log(part)).concat()
}

pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// Writes a feed of made-up products to a file of JSON Lines.
pub(crate) async fn feed(folder: &Path, count: usize) -> String {
    let path = folder.join("products.jsonl");
    let file = std::fs::File::create(&path).expect("create the feed");
    let status = Command::new(CATALOGCTL)
        .args(["sample", &count.to_string()])
        .stdout(file)
        .status()
        .await;
    assert!(status.expect("run catalogctl").success());
    path.display().to_string()
}

pub(crate) async fn get(url: &str) -> (u16, Value) {
    let answer = reqwest::get(url).await.expect("HTTP");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}
