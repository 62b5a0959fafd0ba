//! The service token: who calls a gRPC port shows it, and nobody writes it down.

use trials::cluster::SERVICE_TOKEN;

use crate::support::{catalogctl, cluster, json, shown, whole_logs};

#[tokio::test(flavor = "multi_thread")]
async fn every_grpc_port_asks_for_the_token_and_no_log_shows_it() {
    let cluster = cluster().await;
    let status = json(&cluster, &["status", "--json"]).await;
    assert!(status["write"].is_object(), "{status}");
    for (token, why) in [
        ("", "shows no service token"),
        ("other-other-other-other", "not known here"),
    ] {
        for args in [["keys", "list"], ["search", "lamp"]] {
            let mut refused = catalogctl(&cluster, &args);
            // A folder without the data of `catalogctl up`, whose token would be found.
            refused.args(["--data", "/nonexistent"]);
            let output = refused.env("CATALOG_SERVICE_TOKEN", token).output().await;
            let output = output.expect("run catalogctl");
            assert!(!output.status.success(), "{args:?}");
            let told = shown(&output);
            assert!(
                told.contains(why) && told.contains("Unauthenticated"),
                "{told}"
            );
        }
    }
    let answer = reqwest::get(format!("{}/api/products/search?q=lamp", cluster.http())).await;
    assert!(answer.expect("HTTP").status().is_success());
    let logs = whole_logs(&cluster);
    assert!(
        logs.contains("catalog-command") && !logs.contains(SERVICE_TOKEN),
        "{logs}"
    );
}
