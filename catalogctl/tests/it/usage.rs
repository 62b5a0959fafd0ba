//! What people search for and open, as an operator sees it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};

use crate::support::{catalogctl, cluster, feed, get, json, shown};

const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a command and reads its lines; it ends with what is returned.
fn follow(command: &mut Command) -> (tokio::process::Child, Lines<BufReader<ChildStdout>>) {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("run catalogctl");
    let stdout = child.stdout.take().expect("a pipe");
    (child, BufReader::new(stdout).lines())
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let line = line.expect("in time").expect("readable").expect("a line");
    serde_json::from_str(&line).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_reads_and_clicks_are_seen_live_and_in_figures() {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("folder");
    let file = feed(folder.path(), 50).await;
    let imported = catalogctl(&cluster, &["import", &file]).output().await;
    let imported = imported.expect("run catalogctl");
    assert!(imported.status.success(), "{}", shown(&imported));
    cluster.caught_up(50, false, 60).await.expect("caught up");
    let base = format!("{}/api", cluster.http());

    let (mut tail, mut lines) = follow(&mut catalogctl(
        &cluster,
        &["tail", "--searches", "--reads", "--json"],
    ));
    // A subscriber hears of nothing that was published before it.
    let mut first = Value::Null;
    let started = std::time::Instant::now();
    while first.is_null() {
        assert!(
            started.elapsed() < PATIENCE,
            "never heard\n{}",
            cluster.logs()
        );
        get(&format!("{base}/products/search?q=begin")).await;
        if let Ok(line) = tokio::time::timeout(Duration::from_secs(1), lines.next_line()).await {
            let line = line.expect("readable").expect("a line");
            first = serde_json::from_str(&line).expect("JSON");
        }
    }
    assert_eq!(first["query"], json!("begin"));
    // Operators' own searches leave no trace.
    let own = catalogctl(&cluster, &["search", "operator"]).output().await;
    assert!(own.expect("run catalogctl").status.success());

    let (status, found) = get(&format!("{base}/products/search?q=Black&strategy=keyword")).await;
    assert_eq!(status, 200);
    let opened = found["items"][0]["id"].clone();
    assert!(opened.is_string(), "{found}");
    let click = json!({"search_id": found["search_id"], "product_id": opened, "position": 1});
    let client = reqwest::Client::new();
    let answer = client
        .post(format!("{base}/events/click"))
        .json(&click)
        .send();
    assert_eq!(answer.await.expect("post").status(), 202);
    let id = opened.as_str().expect("text");
    assert_eq!(get(&format!("{base}/products/{id}")).await.0, 200);

    let mut seen = Vec::new();
    while seen.len() < 3 {
        let line = line(&mut lines).await;
        assert_ne!(line["query"], json!("operator"));
        if line["query"] != json!("begin") {
            seen.push(line);
        }
    }
    seen.sort_by_key(|line| line["event"].to_string());
    assert_eq!(
        (&seen[0]["event"], &seen[0]["product_id"]),
        (&json!("click"), &opened)
    );
    assert_eq!(
        (&seen[0]["position"], &seen[0]["query"]),
        (&json!(1), &json!("black"))
    );
    assert_eq!(
        (&seen[1]["event"], &seen[1]["product_id"]),
        (&json!("read"), &opened)
    );
    assert_eq!(
        (&seen[2]["event"], &seen[2]["query"]),
        (&json!("search"), &json!("Black"))
    );
    assert_eq!(seen[2]["total"], found["total"]);
    tail.kill().await.expect("end it");

    let started = std::time::Instant::now();
    let analytics = loop {
        let analytics = json(&cluster, &["analytics", "--json"]).await;
        // Searches and clicks are counted on ways of their own.
        let queries = analytics["popular"].as_array().into_iter().flatten();
        let has_search = queries
            .map(|one| &one["query"])
            .any(|query| *query == "black");
        if analytics["totals"]["clicks"] == json!(1) && has_search {
            break analytics;
        }
        assert!(started.elapsed() < PATIENCE, "{analytics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let queries = analytics["popular"].as_array().expect("queries");
    let of = |name: &str| queries.iter().find(|one| one["query"] == json!(name));
    let black = of("black").expect("counted");
    assert_eq!(
        (&black["searches"], &black["clicks"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(of("operator"), None);
    let (status, over_http) = get(&format!("{base}/analytics/searches")).await;
    assert_eq!(
        (status, &over_http["popular"]),
        (200, &analytics["popular"])
    );
    assert_eq!(over_http["positions"][0]["clicks"], json!(1));
}
