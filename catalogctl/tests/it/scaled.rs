//! `catalogctl up --replicas`: several of each service behind one address, as a person would try it.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::{CATALOGCTL, get, shown};

const READY_WITHIN: Duration = Duration::from_secs(120);
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

/// A running `catalogctl up`, with all that it says of itself.
struct Up {
    process: Child,
    published: Value,
}

impl Up {
    async fn start(data: &Path) -> Self {
        let mut process = Command::new(CATALOGCTL)
            .args([
                "up",
                "--empty",
                "--replicas",
                "3",
                "--http",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("run catalogctl");
        let said = process.stdout.take().expect("its output");
        let mut lines = BufReader::new(said).lines();
        let ready = tokio::time::timeout(READY_WITHIN, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("ready ") {
                    return true;
                }
            }
            false
        });
        assert!(ready.await.expect("in time"), "it ended");
        let file = std::fs::read(data.join("endpoints.json")).expect("endpoints");
        let published = serde_json::from_slice(&file).expect("JSON");
        Self { process, published }
    }

    fn all(&self, first: &str, further: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().expect("an address").to_owned();
        let further = self.published[further].as_array().expect("a list");
        let first = text(&self.published[first]);
        std::iter::once(first)
            .chain(further.iter().map(text))
            .collect()
    }

    async fn stop(mut self) {
        let id = self.process.id().expect("it runs").to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status().await;
        assert!(kill.expect("kill").success());
        let ended = tokio::time::timeout(STOPPED_WITHIN, self.process.wait());
        assert!(ended.await.expect("in time").expect("ended").success());
    }
}

async fn verify(data: &Path) -> Value {
    let verify = Command::new(CATALOGCTL)
        .args(["verify", "--repair", "--json", "--data"])
        .arg(data)
        .output()
        .await
        .expect("run catalogctl");
    assert!(verify.status.success(), "{}", shown(&verify));
    serde_json::from_slice(&verify.stdout).expect("one JSON object")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bffs_two_write_services_and_three_replicas_are_one_catalog() {
    let data = tempfile::tempdir().expect("a folder");
    let up = Up::start(data.path()).await;
    let bffs = up.all("http", "further_http");
    let replicas: HashSet<String> = up.all("query_grpc", "replicas").into_iter().collect();
    assert_eq!((bffs.len(), replicas.len()), (2, 3));
    assert_eq!(up.all("command_grpc", "further_commands").len(), 2);
    let key = std::fs::read_to_string(data.path().join("development-key")).expect("a key");

    // Each BFF writes by a write service of its own, and each sees what the other has written.
    let client = reqwest::Client::new();
    for (number, bff) in bffs.iter().enumerate() {
        let product = json!({"title": format!("Kettle {number}"), "price_minor": 100});
        let put = client.put(format!("{bff}/api/products/kettle-{number}"));
        let answer = put.bearer_auth(key.trim()).json(&product).send().await;
        let answer = answer.expect("HTTP");
        assert!(answer.status().is_success(), "{}", answer.status());
        let token = answer.headers()["catalog-consistency"]
            .to_str()
            .expect("text");
        for reader in &bffs {
            // Replicas take turns: each of them is asked.
            for _ in 0..3 {
                let search = format!("{reader}/api/products/search?q=kettle&strategy=keyword");
                let read = client.get(search).header("catalog-consistency", token);
                let found: Value = read.send().await.expect("HTTP").json().await.expect("JSON");
                assert_eq!(found["total"], json!(number + 1), "{found}");
            }
        }
    }
    let report = verify(data.path()).await;
    assert_eq!(report["equal"], json!(true));
    let verified = report["replicas"].as_array().expect("a list").iter();
    let verified = verified.map(|one| one["replica"].as_str().expect("an address").to_owned());
    assert_eq!(verified.collect::<HashSet<_>>(), replicas);
    let (status, _) = get(&format!("{}/api/products/kettle-0", bffs[1])).await;
    assert_eq!(status, 200);
    up.stop().await;
}
