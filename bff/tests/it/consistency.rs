//! Writes answer `Catalog-Consistency`, reads take it, and `Catalog-Stale` says where it was not kept.

use std::time::Duration;

use serde_json::json;
use tonic::Code;

use crate::bff::{Answer, Bff, send};
use crate::command_peer::token;
use crate::peer::{Mode, product};

const TOKEN: &str = "catalog-consistency";
const STALE: &str = "catalog-stale";

const READS: [(&str, &str); 3] = [
    ("GetProduct", "/api/products/a"),
    ("BatchGetProducts", "/api/products?ids=a"),
    ("SearchProducts", "/api/products/search?q=Product"),
];

async fn read(bff: &Bff, path: &str, tokens: &[&str]) -> Answer {
    let mut request = bff.request("GET", path);
    for token in tokens {
        request = request.header(TOKEN, *token);
    }
    send(request).await
}

#[tokio::test]
async fn every_write_tells_its_token() {
    let bff = Bff::start().await;
    for (method, path, body, status, version) in [
        (
            "POST",
            "/api/products",
            r#"{"id":"a","title":"A","price":1}"#,
            201,
            1,
        ),
        ("PATCH", "/api/products/a", r#"{"title":"T"}"#, 200, 2),
        ("PATCH", "/api/products/a", r#"{"price":"1.50"}"#, 200, 3),
        ("PUT", "/api/products/a/price", r#"{"price":2}"#, 200, 4),
        (
            "PUT",
            "/api/products/a/price",
            r#"{"price_minor":3}"#,
            200,
            5,
        ),
        ("DELETE", "/api/products/a", "", 204, 6),
    ] {
        let answer = bff.json(method, path, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        let expected = token("a", version);
        assert_eq!(answer.header(TOKEN), Some(expected.as_str()), "{method}");
    }
    let refused = bff.json("DELETE", "/api/products/a", "").await;
    assert_eq!((refused.status, refused.header(TOKEN)), (404, None));
}

#[tokio::test]
async fn tokens_reach_the_read_side() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    for (method, path) in READS {
        let answer = read(&bff, path, &["t-1, t_2", "t3", ""]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header(STALE), None);
        let call = bff.peer.take_calls().remove(0);
        assert_eq!(call.method, method);
        let expected = r#"consistency_tokens: ["t-1", "t_2", "t3"]"#;
        assert!(call.message.contains(expected), "{call:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_a_bad_request() {
    let bff = Bff::start().await;
    let many = vec!["t"; 101].join(",");
    let detail = "Catalog-Consistency is at most 100 tokens, separated by commas, \
                  each as the answer to a write gave it";
    for (_, path) in READS {
        for bad in ["two words", "a;b", "\"quoted\"", "%41", &many] {
            let answer = read(&bff, path, &["t", bad]).await;
            assert_eq!(answer.problem(400), detail, "{path} {bad}");
        }
    }
    assert!(bff.peer.take_calls().is_empty());

    // One that only the read side can tell from a good one.
    let violation = (
        "consistency_tokens[1]".to_owned(),
        "entry 0 is forged".to_owned(),
    );
    let status = service_kit::status(Code::InvalidArgument, "INVALID", "bad", [violation]);
    bff.peer.set(Mode::Fail(status));
    for (_, path) in READS {
        let answer = read(&bff, path, &["t"]).await;
        let detail = "Catalog-Consistency: entry 0 is forged";
        assert_eq!(answer.problem(400), detail, "{path}");
    }
}

#[tokio::test]
async fn a_stale_answer_says_so() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    bff.peer.set_stale(true);
    for (_, path) in READS {
        let answer = read(&bff, path, &["t"]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header(STALE), Some("true"), "{path}");
    }
    let batch = read(&bff, READS[1].1, &["t"]).await.json();
    assert_eq!(batch["stale"], json!(true));
    let search = read(&bff, READS[2].1, &["t"]).await.json();
    assert_eq!(search["stale"], json!(true));
    let one = read(&bff, READS[0].1, &["t"]).await;
    assert_eq!(one.header("etag"), Some("\"1\""));
    assert!(one.json().get("stale").is_none(), "a product is a product");

    let request = bff.request("GET", "/api/products/a");
    let answer = send(request.header("if-none-match", "\"1\"").header(TOKEN, "t")).await;
    assert_eq!((answer.status, answer.body.as_str()), (304, ""));
    assert_eq!(answer.header(STALE), Some("true"));
    assert_eq!(answer.header("etag"), Some("\"1\""));

    let missing = read(&bff, "/api/products/new", &["t"]).await;
    assert_eq!(missing.problem(404), "Product not found");
    assert_eq!(missing.header(STALE), Some("true"), "perhaps not yet there");

    bff.peer.set_stale(false);
    let missing = read(&bff, "/api/products/new", &["t"]).await;
    assert_eq!((missing.status, missing.header(STALE)), (404, None));
    let batch = read(&bff, READS[1].1, &["t"]).await.json();
    assert!(batch.get("stale").is_none());
}

#[tokio::test]
async fn a_read_with_tokens_has_the_time_to_wait() {
    let bff = Bff::start_with(|config| {
        config.get_deadline = Duration::from_secs(3);
        config.batch_deadline = Duration::from_secs(3);
        config.search_deadline = Duration::from_secs(3);
    })
    .await;
    bff.peer.put(product("a"));
    for (_, path) in READS {
        read(&bff, path, &[]).await;
        read(&bff, path, &["t"]).await;
        let calls = bff.peer.take_calls();
        let told: Vec<_> = calls.iter().map(|call| timeout(&call.metadata)).collect();
        assert_eq!(told, ["3000000u", "3250000u"], "{path}");
    }
}

fn timeout(metadata: &tonic::metadata::MetadataMap) -> String {
    let timeout = metadata.get("grpc-timeout").expect("a deadline");
    timeout.to_str().expect("ASCII").to_owned()
}
