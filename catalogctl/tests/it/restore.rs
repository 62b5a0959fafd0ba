//! The database of the write side is set back to an older state, as by a restore from a backup. What it has
//! lost must not go on living in the stream, the documents or the indexes, and nothing that is
//! written afterwards may be swallowed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trials::cluster::{Cluster, Part};

use crate::support::{catalogctl, cluster, get, shown};

const HEALED_WITHIN: Duration = Duration::from_secs(120);
/// The writes that are lost.
const LOST: usize = 50;

/// Runs `catalogctl` on the database of the write side.
async fn database(cluster: &Cluster, args: &[&str]) -> Value {
    let mut command = catalogctl(cluster, args);
    let url = cluster.command_database();
    let output = command
        .env("CATALOG_COMMAND_DATABASE_URL", url)
        .arg("--json");
    let output = output.output().await.expect("run catalogctl");
    assert!(output.status.success(), "{}", shown(&output));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

async fn put(cluster: &Cluster, id: &str, title: &str) {
    let url = format!("{}/api/products/{id}", cluster.http());
    let product = json!({"title": title, "price_minor": 100});
    let client = reqwest::Client::new();
    let answer = client.put(url).json(&product).send().await.expect("HTTP");
    assert!(answer.status().is_success(), "{id}: {}", answer.status());
}

async fn title(cluster: &Cluster, id: &str) -> Option<String> {
    let (status, body) = get(&format!("{}/api/products/{id}", cluster.http())).await;
    (status == 200).then(|| body["title"].as_str().expect("a title").to_owned())
}

async fn found(cluster: &Cluster, query: &str) -> Vec<String> {
    let url = format!(
        "{}/api/products/search?q={query}&strategy=keyword&limit=100",
        cluster.http()
    );
    let (_, answer) = get(&url).await;
    let hits = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
    let id = |hit: &Value| hit["id"].as_str().expect("an id").to_owned();
    let mut ids: Vec<String> = hits.iter().map(id).collect();
    ids.sort();
    ids
}

/// Whether `catalogctl verify` finds the replica at this address equal to the log.
async fn is_proved(cluster: &Cluster, query: String) -> (bool, String) {
    let mut verify = catalogctl(cluster, &["verify"]);
    let output = verify.env("CATALOG_QUERY_GRPC", query).output().await;
    let output = output.expect("run catalogctl");
    (output.status.success(), shown(&output))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_set_back_leaves_no_ghosts_and_swallows_nothing() {
    let mut cluster = cluster().await;
    cluster.launch(Part::Replica).expect("a replica");
    let backup = tempfile::tempdir().expect("a folder");
    let folder = backup.path().to_str().expect("a path");
    for id in ["kept-1", "kept-2", "kept-3"] {
        put(&cluster, id, "Kettle of old").await;
    }
    cluster.caught_up(3, false, 60).await.expect("caught up");
    let taken = database(&cluster, &["backup", folder]).await;
    assert_eq!(
        (&taken["position"], &taken["products"]),
        (&json!(3), &json!(3))
    );
    for number in 0..LOST - 3 {
        put(&cluster, &format!("lost-{number}"), "Kettle that is lost").await;
    }
    // Its next version is one that the read side has seen already, of another change.
    for number in 0..3 {
        put(&cluster, "kept-1", &format!("Kettle that is lost {number}")).await;
    }
    let position = 3 + LOST as i64;
    cluster
        .caught_up(position, false, 60)
        .await
        .expect("caught up");

    cluster.stop(Part::Command).await.expect("stop");
    let restored = database(&cluster, &["restore", folder, "--replace"]).await;
    assert_eq!(restored["digest"], taken["digest"]);
    assert_eq!(restored["products_given_up"], json!(LOST));
    cluster.launch(Part::Command).expect("launch");
    cluster.ready().await.expect("ready");
    for id in ["new-1", "new-2"] {
        put(&cluster, id, "Kettle of today").await;
    }
    put(&cluster, "kept-1", "Kettle of today").await;

    let started = Instant::now();
    let expected = ["kept-1", "kept-2", "kept-3", "new-1", "new-2"];
    while found(&cluster, "kettle").await != expected
        || title(&cluster, "kept-1").await.as_deref() != Some("Kettle of today")
    {
        let status = cluster.read_status().await;
        assert!(
            started.elapsed() < HEALED_WITHIN,
            "{status:?}\n{}",
            cluster.logs()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(
        title(&cluster, "new-2").await.as_deref(),
        Some("Kettle of today")
    );
    assert_eq!(title(&cluster, "lost-0").await, None);
    assert!(found(&cluster, "lost").await.is_empty());
    for replica in [cluster.query_grpc(), cluster.replica_grpc()] {
        loop {
            let (proved, report) = is_proved(&cluster, replica.clone()).await;
            if proved {
                break;
            }
            assert!(
                started.elapsed() < HEALED_WITHIN,
                "{report}\n{}",
                cluster.logs()
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    put(&cluster, "new-3", "Kettle of tomorrow").await;
    cluster.caught_up(7, false, 60).await.expect("goes on");
}
