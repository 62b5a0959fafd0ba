//! The routes that read products.

use serde_json::json;

use crate::bff::{Bff, send};
use crate::peer::product;

#[tokio::test]
async fn health_answers_without_an_upstream() {
    let bff = Bff::start().await;
    let answer = bff.get("/api/health").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn a_product_has_all_members_and_its_version_as_etag() {
    let bff = Bff::start().await;
    bff.peer.put(product("a-1"));
    let answer = bff.get("/api/products/a-1").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.body,
        concat!(
            r#"{"id":"a-1","title":"Product a-1","description":"A thing","price":19.99,"#,
            r#""currency":"USD","image_url":"https://example.org/a.png","price_minor":1999,"#,
            r#""brand":null,"sku":null,"gtins":[],"categories":[],"attributes":{},"#,
            r#""status":"active","version":1,"created_at":"1970-01-01T00:00:00Z","#,
            r#""updated_at":"1970-01-01T00:00:00Z"}"#,
        )
    );
}

#[tokio::test]
async fn an_absent_image_is_null() {
    let bff = Bff::start().await;
    bff.peer.put(catalog_proto::v1::Product {
        image_url: String::new(),
        ..product("a")
    });
    assert_eq!(
        bff.get("/api/products/a").await.json()["image_url"],
        json!(null)
    );
}

