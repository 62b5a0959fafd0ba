//! What the description says of bodies, against what is accepted.

use serde_json::{Value, json};

use crate::bff::Bff;
use crate::peer::product;

const UUID: &str = "0198c5d2-0000-7000-8000-000000000000";

/// The operations with a body of JSON whose members are all named, each with its schema.
fn bodies(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let content = &operation["requestBody"]["content"]["application/json"]["schema"];
            let schema = resolved(document, content);
            if schema["example"].is_object() {
                let is_named = ["/api/products", "/api/search-rules"]
                    .iter()
                    .any(|named| path.starts_with(named));
                let path = path.replace("{id}", if is_named { "a" } else { UUID });
                found.push((method.to_uppercase(), path, schema));
            }
        }
    }
    found
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let named = schema["$ref"].as_str().map(|name| name.replace('#', ""));
    named.map_or(schema, |name| document.pointer(&name).expect("a schema"))
}

/// Whether a schema passes null; one that says nothing of types does.
fn takes_null(schema: &Value) -> bool {
    let is_null = |it: &Value| it == "null" || it["type"] == "null";
    match (&schema["type"], &schema["oneOf"], &schema["$ref"]) {
        (Value::Array(types), ..) => types.iter().any(is_null),
        (_, Value::Array(schemas), _) => schemas.iter().any(is_null),
        (types, _, named) => types.is_null() && named.is_null(),
    }
}

#[tokio::test]
async fn a_member_may_be_null_where_the_description_says_so() {
    let bff = Bff::start().await;
    let document = bff.get("/api/openapi.json").await.json();
    let mut checked = 0;
    for (method, path, schema) in bodies(&document) {
        for (name, member) in schema["properties"].as_object().expect("members") {
            bff.peer.put(product("a"));
            let mut body = schema["example"].clone();
            if name == "price" && path == "/api/products"
                || method == "PUT" && path == "/api/products/a"
            {
                // A product has one of both.
                body["price_minor"] = json!(1);
                body["price"] = Value::Null;
            }
            body["id"] = Value::Null;
            body.as_object_mut().expect("an object").remove("id");
            body[name] = Value::Null;
            let answer = bff.json(&method, &path, &body.to_string()).await;
            let place = format!("/{name}");
            let is_refused = answer.status == 422 && answer.pointers().contains(&place);
            let shown = format!("{method} {path} {body}: {}", answer.body);
            if name == "price_minor" && body["price"].is_null() {
                continue;
            }
            assert_eq!(is_refused, !takes_null(member), "{shown}");
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[tokio::test]
async fn a_change_of_nothing_is_refused_as_the_description_says() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let document = bff.get("/api/openapi.json").await.json();
    for (path, name) in [
        ("/api/products/a", "ProductPatch"),
        (&*format!("/api/webhooks/{UUID}"), "WebhookChange"),
    ] {
        let schema = &document["components"]["schemas"][name];
        assert_eq!(schema["minProperties"], 1, "{name}");
        assert_eq!(
            bff.json("PATCH", path, "{}").await.pointers(),
            [""],
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_highest_price_is_the_one_that_the_description_states() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let document = bff.get("/api/openapi.json").await.json();
    for (method, path, name) in [
        ("POST", "/api/products", "NewProduct"),
        ("PUT", "/api/products/a", "NewProduct"),
        ("PATCH", "/api/products/a", "ProductPatch"),
        ("PUT", "/api/products/a/price", "PriceChange"),
    ] {
        let schema = &document["components"]["schemas"][name]["properties"]["price_minor"];
        assert_eq!(
            schema["maximum"],
            json!(9_007_199_254_740_992_i64),
            "{name}"
        );
        let title = if name == "NewProduct" {
            "\"title\":\"T\","
        } else {
            ""
        };
        let send = async |minor: &str| {
            let body = format!("{{{title}\"price_minor\":{minor}}}");
            bff.json(method, path, &body).await
        };
        for highest in [
            "9007199254740992",
            "9007199254740992.0",
            "900719925474099.2e1",
        ] {
            let written = send(highest).await;
            if written.status == 502 {
                // The peer puts nothing, and was asked to.
                assert_eq!((method, path), ("PUT", "/api/products/a"));
                continue;
            }
            let written = written.json();
            let minor = &written["price_minor"];
            assert_eq!(
                minor,
                &json!(9_007_199_254_740_992_i64),
                "{method} {path} {highest}"
            );
        }
        let pointers = send("9007199254740993").await.pointers();
        assert_eq!(pointers, ["/price_minor"], "{method} {path}");
    }
}
