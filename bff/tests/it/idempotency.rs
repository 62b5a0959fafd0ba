//! `Idempotency-Key`: a write that is sent again under its key is answered again and done once.

use serde_json::json;

use crate::bff::{Answer, Bff, send};
use crate::peer::product;

async fn write(bff: &Bff, method: &str, path: &str, body: &str, key: &str) -> Answer {
    let request = bff
        .request(method, path)
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    send(request.body(body.to_owned())).await
}

#[tokio::test]
async fn a_write_that_is_sent_again_is_answered_again() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    for (method, path, body) in [
        ("POST", "/api/products", r#"{"title":"New","price":1}"#),
        ("PATCH", "/api/products/a", r#"{"title":"T"}"#),
        ("PUT", "/api/products/a/price", r#"{"price_minor":7}"#),
        ("PATCH", "/api/products/a", r#"{"price":1.5,"brand":"B"}"#),
        ("PUT", "/api/products/a/price", r#"{"price":"2.50"}"#),
        ("DELETE", "/api/products/a", ""),
    ] {
        let key = format!("{method} {body}").replace(' ', "-");
        let first = write(&bff, method, path, body, &key).await;
        assert!(matches!(first.status, 200 | 201 | 204), "{first:?}");
        let before = bff.peer.product("a");
        let again = write(&bff, method, path, body, &key).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        for header in ["location", "etag", "catalog-consistency"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
        assert_eq!(bff.peer.product("a"), before, "nothing happened");
    }
    assert!(bff.peer.product("generated-3").is_none(), "created once");
}

/// The write service makes minor units of the price: neither a later version, nor another currency,
/// nor the end of the product may turn a repetition into another write.
#[tokio::test]
async fn a_price_without_a_currency_is_repeated_whatever_became_of_the_product() {
    let bff = Bff::start().await;
    for (method, path, body) in [
        ("PUT", "/api/products/a/price", r#"{"price":5}"#),
        ("PATCH", "/api/products/a", r#"{"price":5,"title":"T"}"#),
    ] {
        bff.peer.put(product("a"));
        let first = write(&bff, method, path, body, method).await;
        assert_eq!(first.status, 200, "{first:?}");
        assert_eq!(first.json()["price_minor"], json!(500));

        let yen = r#"{"price":700,"currency":"JPY"}"#;
        let other = bff.json("PUT", "/api/products/a/price", yen).await;
        assert_eq!(other.header("etag"), Some("\"3\""));
        let again = write(&bff, method, path, body, method).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        let stored = bff.peer.product("a").expect("stored");
        assert_eq!((stored.price_minor, stored.version), (700, 3));

        let delete = bff.json("DELETE", "/api/products/a", "").await;
        assert_eq!(delete.status, 204);
        bff.peer.take_calls();
        let again = write(&bff, method, path, body, method).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(bff.peer.take_calls().len(), 1, "nothing was read");
    }
}

#[tokio::test]
async fn a_repetition_comes_before_if_match() {
    let bff = Bff::start().await;
    for (method, path, body) in [
        ("PUT", "/api/products/a/price", r#"{"price":5}"#),
        ("PATCH", "/api/products/a", r#"{"title":"T"}"#),
    ] {
        bff.peer.put(product("a"));
        let send_with = async |tag: &str, key: &str| {
            let request = bff
                .request(method, path)
                .header("content-type", "application/json")
                .header("if-match", tag)
                .header("idempotency-key", key);
            send(request.body(body)).await
        };
        let first = send_with("\"1\"", method).await;
        let again = send_with("\"1\"", method).await;
        assert_eq!((again.status, &again.body), (200, &first.body), "{again:?}");
        // The version is part of what was asked.
        let other = send_with("\"2\"", method).await;
        other.problem(422);
        let fresh = send_with("\"1\"", "another").await;
        let detail = "Product is not at the version of If-Match";
        assert_eq!(fresh.problem(412), detail);
    }
}

#[tokio::test]
async fn another_request_under_the_key_is_invalid() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let price = "/api/products/a/price";
    let first = write(&bff, "PUT", price, r#"{"price":5}"#, "k").await;
    assert_eq!(first.status, 200);
    for (method, path, body) in [
        ("PUT", price, r#"{"price":6}"#),
        ("PUT", price, r#"{"price_minor":500}"#),
        ("PATCH", "/api/products/a", r#"{"price":5}"#),
        ("POST", "/api/products", r#"{"title":"New","price":5}"#),
        ("DELETE", "/api/products/a", ""),
    ] {
        let answer = write(&bff, method, path, body, "k").await;
        let detail = "Idempotency-Key was used for another request";
        assert_eq!(answer.problem(422), detail, "{method} {body}");
    }
    assert_eq!(bff.peer.product("a").expect("stored").version, 2);
}

#[tokio::test]
async fn a_key_is_bounded_and_visible() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let detail = "Idempotency-Key is 1 to 255 visible ASCII characters";
    for bad in ["", "two words", "caf\u{e9}", &"x".repeat(256)] {
        for (method, path, body) in [
            ("POST", "/api/products", r#"{"title":"New","price":1}"#),
            ("PATCH", "/api/products/a", r#"{"title":"T"}"#),
            ("PUT", "/api/products/a/price", r#"{"price":5}"#),
            ("DELETE", "/api/products/a", ""),
        ] {
            let answer = write(&bff, method, path, body, bad).await;
            assert_eq!(answer.problem(422), detail, "{method} {bad:?}");
        }
    }
    let twice = bff
        .request("DELETE", "/api/products/a")
        .header("idempotency-key", "k")
        .header("idempotency-key", "k");
    assert_eq!(send(twice).await.problem(422), detail);
    assert!(bff.peer.take_calls().is_empty());

    let longest = "\"".repeat(255);
    let deleted = write(&bff, "DELETE", "/api/products/a", "", &longest).await;
    assert_eq!(deleted.status, 204);
    let message = bff.peer.take_calls().remove(0).message;
    assert!(message.contains(&format!("request_id: {longest:?}")));
}
