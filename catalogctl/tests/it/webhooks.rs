//! Webhooks as operators and receivers know them, against a whole catalog that is killed under load.

use std::collections::{HashMap, HashSet};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use trials::cluster::Part;

use crate::subscribers::program;
use crate::support::{catalogctl, cluster, json, shown, whole_logs};

const PATIENCE: Duration = Duration::from_secs(60);

/// What has been accepted: product, position, and whether the signature is right.
type Accepted = Arc<Mutex<Vec<(String, u64, HeaderMap, Bytes)>>>;

struct Receiver {
    accepted: Accepted,
    random: Mutex<fastrand::Rng>,
}

/// A receiver that refuses one delivery in eight.
async fn receiver() -> (String, Accepted) {
    let accepted = Accepted::default();
    let receiver = Arc::new(Receiver {
        accepted: accepted.clone(),
        random: Mutex::new(fastrand::Rng::with_seed(31)),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/", listener.local_addr().expect("address"));
    let routes = Router::new().fallback(receive).with_state(receiver);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, accepted)
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let refused = receiver.random.lock().expect("lock").u32(0..8) == 0;
    if refused {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let event: Value = serde_json::from_slice(&body).expect("JSON");
    let product = event["data"]["product_id"].as_str().unwrap_or_default();
    let position = event["data"]["position"].as_u64().unwrap_or_default();
    let one = (product.to_owned(), position, headers, body);
    receiver.accepted.lock().expect("lock").push(one);
    StatusCode::OK
}

async fn write(http: String, id: String, price: String) {
    let started = Instant::now();
    let client = reqwest::Client::new();
    let url = format!("{http}/api/products/{id}");
    let body = json!({"title": "Lamp", "price": price, "currency": "EUR"});
    // Until it is known to be done: a service may be away.
    loop {
        let answer = client.put(&url).json(&body).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{id} was never written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_in_order_though_the_write_service_is_killed() {
    let mut cluster = cluster().await;
    let (url, accepted) = receiver().await;
    let made = json(&cluster, &["webhooks", "create", &url, "--json"]).await;
    let secret = made["secret"].as_str().expect("secret").to_owned();
    for round in 0..20 {
        let price = format!("{}.50", round + 1);
        let writes: Vec<_> = (0..10)
            .map(|n| tokio::spawn(write(cluster.http(), format!("p{n}"), price.clone())))
            .collect();
        if round % 6 == 5 {
            cluster.kill(Part::Command).await.expect("kill -9");
            cluster.launch(Part::Command).expect("start again");
            cluster.ready().await.expect("ready again");
        }
        for write in writes {
            write.await.expect("written");
        }
    }
    // A write that is sent again changes nothing the second time.
    let written = 200;
    let started = Instant::now();
    let arrived = loop {
        let all = accepted.lock().expect("lock").clone();
        let distinct: HashSet<u64> = all.iter().map(|one| one.1).collect();
        if distinct.len() == written {
            break all;
        }
        let have = distinct.len();
        assert!(
            started.elapsed() < PATIENCE,
            "{have} of {written}\n{}",
            cluster.logs()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut last: HashMap<String, u64> = HashMap::new();
    let mut seen = HashSet::new();
    let signer = Webhook::new(&secret).expect("secret");
    for (product, position, headers, body) in &arrived {
        signer.verify(body, headers).expect("signed");
        if seen.insert(position) {
            let before = last.insert(product.clone(), *position);
            assert!(
                before < Some(*position),
                "{product}: {before:?}, {position}"
            );
        }
    }
    let logs = whole_logs(&cluster);
    assert!(!logs.contains(&secret[6..]), "no log has the secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_managed_by_tool_and_over_http() {
    let cluster = cluster().await;
    let (url, _) = receiver().await;
    let made = json(
        &cluster,
        &[
            "webhooks",
            "create",
            &url,
            "--type",
            "rule.*",
            "--description",
            "Shop",
            "--json",
        ],
    )
    .await;
    let id = made["id"].as_str().expect("id");
    assert_eq!(made["types"], json!(["rule.put", "rule.deleted"]));
    let listed = json(&cluster, &["webhooks", "list", "--json"]).await;
    assert_eq!(
        (&listed["id"], &listed["secret"]),
        (&made["id"], &Value::Null)
    );
    let paused = json(&cluster, &["webhooks", "pause", id, "--json"]).await;
    assert_eq!(
        (&paused["state"], &paused["version"]),
        (&json!("paused"), &json!(2))
    );
    let active = json(&cluster, &["webhooks", "enable", id, "--json"]).await;
    assert_eq!(active["state"], "active");
    let all = json(
        &cluster,
        &["webhooks", "update", id, "--all-types", "--json"],
    )
    .await;
    assert_eq!(all["types"], json!([]));
    let rotate = ["webhooks", "rotate", id, "--grace-seconds", "60", "--json"];
    let rotated = json(&cluster, &rotate).await;
    assert_ne!(rotated["secret"], made["secret"]);
    let replayed = json(
        &cluster,
        &["webhooks", "replay", id, "--from-now", "--json"],
    )
    .await;
    assert_eq!(replayed["lag"], 0);
    for (args, told) in [
        (vec!["webhooks", "show", "nothing"], "UUID"),
        (
            vec!["webhooks", "create", "ftp://shop.example"],
            "state an https URL",
        ),
        (
            vec!["webhooks", "replay", id, "--after-position", "9"],
            "the event log ends at 0",
        ),
        (vec!["webhooks", "update", id], "name the fields"),
    ] {
        let refused = catalogctl(&cluster, &args)
            .output()
            .await
            .expect("run catalogctl");
        assert!(!refused.status.success(), "{args:?}");
        assert!(shown(&refused).contains(told), "{}", shown(&refused));
    }

    let client = reqwest::Client::new();
    let at = |path: &str| format!("{}/api/webhooks{path}", cluster.http());
    let made = client
        .post(at(""))
        .json(&json!({"url": url}))
        .send()
        .await
        .expect("POST");
    assert_eq!(
        (made.status().as_u16(), made.headers()["etag"].to_str().ok()),
        (201, Some("\"1\""))
    );
    let made: Value = made.json().await.expect("JSON");
    let other = made["webhook"]["id"].as_str().expect("id");
    let patch = |if_match: &'static str, body: Value| {
        let request = client
            .patch(at(&format!("/{other}")))
            .header("if-match", if_match);
        request.json(&body).send()
    };
    let stale = patch("\"7\"", json!({"state": "paused"}))
        .await
        .expect("PATCH");
    assert_eq!(stale.status(), 412);
    let paused = patch("\"1\"", json!({"state": "paused"}))
        .await
        .expect("PATCH");
    assert_eq!(
        paused.json::<Value>().await.expect("JSON")["state"],
        "paused"
    );
    let wrong = patch("*", json!({"url": "http://ann@shop.example", "stat": 1})).await;
    let wrong: Value = wrong.expect("PATCH").json().await.expect("JSON");
    assert!(wrong.to_string().contains("did you mean state?"), "{wrong}");
    let wrong = client
        .post(at(""))
        .json(&json!({"url": "ftp://x"}))
        .send()
        .await;
    let wrong: Value = wrong.expect("POST").json().await.expect("JSON");
    assert_eq!(
        (&wrong["status"], &wrong["errors"][0]["pointer"]),
        (&json!(422), &json!("/url"))
    );
    let beyond = client.post(at(&format!("/{other}/replay")));
    let beyond = beyond
        .json(&json!({"after_position": 9}))
        .send()
        .await
        .expect("POST");
    assert_eq!(beyond.status(), 422);
    let rotated = client
        .post(at(&format!("/{other}/rotate")))
        .json(&json!({}))
        .send()
        .await;
    let rotated: Value = rotated.expect("POST").json().await.expect("JSON");
    assert!(
        rotated["webhook"]["previous_secret_until"].is_string(),
        "{rotated}"
    );
    let waiting = client
        .get(at(&format!("/{other}/waiting?limit=5")))
        .send()
        .await;
    let waiting: Value = waiting.expect("GET").json().await.expect("JSON");
    assert_eq!(waiting, json!({"items": [], "next_page_token": null}));
    let deleted = client
        .delete(at(&format!("/{other}")))
        .send()
        .await
        .expect("DELETE");
    assert_eq!(deleted.status(), 204);
    let gone = client
        .get(at(&format!("/{other}")))
        .send()
        .await
        .expect("GET");
    let gone: Value = gone.json().await.expect("JSON");
    assert_eq!(
        (&gone["status"], &gone["type"]),
        (&json!(404), &json!("/api/problems/webhook-not-found"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_receives_what_is_signed() {
    let cluster = cluster().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = taken.local_addr().expect("address").to_string();
    drop(taken);
    let url = format!("http://{address}/");
    let made = json(&cluster, &["webhooks", "create", &url, "--json"]).await;
    let id = made["id"].as_str().expect("id");
    let mut process = Command::new(program("webhook_receiver").await)
        .arg(&address)
        .env("WEBHOOK_SECRET", made["secret"].as_str().expect("secret"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the example");
    let mut lines = BufReader::new(process.stdout.take().expect("stdout")).lines();
    let mut line = async || {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        line.expect("in time").expect("a line").expect("it goes on")
    };
    assert!(line().await.starts_with("listening for webhooks"));
    let tested = json(&cluster, &["webhooks", "test", id, "--json"]).await;
    assert_eq!(
        (&tested["delivered"], &tested["status"]),
        (&json!(true), &json!(204))
    );
    assert_eq!(line().await, "webhook.test ");
    write(cluster.http(), "lamp".to_owned(), "1.50".to_owned()).await;
    assert_eq!(line().await, "product.created lamp");
    let forged = reqwest::Client::new().post(&url).body("{}").send().await;
    assert_eq!(forged.expect("an answer").status(), 401);
}
