//! Canaries: secrets and personal data that are sent in every way there is, and must not be in any log.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use trials::cluster::{Cluster, Part};

use crate::support::cluster;

const PATIENCE: Duration = Duration::from_secs(20);
const PERSON: &str = "canary.person@example.org";
const PASSWORD: &str = "canary-password";
const BROKER_TOKEN: &str = "canary-broker-token";

#[tokio::test(flavor = "multi_thread")]
async fn no_log_has_a_secret_or_a_person() {
    let mut cluster = cluster().await;
    // As talkative as an operator makes it who looks for a fault.
    cluster.configure("RUST_LOG", "debug,h2=info,tantivy=info".to_owned());
    for part in Part::ALL {
        cluster.stop(part).await.expect("stopped");
        cluster.launch(part).expect("launched");
    }
    cluster.ready().await.expect("ready");
    let mut canaries = vec![
        PERSON.to_owned(),
        PASSWORD.to_owned(),
        BROKER_TOKEN.to_owned(),
    ];
    canaries.extend(keys(&cluster).await);
    canaries.extend(requests(&cluster).await);
    addresses_with_passwords(&mut cluster).await;

    for part in Part::ALL {
        let log = cluster.log(part);
        assert!(log.contains("DEBUG"), "{part:?} is not talkative");
        for canary in &canaries {
            let mut lines = log.lines();
            let told = lines.find(|line| line.contains(canary.as_str()));
            assert_eq!(told, None, "{part:?} logs {canary}");
        }
    }
}

fn url(cluster: &Cluster, path: &str) -> String {
    format!("{}/api/{path}", cluster.http())
}

async fn made(request: reqwest::RequestBuilder) -> Value {
    let answer = request.timeout(PATIENCE).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.json().await.expect("JSON")
}

/// Makes and rotates a key, and returns the random parts of its secrets.
async fn keys(cluster: &Cluster) -> Vec<String> {
    let client = Client::new();
    let body = json!({"name": "canary", "scopes": ["search", "read", "write"]});
    let key = made(client.post(url(cluster, "keys")).json(&body)).await;
    let id = key["key"]["id"].as_str().expect("id");
    let rotate = client.post(url(cluster, &format!("keys/{id}/rotate")));
    let rotated = made(rotate.json(&json!({"grace_seconds": 600}))).await;
    let secrets = [&key, &rotated].map(|key| key["secret"].as_str().expect("a secret").to_owned());
    for secret in &secrets {
        let read = client
            .get(url(cluster, "products/search?q=lamp"))
            .bearer_auth(secret);
        let _ = read.timeout(PATIENCE).send().await.expect("an answer");
    }
    let random = secrets
        .iter()
        .map(|secret| secret.rsplit('_').next().unwrap_or_default());
    random.map(str::to_owned).collect()
}

/// Sends what does not belong into a log in every part of a request; returns the secrets.
async fn requests(cluster: &Cluster) -> Vec<String> {
    let client = Client::new();
    let unknown = "ck_canary01_nobodyknowsthiscanarysecret";
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.canarysignature";
    for credential in [unknown, token] {
        for path in ["products/x", "products/search?q=x", "search-rules", "keys"] {
            let read = client.get(url(cluster, path)).bearer_auth(credential);
            let answer = read.timeout(PATIENCE).send().await.expect("an answer");
            assert_eq!(answer.status(), 401, "{path}");
        }
    }
    let product = json!({"id": "canary", "title": "Canary cage", "price": 1});
    let create = client.post(url(cluster, "products")).json(&product);
    let create = create.header("idempotency-key", "canary-idempotency-key");
    let create = create.header("catalog-actor", PERSON);
    let answer = create.timeout(PATIENCE).send().await.expect("an answer");
    let consistency = answer.headers()["catalog-consistency"]
        .to_str()
        .expect("ASCII")
        .to_owned();
    for search in [
        PERSON,
        "\"canary.person@example.org\" -x",
        "canary.person@example.org lamp",
    ] {
        let find = client
            .get(url(cluster, "products/search"))
            .query(&[("q", search)]);
        let find = find.header("catalog-consistency", &consistency);
        let _ = find.timeout(PATIENCE).send().await.expect("an answer");
        let post = client
            .post(url(cluster, "search"))
            .json(&json!({"q": search}));
        let _ = post.timeout(PATIENCE).send().await.expect("an answer");
    }
    let feed = format!("{{\"id\":\"b\",\"title\":\"{PERSON}\",\"price\":\"x\"}}\n{{\"id\":");
    let import = client.post(url(cluster, "import")).body(feed);
    let _ = import.timeout(PATIENCE).send().await.expect("an answer");
    vec![
        "nobodyknowsthiscanarysecret".to_owned(),
        "canarysignature".to_owned(),
        "canary-idempotency-key".to_owned(),
        consistency,
    ]
}

/// Starts services with addresses that do not work: their errors name them.
async fn addresses_with_passwords(cluster: &mut Cluster) {
    let database = format!("postgres://canary:{PASSWORD}@127.0.0.1:1/catalog");
    let broker = format!("nats://{BROKER_TOKEN}@127.0.0.1:1");
    for (part, variable, value) in [
        (Part::Command, "CATALOG_COMMAND_NATS_URL", &broker),
        (Part::Query, "CATALOG_QUERY_NATS_URL", &broker),
        (Part::Command, "CATALOG_COMMAND_DATABASE_URL", &database),
        (Part::Query, "CATALOG_QUERY_DATABASE_URL", &database),
    ] {
        cluster.stop(part).await.expect("stopped");
        cluster.configure(variable, value.clone());
        cluster.launch(part).expect("launched");
        tokio::time::sleep(Duration::from_secs(3)).await;
        cluster.kill(part).await.expect("killed");
    }
}
