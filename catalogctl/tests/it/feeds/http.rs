//! Feeds that go in and out over HTTP, as they do with `catalogctl`.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trials::cluster::Cluster;

use crate::support::cluster;

const LINES: &str = "application/x-ndjson";
const FEED: &str = "Artikel;title;price;colours\n\
    a1;Drill;\"1.299,00\";red|blue\n\
    a2;Saw;49,90;green\n\
    a3;;5,00;\n\
    a4;Hammer;7,00;\n";
const OPTIONS: &str = "map=id%3DArtikel&split=colours%3D%7C&decimal_comma=true";

fn url(cluster: &Cluster, path: &str) -> String {
    format!("{}/api/{path}", cluster.http())
}

/// Sends a feed and returns the text of the report.
async fn sent(cluster: &Cluster, options: &str, accept: &str, feed: Vec<u8>) -> String {
    let request = reqwest::Client::new().post(url(cluster, &format!("import?{options}")));
    let request = request
        .header(CONTENT_TYPE, "text/csv")
        .header(ACCEPT, accept);
    let answer = request.body(feed).send().await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert_eq!(status, 200, "{text}");
    text
}

async fn imported(cluster: &Cluster, options: &str, feed: impl Into<Vec<u8>>) -> Value {
    let text = sent(cluster, options, "application/json", feed.into()).await;
    serde_json::from_str(&text).expect("a report")
}

/// Exports, and returns the position, its event, and the products.
async fn exported(cluster: &Cluster, options: &str) -> (String, String, String) {
    let answer = reqwest::get(url(cluster, &format!("export?{options}"))).await;
    let answer = answer.expect("an answer");
    let header = |name: &str| {
        let value = answer.headers().get(name).expect("a header");
        value.to_str().expect("ASCII").to_owned()
    };
    let (position, event) = (header("catalog-position"), header("catalog-event"));
    assert_eq!(answer.status(), 200);
    (position, event, answer.text().await.expect("products"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_goes_in_over_http_and_out_again() {
    let cluster = cluster().await;
    let report = imported(&cluster, OPTIONS, FEED).await;
    assert_eq!(
        (
            &report["completed"],
            &report["created"],
            &report["rejected"],
            &report["rows"]
        ),
        (&json!(true), &json!(3), &json!(1), &json!(4)),
        "{report}"
    );
    let rejected = &report["rejected_rows"][0];
    assert_eq!(
        (&rejected["line"], &rejected["id"], &rejected["field"]),
        (&json!(4), &json!("a3"), &json!("title")),
        "{report}"
    );
    // A read that carries the token sees the import.
    let token = report["consistency_token"].as_str().expect("a token");
    let read = reqwest::Client::new().get(url(&cluster, "products/a4"));
    let read = read.header("Catalog-Consistency", token).send().await;
    assert_eq!(read.expect("an answer").status(), 200);

    a_dry_run_is_told_line_by_line(&cluster).await;
    what_is_exported_is_imported_again(&cluster).await;
    rows_before_the_end_of_a_broken_body_are_kept(&cluster).await;
}

async fn a_dry_run_is_told_line_by_line(cluster: &Cluster) {
    let feed = FEED.replace("49,90", "45,50").into_bytes();
    let options = format!("{OPTIONS}&dry_run=true");
    let text = sent(cluster, &options, LINES, feed).await;
    let events = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let events: Vec<Value> = events.collect();
    let names: Vec<&str> = events
        .iter()
        .filter_map(|it| it["event"].as_str())
        .collect();
    assert_eq!(
        names,
        ["rejected", "change", "progress", "report"],
        "{text}"
    );
    let change = json!({"event": "change", "line": 3, "id": "a2", "change": "update",
        "fields": [{"field": "price", "before": "49.90 USD", "after": "45.50 USD"}]});
    assert_eq!(events[1], change);
    assert_eq!(events[3]["updated"], 1, "{text}");
}

async fn what_is_exported_is_imported_again(cluster: &Cluster) {
    let (position, event, lines) = exported(cluster, "").await;
    let (_, _, table) = exported(cluster, "format=csv").await;
    assert_eq!(
        (lines.lines().count(), table.lines().count()),
        (3, 4),
        "{lines}{table}"
    );
    assert!(
        lines.starts_with("{\"id\":\"a1\",\"title\":\"Drill\""),
        "{lines}"
    );

    // An export that broke off behind its first line.
    let after = format!("position={position}&event={event}&after=a1");
    let (_, _, rest) = exported(cluster, &after).await;
    let first = lines.lines().next().expect("a1");
    assert_eq!(format!("{first}\n{rest}"), lines);
    let other = after.replace(&event, "0190a8a6-0000-7000-8000-000000000000");
    let refused = reqwest::get(url(cluster, &format!("export?{other}"))).await;
    assert_eq!(refused.expect("an answer").status(), 409);

    for feed in [&lines, &table] {
        for id in ["a1", "a2", "a4"] {
            let product = url(cluster, &format!("products/{id}"));
            let gone = reqwest::Client::new().delete(product).send().await;
            assert_eq!(gone.expect("an answer").status(), 204, "{id}");
        }
        assert_eq!(exported(cluster, "").await.2, "");
        let report = imported(cluster, "", feed.as_bytes()).await;
        assert_eq!(report["created"], 3, "{report}");
        assert_eq!(exported(cluster, "").await.2, lines);
    }
}

async fn rows_before_the_end_of_a_broken_body_are_kept(cluster: &Cluster) {
    let head = "POST /api/import HTTP/1.1\r\nHost: shop\r\nContent-Length: 9999\r\n\r\n";
    let mut stream = TcpStream::connect(cluster.http().trim_start_matches("http://"))
        .await
        .expect("connection");
    let rows = "{\"id\":\"b1\",\"title\":\"Before\",\"price\":1}\n{\"id\":\"b2\",";
    stream
        .write_all(format!("{head}{rows}").as_bytes())
        .await
        .expect("write");
    stream.shutdown().await.expect("the end of the body");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    let (_, _, lines) = exported(cluster, "").await;
    assert!(
        lines.contains("\"b1\"") && !lines.contains("\"b2\""),
        "{answer}\n{lines}"
    );
    assert!(
        answer.is_empty() || answer.contains("\"completed\":false"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_cannot_be_is_refused_with_what_to_do() {
    let cluster = cluster().await;
    for (options, kind, feed, status, told) in [
        ("", "multipart/form-data", "x", 415, "curl --data-binary"),
        ("format=yaml", "text/csv", "x", 422, "must be one of jsonl"),
        ("dryrun=true", "text/csv", "x", 422, "did you mean dry_run?"),
        (
            "",
            "text/csv",
            "foo;bar\n1;2\n",
            422,
            "no column \\\"id\\\": use map=id=COLUMN",
        ),
        ("", "text/csv", "%PDF-1.4", 422, "the body is a PDF"),
        ("encoding=klingon", "text/csv", "x", 422, "/encoding"),
    ] {
        let request = reqwest::Client::new().post(url(&cluster, &format!("import?{options}")));
        let answer = request.header(CONTENT_TYPE, kind).body(feed).send().await;
        let answer = answer.expect("an answer");
        let (found, text) = (answer.status(), answer.text().await.expect("a body"));
        assert_eq!(found, status, "{options} {feed}: {text}");
        assert!(text.contains(told), "{told}: {text}");
    }
}