#[tokio::test]
async fn an_unknown_product_is_not_found() {
    let bff = Bff::start().await;
    assert_eq!(
        bff.get("/api/products/nope").await.problem(404),
        "Product not found"
    );
    assert_eq!(bff.peer.take_calls().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_an_id_is_not_found_without_asking() {
    let bff = Bff::start().await;
    let long = "x".repeat(65);
    for id in [
        "a.b", "*", "%3E", "a%2Fb", "%00", "%ff", "%C0%AF", "%zz", "a%20b", &long,
    ] {
        let answer = bff.get(&format!("/api/products/{id}")).await;
        assert_eq!(answer.problem(404), "Product not found", "{id}");
    }
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn a_version_that_the_client_holds_is_not_sent_again() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let ask = |tag: &'static str| {
        bff.request("GET", "/api/products/a")
            .header("if-none-match", tag)
    };
    for tag in ["\"1\"", "W/\"1\"", "*", "\"9\", \"1\""] {
        let answer = send(ask(tag)).await;
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{tag}");
        assert_eq!(answer.header("etag"), Some("\"1\""), "{tag}");
    }
    for tag in ["\"2\"", "1", "\"x\""] {
        assert_eq!(send(ask(tag)).await.status, 200, "{tag}");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let answer = send(bff.request("HEAD", "/api/products/a")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let length = bff.get("/api/products/a").await.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(length.as_str()));
    let answer = send(bff.request("HEAD", "/api/products/nope")).await;
    assert_eq!((answer.status, answer.body.as_str()), (404, ""));
}

#[tokio::test]
async fn a_batch_keeps_the_order_asked_and_names_the_missing() {
    let bff = Bff::start().await;
    for id in ["a", "b", "c"] {
        bff.peer.put(product(id));
    }
    let path = "/api/products?ids=c&ids=x&ids=a&ids=c&ids=not%20an%20id&ids=";
    let answer = bff.get(path).await.json();
    let items = answer["items"].as_array().expect("items");
    let ids: Vec<_> = items
        .iter()
        .map(|item| item["id"].as_str().expect("id"))
        .collect();
    assert_eq!(ids, ["c", "a"]);
    assert_eq!(answer["missing"], json!(["x", "not an id"]));
    let calls = bff.peer.take_calls();
    assert_eq!(
        calls[0].message,
        concat!(
            r#"BatchGetProductsRequest { ids: ["c", "x", "a"], consistency_tokens: [], "#,
            "consistency_wait_ms: 0 }"
        )
    );
}

#[tokio::test]
async fn a_batch_of_no_possible_ids_asks_nobody() {
    let bff = Bff::start().await;
    let answer = bff.get("/api/products?ids=.&ids=*").await;
    assert_eq!(answer.body, r#"{"items":[],"missing":[".","*"]}"#);
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn a_batch_is_of_1_to_100_ids() {
    let bff = Bff::start().await;
    let ids = |count: usize| format!("/api/products?{}", vec!["ids=a"; count].join("&"));
    assert_eq!(bff.get(&ids(100)).await.status, 200);
    assert_eq!(bff.get(&ids(101)).await.pointers(), ["/ids"]);
    assert_eq!(bff.get("/api/products?ids=").await.pointers(), ["/ids"]);
    assert_eq!(
        bff.get("/api/products?ids=a&limit=1").await.pointers(),
        ["/limit"]
    );
    assert_eq!(bff.get("/api/products?id=a").await.pointers(), ["/id"]);
}

#[tokio::test]
async fn a_search_passes_its_words_on_and_names_its_strategy() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let answer = bff.get("/api/products/search?q=Product").await.json();
    assert_eq!(answer["items"][0]["id"], "a");
    assert_eq!(
        (&answer["strategy"], &answer["degraded"]),
        (&json!("hybrid"), &json!(false))
    );

    let answer = bff
        .get("/api/products/search?q=none&strategy=vector&limit=1")
        .await;
    let plain = r#"{"items":[],"strategy":"keyword","degraded":true,"total":0,"#;
    assert_eq!(answer.body, format!(r#"{plain}"next_page_token":null}}"#));

    bff.get("/api/products/search?q=%28%22a%20%26+b&strategy=keyword&limit=100")
        .await;
    let calls = bff.peer.take_calls();
    let messages: Vec<_> = calls.iter().map(|call| call.message.as_str()).collect();
    let expected = |query: &str, limit: i32, strategy: &str| {
        let query = format!("{query:?}");
        format!(
            "SearchProductsRequest {{ query: {query}, limit: {limit}, strategy: {strategy}, \
             consistency_tokens: [], consistency_wait_ms: 0, filter: None, facets: [], \
             sort: Unspecified, page_token: \"\", explain: false, why_not: \"\", \
             ranking_profile: \"\", highlight: false, verbatim: false, budget_ms: 0, \
             match_mode: Unspecified, prefix: Unspecified, untracked: false, auto_facets: 0, \
             discontinued: Unspecified, highlight_utf16: false, \
             draft_rules: [], forced_filter: None }}"
        )
    };
    assert_eq!(
        messages,
        [
            expected("Product", 20, "Unspecified"),
            expected("none", 1, "Vector"),
            expected("(\"a & b", 100, "Keyword"),
        ]
    );
}

#[tokio::test]
async fn a_search_out_of_bounds_is_invalid() {
    let bff = Bff::start().await;
    let check = async |query: &str, pointers: &[&str]| {
        let answer = bff.get(&format!("/api/products/search{query}")).await;
        assert_eq!(answer.pointers(), pointers, "{query}");
    };
    for query in ["", "?q=", "?q=+%09", "?limit=5", "?q=a&q=b"] {
        check(query, &["/q"]).await;
    }
    check("?Q=a", &["/Q", "/q"]).await;
    check(&format!("?q={}", "x".repeat(1001)), &["/q"]).await;
    check(&format!("?q={}", "(".repeat(16_000)), &["/q"]).await;
    for limit in [
        "0",
        "-1",
        "101",
        "1000000",
        "99999999999999999999",
        "x",
        "",
        "1.0",
        "5&limit=5",
    ] {
        check(&format!("?q=a&limit={limit}"), &["/limit"]).await;
    }
    for strategy in ["", "VECTOR", "magic"] {
        check(&format!("?q=a&strategy={strategy}"), &["/strategy"]).await;
    }
    check("?q=&limit=0&strategy=x", &["/q", "/limit", "/strategy"]).await;
    assert!(bff.peer.take_calls().is_empty());
    assert_eq!(
        bff.get(&format!("/api/products/search?q={}", "x".repeat(1000)))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_trace_and_the_actor_reach_the_upstream() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = bff
        .request("GET", "/api/products/a")
        .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
        .header("catalog-actor", "jane@example.org");
    let answer = send(request).await;
    assert_eq!(answer.header("x-trace-id"), Some(trace_id));
    let call = bff.peer.take_calls().remove(0);
    let metadata = |name: &str| {
        call.metadata
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let traceparent = metadata("traceparent").expect("traceparent");
    assert!(
        traceparent.starts_with(&format!("00-{trace_id}-")),
        "{traceparent}"
    );
    assert!(
        !traceparent.contains("00f067aa0ba902b7"),
        "the span is the BFF's: {traceparent}"
    );
    assert_eq!(metadata("catalog-actor"), Some("jane@example.org"));
    assert!(metadata("grpc-timeout").is_some());

    let request = bff
        .request("GET", "/api/products/a")
        .header("catalog-actor", "two words");
    let detail = send(request).await.problem(422);
    assert_eq!(detail, "Catalog-Actor is 1 to 100 visible ASCII characters");
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn a_product_is_told_in_the_words_of_pages_too() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let linked = async |tag: &str| {
        let request = bff.request("GET", "/api/products/a");
        let request = request.header("accept", "text/html, application/ld+json;q=0.9");
        send(request.header("if-none-match", tag)).await
    };
    let answer = linked("\"1\"").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/ld+json"));
    assert_eq!(answer.json()["offers"]["price"], "19.99");
    let tag = answer.header("etag").expect("a tag").to_owned();
    assert_eq!(linked(&tag).await.status, 304);
    assert_eq!(
        bff.get("/api/products/a").await.header("etag"),
        Some("\"1\"")
    );
}
