//! What others make of the messages on the broker: the published schemas, and the examples, on a real run.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use catalog_events::{CLICK_SUBJECT, READ_SUBJECT, SEARCH_SUBJECT};
use futures_util::StreamExt as _;
use jsonschema::Validator;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use trials::cluster::Cluster;

use crate::support::{CATALOGCTL, cluster};

const PATIENCE: Duration = Duration::from_secs(60);
fn schema(name: &str) -> Validator {
    let folder = Path::new("../docs/events");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("a schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a schema of draft 2020-12")
}

async fn write(cluster: &Cluster, method: &str, path: &str, body: Value) -> Value {
    let method = method.parse().expect("a method");
    let request = Client::new().request(method, format!("{}/api/{path}", cluster.http()));
    let answer = request.json(&body).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap_or_default()
}

async fn create(cluster: &Cluster, id: &str, title: &str) {
    let product = json!({
        "id": id, "title": title, "price": 50, "currency": "EUR", "brand": "Fjell", "categories": ["Home", "Lamps"],
        "attributes": {"colours": ["red", "blue"], "watts": 7.5, "dimmable": true},
    });
    write(cluster, "POST", "products", product).await;
}

async fn price(cluster: &Cluster, id: &str, price: u32) {
    let path = format!("products/{id}/price");
    write(cluster, "PUT", &path, json!({"price": price})).await;
}

/// Does everything that has a message.
async fn live(cluster: &Cluster) {
    create(cluster, "lamp", "Desk lamp").await;
    write(cluster, "PATCH", "products/lamp", json!({"sku": "L-1"})).await;
    price(cluster, "lamp", 40).await;
    create(cluster, "gone", "Shelf").await;
    write(cluster, "DELETE", "products/gone", json!({})).await;
    let actions = json!([
        {"action": "pin", "product_id": "lamp", "position": 1},
        {"action": "boost", "target": {"brand": "Fjell"}, "factor": 2.0},
    ]);
    let rule = json!({"kind": {"type": "curation", "queries": ["lamp"], "actions": actions},
                      "starts_at": "2026-01-31T08:00:00Z", "note": "spring"});
    write(cluster, "PUT", "search-rules/lamps", rule).await;
    write(cluster, "DELETE", "search-rules/lamps", json!({})).await;
    cluster.caught_up(5, false, 60).await.expect("caught up");
    let get = async |path: &str| -> Value {
        let answer = reqwest::get(format!("{}/api/{path}", cluster.http())).await;
        answer.expect("an answer").json().await.expect("JSON")
    };
    assert_eq!(get("products/lamp").await["sku"], "L-1");
    let found = get("products/search?q=lamp").await;
    let click = json!({"search_id": found["search_id"], "product_id": "lamp", "position": 1});
    write(cluster, "POST", "events/click", click).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_is_as_its_schema_says() {
    let cluster = cluster().await;
    let client = catalog_events::connect("test", &cluster.devkit.nats_url()).await;
    let client = client.expect("connect");
    let mut messages = client.subscribe("catalog.>").await.expect("subscribe");
    client.flush().await.expect("flush");
    live(&cluster).await;

    let mut seen: Vec<String> = Vec::new();
    let wanted = [
        "catalog.product.created.v1",
        "catalog.product.updated.v1",
        "catalog.product.price_changed.v1",
        "catalog.product.deleted.v1",
        "catalog.rule.put.v1",
        "catalog.rule.deleted.v1",
        READ_SUBJECT,
        SEARCH_SUBJECT,
        CLICK_SUBJECT,
    ];
    while !wanted.iter().all(|kind| seen.iter().any(|one| one == kind)) {
        let message = tokio::time::timeout(PATIENCE, messages.next()).await;
        let message = message.unwrap_or_else(|_| panic!("only {seen:?}"));
        let message = message.expect("a message");
        let header = |name: &str| {
            let headers = message.headers.as_ref()?;
            headers.get(name).map(ToString::to_string)
        };
        let subject = message.subject.to_string();
        let (kind, name) = match header("ce-type") {
            Some(kind) => {
                assert_eq!(header("ce-datacontenttype"), header("content-type"));
                let name = header("ce-dataschema").expect("a schema");
                let name = name.strip_prefix("urn:catalog:schema:").expect("a name");
                (kind, name.to_owned())
            }
            None => {
                let name = match subject.as_str() {
                    READ_SUBJECT => "product-read.v1",
                    SEARCH_SUBJECT => "search.v1",
                    CLICK_SUBJECT => "click.v1",
                    other => panic!("{other} is in no document"),
                };
                (subject, name.to_owned())
            }
        };
        let body: Value = serde_json::from_slice(&message.payload).expect("JSON");
        if let Err(err) = schema(&name).validate(&body) {
            panic!("{kind} at {}: {err}\n{body}", err.instance_path());
        }
        seen.push(kind);
    }
    // It is no schema that takes everything.
    let product = schema("product-event.v1");
    assert!(!product.is_valid(&json!({"position": "one"})));
    assert!(!product.is_valid(&json!({})));
}

/// An example, while it runs.
struct Example {
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Example {
    async fn run(cluster: &Cluster, name: &str, argument: &str) -> Self {
        let program = program(name).await;
        let mut process = Command::new(program)
            .arg(argument)
            .env("CATALOG_NATS_URL", cluster.devkit.nats_url())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the example");
        let stdout = process.stdout.take().expect("stdout");
        let mut example = Self {
            lines: BufReader::new(stdout).lines(),
            _process: process,
        };
        example.line("listening for").await;
        example
    }

    async fn line(&mut self, told: &str) -> String {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("never {told}"));
            let line = line.expect("a line").expect("it goes on");
            if line.contains(told) {
                return line;
            }
        }
    }
}

/// The program of an example. All tests of a package build its examples; those of one file do not.
pub(crate) async fn program(name: &str) -> PathBuf {
    let program = Path::new(CATALOGCTL).with_file_name("examples").join(name);
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "catalogctl",
                "--example",
                name,
            ])
            .status()
            .await;
        assert!(built.expect("cargo").success());
    }
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_do_what_they_say() {
    let cluster = cluster().await;
    let mut alert = Example::run(&cluster, "price_drop_alert", "10").await;
    create(&cluster, "lamp", "Desk lamp").await;
    for step in [48, 30, 60] {
        price(&cluster, "lamp", step).await;
    }
    let line = alert.line("Desk lamp").await;
    assert_eq!(line, "Desk lamp: 48.00 -> 30.00 EUR (-38 %)");
    price(&cluster, "lamp", 54).await;
    assert_eq!(
        alert.line("Desk lamp").await,
        "Desk lamp: 60.00 -> 54.00 EUR (-10 %)"
    );

    let mut trending = Example::run(&cluster, "trending", "1").await;
    cluster.caught_up(5, false, 60).await.expect("caught up");
    for _ in 0..3 {
        let read = reqwest::get(format!("{}/api/products/lamp", cluster.http())).await;
        assert_eq!(read.expect("an answer").status(), 200);
    }
    let line = trending.line("lamp").await;
    assert!(line.starts_with(" 1. lamp"), "{line}");
}
