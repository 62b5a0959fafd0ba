//! The routes that write products.

use serde_json::json;

use crate::bff::{Bff, send};
use crate::peer::product;

#[tokio::test]
async fn a_created_product_is_told_where_it_is() {
    let bff = Bff::start().await;
    let body = r#"{"id":"s-1","title":"Shoe","description":"Red","price":19.99,"currency":"EUR",
        "image_url":"https://example.org/s.png","brand":"Acme","sku":"S1","gtins":["4006381333931"],
        "categories":["Clothes","Shoes"],"status":"discontinued",
        "attributes":{"size":42.5,"colour":["red","blue"],"new":true,"none":null,
            "exact":9007199254740991,"serial":9007199254740993,"all":[1,-12345678901234567890]}}"#;
    let answer = bff.json("POST", "/api/products", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("location"), Some("/api/products/s-1"));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    let created = answer.json();
    let stated: serde_json::Value = serde_json::from_str(body).expect("JSON");
    for member in [
        "id",
        "title",
        "description",
        "price",
        "currency",
        "image_url",
        "brand",
        "sku",
    ] {
        assert_eq!(created[member], stated[member], "{member}");
    }
    for member in ["gtins", "categories", "status"] {
        assert_eq!(created[member], stated[member], "{member}");
    }
    assert_eq!(
        created["attributes"],
        json!({"size": 42.5, "colour": ["red", "blue"], "new": true, "exact": 9_007_199_254_740_991.0,
            "serial": "9007199254740993", "all": [1.0, "-12345678901234567890"]})
    );
    assert_eq!(bff.get("/api/products/s-1").await.json(), created);
}

#[tokio::test]
async fn only_a_title_and_a_price_are_required() {
    let bff = Bff::start().await;
    let body = r#"{"title":"Shoe","price":"0.29","image_url":null,"id":null,"currency":""}"#;
    let answer = bff.json("POST", "/api/products", body).await;
    assert_eq!(answer.header("location"), Some("/api/products/generated-1"));
    let created = bff.peer.product("generated-1").expect("stored");
    assert_eq!(
        (created.price_minor, created.currency.as_str()),
        (29, "USD")
    );

    assert_eq!(
        bff.json("POST", "/api/products", "{}").await.pointers(),
        ["/title", "/price"]
    );
    let nulls = r#"{"title":null,"price":null}"#;
    assert_eq!(
        bff.json("POST", "/api/products", nulls).await.pointers(),
        ["/title", "/price"]
    );
}

#[tokio::test]
async fn a_taken_id_conflicts() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let answer = bff
        .json(
            "POST",
            "/api/products",
            r#"{"id":"a","title":"A","price":1}"#,
        )
        .await;
    assert_eq!(answer.problem(409), "Product exists already");
}

