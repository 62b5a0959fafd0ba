//! API keys as an operator makes, shows, rotates and revokes them.

use serde_json::json;

use crate::support::{catalogctl, cluster, json, shown};

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
