//! API keys as an operator makes, shows, rotates and revokes them.

use std::time::Duration;

use serde_json::{Value, json};
use trials::cluster::Cluster;

use crate::support::{catalogctl, cluster, get, json, shown};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_shown_rotated_and_revoked() {
    let cluster = cluster().await;
    let create = [
        "keys",
        "create",
        "Shop",
        "--scope",
        "search",
        "--scope",
        "read",
        "--expires-in-days",
        "30",
        "--origin",
        "https://shop.example",
        "--filter",
        "brand=Acme",
        "--requests-per-second",
        "20",
        "--json",
    ];
    let made = json(&cluster, &create).await;
    let prefix = made["prefix"].as_str().expect("prefix");
    let secret = made["secret"].as_str().expect("secret");
    assert!(secret.starts_with(&format!("ck_{prefix}_")), "{made}");
    assert_eq!(made["scopes"], json!(["search", "read"]));
    let by = made["created_by"].as_str().expect("created_by");
    assert!(by.starts_with("catalogctl"), "{by}");

    let rotated = json(
        &cluster,
        &["keys", "rotate", prefix, "--grace-seconds", "60", "--json"],
    )
    .await;
    assert_eq!(
        (&rotated["id"], &rotated["version"]),
        (&made["id"], &json!(2))
    );
    assert_ne!(rotated["secret"], made["secret"]);
    let listed = json(&cluster, &["keys", "list", "--json"]).await;
    assert_eq!(
        (&listed["id"], &listed["secret"]),
        (&made["id"], &json!(null))
    );

    let revoked = json(&cluster, &["keys", "revoke", prefix, "--json"]).await;
    assert!(revoked["revoked_at"].is_string(), "{revoked}");
    let none = catalogctl(&cluster, &["keys", "list"]).output().await;
    let none = none.expect("run catalogctl");
    assert!(none.stdout.starts_with(b"no keys"), "{}", shown(&none));
    let all = json(&cluster, &["keys", "list", "--all", "--json"]).await;
    assert_eq!(all, revoked);

    the_same_is_done_over_http(&cluster).await;
    for (args, told) in [
        (vec!["keys", "revoke", "nothing"], "keys list --all"),
        (
            vec!["keys", "rotate", prefix, "--grace-seconds", "0"],
            "revoked",
        ),
        (
            vec![
                "keys", "create", "Shop", "--scope", "search", "--origin", "*",
            ],
            "https://shop.example",
        ),
    ] {
        let refused = catalogctl(&cluster, &args).output().await;
        let refused = refused.expect("run catalogctl");
        assert!(!refused.status.success(), "{args:?}");
        assert!(shown(&refused).contains(told), "{}", shown(&refused));
    }
}

async fn the_same_is_done_over_http(cluster: &Cluster) {
    let client = reqwest::Client::new();
    let url = |path: &str| format!("{}/api/{path}", cluster.http());
    let body = json!({"name": "Window", "scopes": ["search"], "forced_filter": "brand=Acme"});
    let made = client.post(url("keys")).json(&body).send().await;
    let made = made.expect("an answer");
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.expect("JSON");
    let (key, secret) = (&made["key"], made["secret"].as_str().expect("a secret"));
    assert_eq!(
        (&key["name"], &key["scopes"], &key["forced_filter"]),
        (&json!("Window"), &json!(["search"]), &json!("brand=Acme")),
        "{made}"
    );
    let id = key["id"].as_str().expect("id");
    let rotated = client.post(url(&format!("keys/{id}/rotate")));
    let rotated = rotated.json(&json!({"grace_seconds": 60})).send().await;
    let rotated: Value = rotated.expect("an answer").json().await.expect("JSON");
    assert_ne!(rotated["secret"], made["secret"], "{rotated}");
    let search = || {
        client
            .get(url("products/search?q=drill"))
            .bearer_auth(secret)
    };
    status_becomes(|| search().send(), 200).await;

    let gone = client.delete(url(&format!("keys/{id}"))).send().await;
    assert_eq!(gone.expect("an answer").status(), 204);
    status_becomes(|| search().send(), 401).await;
    let (status, live) = get(&url("keys")).await;
    assert_eq!((status, &live["items"]), (200, &json!([])), "{live}");
    let (_, all) = get(&url("keys?ended=true")).await;
    assert!(all.to_string().contains(id) && !all.to_string().contains(secret));
    let body = json!({"name": "Odd", "scopes": ["search"], "forced_filter": "colour=red"});
    let odd = client.post(url("keys")).json(&body).send().await;
    assert_eq!(odd.expect("an answer").status(), 422);
}

/// Every replica knows a change of a key within a second.
async fn status_becomes<F>(ask: impl Fn() -> F, status: u16)
where
    F: Future<Output = reqwest::Result<reqwest::Response>>,
{
    let begun = std::time::Instant::now();
    while ask().await.expect("an answer").status() != status {
        assert!(begun.elapsed() < PATIENCE, "it does not become {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
