//! A product's history, and the product as it was.

use catalog_proto::v1::{ChangeType, Product, ProductChange};
use serde_json::json;

use crate::bff::{Bff, send};
use crate::peer::product;

/// The history of a product that is created at second 10, cheaper at 20 and deleted at 30.
fn life() -> Vec<ProductChange> {
    let change = |version: i64, kind: ChangeType, product: Option<Product>| ProductChange {
        version,
        r#type: kind.into(),
        occurred_at: Some(prost_types::Timestamp {
            seconds: version * 10,
            nanos: 0,
        }),
        actor: "jane".to_owned(),
        event_id: format!("event-{version}"),
        position: version * 100,
        product,
        ..Default::default()
    };
    vec![
        change(3, ChangeType::Deleted, None),
        ProductChange {
            changed_fields: vec!["price".to_owned()],
            previous_price_minor: Some(2999),
            previous_currency: "USD".to_owned(),
            position: 0,
            ..change(
                2,
                ChangeType::PriceChanged,
                Some(Product {
                    version: 2,
                    ..product("a")
                }),
            )
        },
        change(1, ChangeType::Created, Some(product("a"))),
    ]
}

#[tokio::test]
async fn tells_what_happened_newest_first() {
    let bff = Bff::start().await;
    bff.peer.tell(life());
    bff.peer.put(product("a"));
    let history = bff.get("/api/products/a/history").await.json();
    let now = bff.get("/api/products/a").await.json();
    let [deleted, cheaper, created] = &history["items"].as_array().expect("items")[..] else {
        panic!("three items: {history}");
    };
    assert_eq!(history["next_before_version"], json!(null));
    assert_eq!(
        *deleted,
        json!({
            "version": 3, "type": "deleted", "occurred_at": "1970-01-01T00:00:30Z",
            "actor": "jane", "changed_fields": [], "previous_price": null, "product": null,
            "event_id": "event-3", "position": 300,
        })
    );
    assert_eq!(cheaper["type"], "price_changed");
    assert_eq!(cheaper["changed_fields"], json!(["price"]));
    let previous = json!({"price": 29.99, "price_minor": 2999, "currency": "USD"});
    assert_eq!(cheaper["previous_price"], previous);
    assert_eq!(cheaper["position"], 0);
    assert_eq!(created["type"], "created");
    assert_eq!(created["product"], now);

    let path = "/api/products/a/history?limit=1&before_version=3";
    let page = bff.get(path).await.json();
    assert_eq!(page["items"][0]["version"], 2);
    assert_eq!(page["next_before_version"], 2);
    let calls = bff.peer.take_calls();
    let expected = r#"GetProductHistoryRequest { id: "a", limit: 20, before_version: 0 }"#;
    assert_eq!(calls[0].message, expected);
}

#[tokio::test]
async fn a_page_out_of_bounds_is_invalid() {
    let bff = Bff::start().await;
    bff.peer.tell(life());
    let check = async |query: &str, pointers: &[&str]| {
        let answer = bff.get(&format!("/api/products/a/history?{query}")).await;
        assert_eq!(answer.pointers(), pointers, "{query}");
    };
    for limit in ["0", "-1", "101", "x", "", "1.0", "99999999999"] {
        check(&format!("limit={limit}"), &["/limit"]).await;
    }
    for version in ["0", "-1", "x", "", "9223372036854775808"] {
        let query = format!("before_version={version}");
        check(&query, &["/before_version"]).await;
    }
    check("limit=0&before_version=0", &["/limit", "/before_version"]).await;
    check("limit=1&limit=1", &["/limit"]).await;
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn who_never_was_has_no_history() {
    let bff = Bff::start().await;
    for path in ["/api/products/nope/history", "/api/products/a.b/history"] {
        assert_eq!(bff.get(path).await.problem(404), "Product not found");
    }
    let answer = bff.json("POST", "/api/products/a/history", "{}").await;
    assert_eq!(answer.problem(405), "Method not allowed");
}

#[tokio::test]
async fn gives_the_product_as_it_was() {
    let bff = Bff::start().await;
    bff.peer.tell(life());
    let get = async |query: &str| bff.get(&format!("/api/products/a?{query}")).await;
    for (query, version) in [
        ("as_of_version=1", 1),
        ("as_of_version=2", 2),
        ("as_of=1970-01-01T00:00:10Z", 1),
        ("as_of=1970-01-01T00:00:19.999999Z", 1),
        ("as_of=1970-01-01T02:00:20%2B02:00", 2),
        // As a client sends it that forgets to escape.
        ("as_of=1970-01-01T02:00:29+02:00", 2),
    ] {
        let answer = get(query).await;
        assert_eq!(answer.status, 200, "{query} {answer:?}");
        assert_eq!(answer.json()["version"], version, "{query}");
        let etag = format!("\"{version}\"");
        assert_eq!(answer.header("etag"), Some(etag.as_str()), "{query}");
    }
    for query in [
        "as_of_version=3",
        "as_of_version=4",
        "as_of=1970-01-01T00:00:09Z",
        "as_of=9999-12-31T23:59:59Z",
    ] {
        assert_eq!(
            get(query).await.problem(404),
            "Product not found",
            "{query}"
        );
    }
    let methods = bff.peer.take_calls().into_iter().map(|call| call.method);
    assert_eq!(methods.collect::<Vec<_>>(), ["GetProductAsOf"; 10]);

    let request = bff.request("GET", "/api/products/a?as_of_version=1");
    let answer = send(request.header("if-none-match", "\"1\"")).await;
    assert_eq!((answer.status, answer.header("etag")), (304, Some("\"1\"")));
}

#[tokio::test]
async fn a_moment_that_is_none_is_invalid() {
    let bff = Bff::start().await;
    let check = async |query: &str, pointers: &[&str]| {
        let answer = bff.get(&format!("/api/products/a?{query}")).await;
        assert_eq!(answer.pointers(), pointers, "{query}");
    };
    for version in ["0", "-1", "x", "", "1.0", "9223372036854775808"] {
        check(&format!("as_of_version={version}"), &["/as_of_version"]).await;
    }
    for time in [
        "",
        "yesterday",
        "2026-01-31",
        "2026-02-31T00:00:00Z",
        "2026-01-31T12:00:00",
        "1769860800",
        "99999-01-01T00:00:00Z",
    ] {
        check(&format!("as_of={time}"), &["/as_of"]).await;
    }
    let both = "as_of=2026-01-31T12:00:00Z&as_of_version=1";
    check(both, &["/as_of"]).await;
    check("as_of_version=1&as_of_version=1", &["/as_of_version"]).await;
    assert!(bff.peer.take_calls().is_empty());
}
