//! What operators ask over HTTP. With both services it is tried with a browser; here they are of an older release.

use crate::bff::Bff;

#[tokio::test]
async fn a_service_that_cannot_tell_is_told() {
    let bff = Bff::start().await;
    let status = bff.get("/api/status").await;
    assert_eq!(status.status, 200, "{status:?}");
    let told = status.json();
    assert!(told["write"].is_null() && told["read"].is_null(), "{told}");
    let errors = told["errors"].to_string();
    assert_eq!(errors.matches("of an older release").count(), 2, "{errors}");
    for (method, path) in [
        ("POST", "/api/rebuilds"),
        ("POST", "/api/rollbacks"),
        ("POST", "/api/verifications"),
        ("GET", "/api/parked-events"),
        ("POST", "/api/parked-events/retry"),
        ("GET", "/api/synonym-suggestions"),
        ("GET", "/api/ranking-profiles"),
    ] {
        let answer = bff.json(method, path, "").await;
        assert_eq!(answer.status, 502, "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_repeated_safely_takes_no_key_for_it() {
    let bff = Bff::start().await;
    let request = bff.request("POST", "/api/rollbacks");
    let answer = crate::bff::send(request.header("idempotency-key", "once")).await;
    assert_eq!(answer.status, 422, "{answer:?}");
}

#[tokio::test]
async fn parameters_at_fault_are_named() {
    let bff = Bff::start().await;
    for (method, path, pointer) in [
        ("GET", "/api/status?a=1", "/a"),
        ("POST", "/api/verifications?repair=yes", "/repair"),
        ("POST", "/api/rebuilds?force=true", "/force"),
        ("POST", "/api/parked-events/retry?position=0", "/position"),
        ("GET", "/api/synonym-suggestions?limit=0", "/limit"),
        ("GET", "/api/metrics?x", "/x"),
    ] {
        let answer = bff.json(method, path, "").await;
        assert_eq!(answer.status, 422, "{path}: {answer:?}");
        let errors = answer.json()["errors"].to_string();
        assert!(errors.contains(&format!("{pointer:?}")), "{path}: {errors}");
    }
}

#[tokio::test]
async fn what_was_answered_is_counted() {
    let bff = Bff::start().await;
    bff.get("/api/products/none").await;
    let answer = bff.get("/api/metrics").await;
    let kind = answer.header("content-type").expect("a type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let line = answer.body.lines().find(|line| {
        line.starts_with("bff_http_requests_total") && line.contains("/api/products/{id}")
    });
    assert!(
        line.is_some_and(|line| line.ends_with(" 1")),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn how_a_feed_can_be_read_is_proposed() {
    let bff = Bff::start().await;
    let feed = "Artikelnummer;Bezeichnung;Preis\n0001;Lampe;12,50\n0002;Tisch;99,00\n";
    let answer = bff.request("POST", "/api/import/suggestion").body(feed);
    let answer = crate::bff::send(answer).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let told = answer.json();
    assert_eq!(told["trial"]["products"], 2, "{told}");
    let parameters = told["parameters"].to_string();
    assert!(parameters.contains("[\"price\",\"Preis\"]"), "{parameters}");
    assert!(
        told["command"]
            .as_str()
            .expect("a command")
            .starts_with("catalogctl import FILE"),
        "{told}"
    );
}
