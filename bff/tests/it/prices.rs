//! Prices that are stated with a currency, and prices in the currency that the product has.

use serde_json::json;

use crate::bff::Bff;
use crate::peer::product;

#[tokio::test]
async fn a_price_with_a_currency_is_written_at_once() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let put = async |body: &str| bff.json("PUT", "/api/products/a/price", body).await;
    let answer = put(r#"{"price":1500,"currency":"JPY"}"#).await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"2\"")));
    let changed = answer.json();
    assert_eq!(
        (&changed["price_minor"], &changed["currency"]),
        (&json!(1500), &json!("JPY"))
    );
    let changed = put(r#"{"price_minor":7}"#).await.json();
    assert_eq!(
        (&changed["price_minor"], &changed["currency"]),
        (&json!(7), &json!("JPY"))
    );
    let methods: Vec<_> = bff
        .peer
        .take_calls()
        .iter()
        .map(|call| call.method)
        .collect();
    assert_eq!(methods, ["ChangePrice", "ChangePrice"]);
}

#[tokio::test]
async fn a_price_without_a_currency_is_in_that_of_the_product() {
    let bff = Bff::start().await;
    let put = async |currency: &str, method: &str, path: &str, body: &str| {
        bff.peer.put(catalog_proto::v1::Product {
            currency: currency.to_owned(),
            ..product("a")
        });
        let answer = bff.json(method, path, body).await;
        match answer.status {
            200 => bff
                .peer
                .product("a")
                .expect("stored")
                .price_minor
                .to_string(),
            _ => answer.pointers().join(" "),
        }
    };
    let (price, whole) = ("/api/products/a/price", "/api/products/a");
    assert_eq!(put("USD", "PUT", price, r#"{"price":500}"#).await, "50000");
    assert_eq!(put("JPY", "PUT", price, r#"{"price":500}"#).await, "500");
    assert_eq!(
        put("KWD", "PUT", price, r#"{"price":1.234,"currency":""}"#).await,
        "1234"
    );
    assert_eq!(
        put("USD", "PUT", price, r#"{"price":1.234}"#).await,
        "/price"
    );
    assert_eq!(
        put("JPY", "PATCH", whole, r#"{"price":500,"title":"T"}"#).await,
        "500"
    );
    assert_eq!(
        put("JPY", "PATCH", whole, r#"{"price":0.5}"#).await,
        "/price"
    );
}

/// The two routes that take a price without its currency.
const ROUTES: [(&str, &str); 2] = [
    ("PUT", "/api/products/a/price"),
    ("PATCH", "/api/products/a"),
];

#[tokio::test]
async fn too_many_decimals_are_refused_at_the_price() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    for (method, path) in ROUTES {
        let answer = bff.json(method, path, r#"{"price":19.999}"#).await;
        assert_eq!(answer.pointers(), ["/price"], "{method}");
        let detail = "a price in USD has at most 2 decimals";
        assert_eq!(answer.json()["errors"][0]["detail"], detail, "{method}");
    }
    assert_eq!(bff.peer.product("a"), Some(product("a")), "untouched");
}

#[tokio::test]
async fn a_price_needs_no_read_side() {
    // Nobody listens there.
    let bff = Bff::start_with(|config| {
        config.catalog_grpc_target = "http://127.0.0.1:1".parse().expect("a target");
    })
    .await;
    for (method, path) in ROUTES {
        bff.peer.put(in_yen());
        let answer = bff.json(method, path, r#"{"price":5}"#).await;
        assert_eq!(answer.status, 200, "{method} {answer:?}");
        assert_eq!(answer.json()["price_minor"], 5, "{method}");
        assert_eq!(answer.json()["currency"], "JPY", "{method}");
    }
    assert_eq!(bff.get("/api/products/a").await.status, 503);
}

#[tokio::test]
async fn a_read_side_that_lags_is_not_asked_for_the_currency() {
    let bff = Bff::start().await;
    for (method, path) in ROUTES {
        bff.peer.put(in_yen());
        // The read side has not heard of the product, then not of its change to yen.
        bff.peer.lag(None);
        bff.peer.lag(Some(product("a")));
        let answer = bff.json(method, path, r#"{"price":500}"#).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["price_minor"], 500, "{method}");
        assert_eq!(answer.json()["currency"], "JPY", "{method}");
    }
    let calls = bff.peer.take_calls();
    let methods: Vec<_> = calls.iter().map(|call| call.method).collect();
    assert_eq!(methods, ["ChangePrice", "UpdateProduct"]);
}

#[tokio::test]
async fn a_read_side_that_stays_behind_makes_no_wrong_price() {
    let bff = Bff::start().await;
    bff.peer.put(in_yen());
    for _ in 0..3 {
        bff.peer.lag(Some(product("a")));
    }
    let answer = bff
        .json("PUT", "/api/products/a/price", r#"{"price":500}"#)
        .await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"3\"")));
    let stored = bff.peer.product("a").expect("stored");
    assert_eq!((stored.price_minor, stored.currency.as_str()), (500, "JPY"));
}

/// An older write service does not know the decimal text and would read a price of 0.
#[tokio::test]
async fn a_write_service_that_does_not_know_the_text_would_refuse() {
    let bff = Bff::start().await;
    for (method, path) in ROUTES {
        bff.peer.put(product("a"));
        bff.json(method, path, r#"{"price":5}"#).await;
    }
    let calls = bff.peer.take_calls();
    assert!(calls[0].message.contains("price_minor: -1"), "{calls:?}");
    assert!(
        calls[1].message.contains(r#"paths: ["price"]"#),
        "{calls:?}"
    );
}

fn in_yen() -> catalog_proto::v1::Product {
    catalog_proto::v1::Product {
        currency: "JPY".to_owned(),
        version: 2,
        ..product("a")
    }
}