#[tokio::test]
async fn a_merge_patch_changes_what_is_present_and_nothing_else() {
    let bff = Bff::start().await;
    let body = r#"{"id":"a","title":"A","description":"D","price":1,"brand":"B","sku":"S",
        "image_url":"https://example.org/a","gtins":["4006381333931"],"categories":["C"],
        "attributes":{"x.y":1,"keep":true}}"#;
    assert_eq!(bff.json("POST", "/api/products", body).await.status, 201);
    bff.peer.take_calls();

    let patch = r#"{"id":"a","title":"New","brand":null,"price_minor":5,
        "attributes":{"x.y":null,"z":["text",7,false,36893488147419103233]}}"#;
    let kind = "application/merge-patch+json; charset=utf-8";
    let request = bff
        .request("PATCH", "/api/products/a")
        .header("content-type", kind);
    let answer = send(request.body(patch)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let patched = answer.json();
    assert_eq!(patched["title"], "New");
    assert_eq!(patched["description"], "D");
    assert_eq!(patched["brand"], json!(null));
    assert_eq!(
        patched["attributes"],
        json!({"keep": true, "z": ["text", 7.0, false, "36893488147419103233"]})
    );
    let call = bff.peer.take_calls().remove(0).message;
    let mask = r#"paths: ["title", "brand", "attributes.x.y", "attributes.z", "price_minor"]"#;
    assert!(call.contains(mask), "{call}");
    assert!(call.contains("expected_version: None"), "{call}");

    let patch = r#"{"description":null,"image_url":null,"sku":null,"gtins":null,"categories":null,
        "attributes":null,"status":"discontinued","currency":"EUR"}"#;
    let answer = bff.json("PATCH", "/api/products/a", patch).await.json();
    assert_eq!(answer["description"], "");
    assert_eq!(
        (&answer["image_url"], &answer["sku"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(
        (&answer["gtins"], &answer["categories"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        (&answer["attributes"], &answer["status"]),
        (&json!({}), &json!("discontinued"))
    );
    assert_eq!(
        (&answer["price_minor"], &answer["currency"]),
        (&json!(5), &json!("EUR"))
    );
    assert_eq!(bff.peer.take_calls().len(), 1);
}

#[tokio::test]
async fn an_unknown_product_cannot_be_written() {
    let bff = Bff::start().await;
    for (method, path, body) in [
        ("PATCH", "/api/products/nope", r#"{"title":"A"}"#),
        ("PATCH", "/api/products/nope", r#"{"price":1}"#),
        ("PUT", "/api/products/nope/price", r#"{"price":1}"#),
        ("PUT", "/api/products/nope/price", r#"{"price_minor":1}"#),
        ("PUT", "/api/products/n%2Fo/price", r#"{"price":1}"#),
        ("DELETE", "/api/products/nope", ""),
        ("DELETE", "/api/products/a.b", ""),
    ] {
        let answer = bff.json(method, path, body).await;
        assert_eq!(answer.problem(404), "Product not found", "{method} {path}");
    }
}

#[tokio::test]
async fn a_deleted_product_is_gone() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let answer = send(bff.request("DELETE", "/api/products/a")).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(
        bff.get("/api/products/a").await.problem(404),
        "Product not found"
    );
    assert_eq!(
        send(bff.request("DELETE", "/api/products/a")).await.status,
        404
    );
}

/// Compares the pointers at the invalid members of a body. Nothing invalid reaches an upstream.
async fn check_invalid(bff: &Bff, (method, path): (&str, &str), body: &str, pointers: &[&str]) {
    let found = bff.json(method, path, body).await.pointers();
    assert_eq!(found, pointers, "{method} {body}");
    assert!(
        bff.peer.take_calls().is_empty(),
        "nothing invalid reaches an upstream"
    );
}

/// A BFF whose peer has the product `a`.
async fn with_product() -> Bff {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    bff
}

#[tokio::test]
async fn invalid_members_of_a_creation_are_all_named() {
    let bff = with_product().await;
    let route = ("POST", "/api/products");
    let with_title_and_price: [(&str, &[&str]); 13] = [
        (r#""id":"a.b""#, &["/id"]),
        (r#""id":7"#, &["/id"]),
        (r#""id":"search""#, &["/id"]),
        (r#""currency":"XXX""#, &["/currency"]),
        (r#""price_minor":100"#, &["/price_minor"]),
        (
            r#""description":1,"brand":[],"sku":{},"image_url":true"#,
            &["/description", "/brand", "/sku", "/image_url"],
        ),
        (
            r#""gtins":"x","categories":[1],"status":"gone""#,
            &["/gtins", "/categories/0", "/status"],
        ),
        (
            r#""attributes":{"a/b":{},"big":1e400,"ok":1,"list":["x",null,[]],"far":[1,-1e400]}"#,
            &[
                "/attributes/a~1b",
                "/attributes/big",
                "/attributes/list/1",
                "/attributes/far/1",
            ],
        ),
        (r#""gtins":["4006381333931",1]"#, &["/gtins/1"]),
        (r#""attributes":[]"#, &["/attributes"]),
        (r#""attributes":{"a":1,"a":2}"#, &["/attributes/a"]),
        (r#""version":1,"x~y":2"#, &["/version", "/x~0y"]),
        (r#""title":"twice""#, &["/title"]),
    ];
    for (member, pointers) in with_title_and_price {
        let body = format!(r#"{{"title":"T","price":1,{member}}}"#);
        check_invalid(&bff, route, &body, pointers).await;
    }
    let whole: [(&str, &[&str]); 2] = [
        (r#"{"title":"","price":-1}"#, &["/price", "/title"]),
        (r#"{"title":"\ud800","price":"1e3"}"#, &["/title", "/price"]),
    ];
    for (body, pointers) in whole {
        check_invalid(&bff, route, body, pointers).await;
    }
}

#[tokio::test]
async fn invalid_members_of_a_patch_are_all_named() {
    let cases: [(&str, &[&str]); 6] = [
        ("{}", &[""]),
        (r#"{"attributes":{}}"#, &[""]),
        (r#"{"id":"b","title":"T"}"#, &["/id"]),
        (
            r#"{"title":null,"status":null,"currency":null,"price":null}"#,
            &["/title", "/status", "/currency", "/price"],
        ),
        (r#"{"price":"1e3"}"#, &["/price"]),
        (r#"{"price":1,"price_minor":100}"#, &["/price_minor"]),
    ];
    let bff = with_product().await;
    for (body, pointers) in cases {
        check_invalid(&bff, ("PATCH", "/api/products/a"), body, pointers).await;
    }
}

#[tokio::test]
async fn invalid_members_of_a_price_are_all_named() {
    let cases: [(&str, &[&str]); 3] = [
        ("{}", &["/price"]),
        (r#"{"currency":"USD"}"#, &["/price"]),
        (r#"{"price":1,"title":"T"}"#, &["/title"]),
    ];
    let bff = with_product().await;
    for (body, pointers) in cases {
        check_invalid(&bff, ("PUT", "/api/products/a/price"), body, pointers).await;
    }
}
