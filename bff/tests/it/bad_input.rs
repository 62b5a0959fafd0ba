//! Bad requests: each is answered with a typed 4xx, none with a 5xx or a dropped connection.

use serde_json::{Value, json};

use crate::bff::{Bff, send};
use crate::peer::product;

const WRITES: [(&str, &str); 3] = [
    ("POST", "/api/products"),
    ("PATCH", "/api/products/a"),
    ("PUT", "/api/products/a/price"),
];

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let bff = Bff::start().await;
    let paths = [
        "/api",
        "/api/",
        "/api/products/",
        "/api/products/a/b",
        "/API/health",
        "/%00",
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            let answer = send(bff.request(method, path)).await;
            assert_eq!(answer.problem(404), "Not found", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let bff = Bff::start().await;
    for (path, allowed) in [
        ("/api/health", "GET,HEAD"),
        ("/api/products", "GET,HEAD,POST"),
        ("/api/products/search", "GET,HEAD"),
        ("/api/products/a", "DELETE,GET,HEAD,PATCH,PUT"),
        ("/api/products/a/price", "PUT"),
    ] {
        let options = send(bff.request("OPTIONS", path)).await;
        assert_eq!(options.status, 204, "{path}");
        let stated = options.header("allow").expect("Allow");
        let others = stated.split(", ").filter(|method| *method != "OPTIONS");
        assert_eq!(others.collect::<Vec<_>>().join(","), allowed, "{path}");
        for method in ["PROPFIND", "TRACE"] {
            let answer = send(bff.request(method, path)).await;
            assert_eq!(answer.problem(405), "Method not allowed", "{method} {path}");
            assert_eq!(answer.header("allow"), Some(stated), "{method} {path}");
        }
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        let answer = bff.json(method, "/api/products/search", "{}").await;
        let detail = "Method not allowed: the id search is reserved: /api/products/search is the search of \
            products, and no product";
        assert_eq!(answer.problem(405), detail, "{method}");
    }
    let body = r#"{"id":"search","title":"T","price":1}"#;
    let errors = bff.json("POST", "/api/products", body).await.json()["errors"].clone();
    let detail = "is reserved: /api/products/search is the search of products, and no product";
    assert_eq!(errors, json!([{"pointer": "/id", "detail": detail}]));
}

#[tokio::test]
async fn a_request_names_its_host_once() {
    let bff = Bff::start().await;
    let ask = async |version: &str, hosts: &str| {
        let head = format!("GET /api/health HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
        bff.raw(head.as_bytes()).await
    };
    for (version, hosts, detail) in [
        ("1.1", "", "The request has no Host header"),
        (
            "1.1",
            "host: a\r\nhost: a\r\n",
            "The request has more than one Host header",
        ),
        (
            "1.0",
            "host: a\r\nHost: b\r\n",
            "The request has more than one Host header",
        ),
    ] {
        let answer = ask(version, hosts).await;
        assert!(answer.contains(" 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains(detail), "{answer}");
    }
    for (version, hosts) in [("1.1", "host: a\r\n"), ("1.1", "host:\r\n"), ("1.0", "")] {
        let answer = ask(version, hosts).await;
        assert!(answer.contains(" 200 OK\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn the_instance_of_a_problem_is_a_reference() {
    let bff = Bff::start().await;
    for (path, instance) in [
        ("/api/products/%", "/api/products/%25"),
        ("/api/products/%zz%20", "/api/products/%25zz%20"),
        ("//other.example/a", "/.//other.example/a"),
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = bff.raw(head.as_bytes()).await;
        let expected = format!("\"instance\":\"{instance}\"");
        assert!(answer.contains(&expected), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_with_the_place() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let bodies: [&[u8]; 16] = [
        b"",
        b" ",
        b"{",
        b"{\"title\":\"T\"",
        b"{\"title\":\"T\",}",
        b"{\"title\":'T'}",
        b"{\"title\":\"T\"} {}",
        b"{\"price\":NaN}",
        b"{\"price\":Infinity}",
        b"{\"price\":01}",
        b"{\"price\":1.}",
        b"{\"title\":\"\n\"}",
        b"{\"title\":\"\\x\"}",
        b"\xef\xbb\xbf{\"title\":\"T\"}",
        b"{\"title\":\"\xff\"}",
        b"{\"title\":\"\xc0\xaf\"}",
    ];
    for (method, path) in WRITES {
        for body in bodies {
            let request = bff
                .request(method, path)
                .header("content-type", "application/json");
            let detail = send(request.body(body)).await.problem(400);
            let placed = detail.contains(" at line ") || detail.contains(" after byte ");
            assert!(
                placed,
                "{method} {:?}: {detail}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

#[tokio::test]
async fn json_that_is_no_product_is_invalid() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let deep = |open: &str, close: &str| open.repeat(10_000) + "1" + &close.repeat(10_000);
    let many: Vec<_> = (0..40_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let lists: Vec<_> = (0..40_000).map(|n| format!("\"k{n}\":[[]]")).collect();
    let bodies = [
        "null".to_owned(),
        "[]".to_owned(),
        "\"text\"".to_owned(),
        "1e400".to_owned(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("{{\"attributes\":{{\"x\":{}}}}}", deep("[", "]")),
        format!("{{\"gtins\":{}}}", deep("[", "]")),
        format!("{{\"title\":{}}}", deep("{\"a\":", "}")),
        format!("{{\"price\":{}}}", deep("[", "]")),
        "{\"price\":1e400}".to_owned(),
        "{\"price\":9223372036854775808}".to_owned(),
        "{\"price_minor\":9223372036854775808}".to_owned(),
        format!("{{\"price\":{}}}", "9".repeat(100_000)),
        format!("{{\"price\":0.{}1}}", "0".repeat(100_000)),
        "{\"price\":-0.01}".to_owned(),
        "{\"price\":0.001,\"currency\":\"USD\"}".to_owned(),
        "{\"price\":1,\"currency\":\"💶\"}".to_owned(),
        "{\"title\":\"\\ud800\"}".to_owned(),
        "{\"\\ud800\":1}".to_owned(),
        "{\"title\":\"a\",\"title\":\"b\"}".to_owned(),
        "{\"__proto__\":{}}".to_owned(),
        format!("{{\"{}\":1}}", "k".repeat(100_000)),
        format!("{{{}}}", many.join(",")),
        format!("{{\"attributes\":{{{}}}}}", lists.join(",")),
    ];
    for (method, path) in WRITES {
        for body in &bodies {
            let answer = bff.json(method, path, body).await;
            let shown: String = body.chars().take(80).collect();
            assert!(!answer.pointers().is_empty(), "{method} {shown}");
            assert!(answer.body.len() < 16_384, "{method} {shown}");
        }
    }
}

#[tokio::test]
async fn another_content_type_is_unsupported() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    for (method, path) in WRITES {
        let send_as = async |kind: Option<&str>, encoding: Option<&str>| {
            let mut request = bff
                .request(method, path)
                .body("{\"title\":\"T\",\"price\":1}");
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            if let Some(encoding) = encoding {
                request = request.header("content-encoding", encoding);
            }
            send(request).await
        };
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "",
        ] {
            let answer = send_as(Some(kind), None).await;
            assert!(
                answer.problem(415).starts_with("Content-Type must be"),
                "{method} {kind}"
            );
            let kinds = if method == "PATCH" {
                "application/merge-patch+json, application/json"
            } else {
                "application/json"
            };
            assert_eq!(answer.header("accept"), Some(kinds));
            let patches = Some(kinds).filter(|_| method == "PATCH");
            assert_eq!(answer.header("accept-patch"), patches, "{method}");
        }
        send_as(None, None).await.problem(415);
        for encoding in ["gzip", "br", "x"] {
            let detail = send_as(Some("application/json"), Some(encoding))
                .await
                .problem(415);
            assert_eq!(
                detail, "A compressed body is not accepted",
                "{method} {encoding}"
            );
        }
        let patched = send_as(Some("application/merge-patch+json"), None).await;
        let expected = if method == "PATCH" { 200 } else { 415 };
        assert_eq!(patched.status, expected, "{method} {patched:?}");
    }
    let answer = send_as_json_with_charset(&bff).await;
    assert_eq!(answer, 201);
}

async fn send_as_json_with_charset(bff: &Bff) -> u16 {
    let request = bff
        .request("POST", "/api/products")
        .body("{\"title\":\"T\",\"price\":1}");
    send(request.header("content-type", "Application/JSON ; charset=UTF-8"))
        .await
        .status
}

#[tokio::test]
async fn a_body_too_large_is_refused_with_and_without_a_length() {
    let bff = Bff::start_with(|config| config.body_bytes_max = 1000).await;
    bff.peer.put(product("a"));
    for (method, path) in WRITES {
        for bytes in [1001, 7000, 9000] {
            let detail = bff
                .json(method, path, &" ".repeat(bytes))
                .await
                .problem(413);
            assert_eq!(detail, "Body is longer than 1000 bytes", "{method} {bytes}");
        }
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             connection: close\r\n"
        );
        let large = format!(
            "{head}content-length: 3000000\r\n\r\n{}",
            " ".repeat(3_000_000)
        );
        let answer = bff.raw(large.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{method} {answer}");
        let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
        let chunk = format!("200\r\n{}\r\n", " ".repeat(512)).repeat(3);
        let answer = bff
            .raw(format!("{chunked}{chunk}0\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{method} {answer}");
        assert!(
            answer.contains("application/problem+json"),
            "{method} {answer}"
        );
        // One that never ends.
        let endless = format!("{chunked}{}", chunk.repeat(10));
        let answer = bff.raw(endless.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{method} {answer}");
    }
    let exact = format!("{:<1000}", "{\"title\":\"T\",\"price\":1}");
    assert_eq!(bff.json("POST", "/api/products", &exact).await.status, 201);
}

#[tokio::test]
async fn a_long_uri_is_refused() {
    let bff = Bff::start().await;
    let path = format!("/api/products/search?q=a&x={}", "y".repeat(20_000));
    assert_eq!(
        bff.get(&path).await.problem(414),
        "Query string is too long"
    );
    let path = format!("/api/products/{}", "y".repeat(20_000));
    assert_eq!(bff.get(&path).await.problem(404), "Product not found");
    for (bytes, status) in [(100_000, "414"), (1_000_000, "431")] {
        let request = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(bytes));
        let answer = bff.raw(request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_malformed_request_is_a_client_error() {
    let bff = Bff::start().await;
    let big = "x".repeat(1_000_000);
    let cases = [
        "\r\n\r\nnonsense\r\n\r\n".to_owned(),
        "GET /api/health HTTP/9.9\r\n\r\n".to_owned(),
        "GET /api/health HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n".to_owned(),
        "GET /api/health HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n".to_owned(),
        "POST /api/products HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"
            .to_owned(),
        "POST /api/products HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_owned(),
        format!("GET /api/health HTTP/1.1\r\nhost: x\r\nlong: {big}\r\n\r\n"),
        format!("GET /api/health HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1000)),
    ];
    for case in cases {
        let shown: String = case.chars().take(100).collect();
        let answer = bff.raw(case.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{shown:?}: {answer}");
    }
    // A path that a client would have tidied up.
    let request =
        "GET /api/products/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(
        bff.raw(request.as_bytes())
            .await
            .starts_with("HTTP/1.1 404 ")
    );
    assert_eq!(bff.get("/api/health").await.status, 200);
}

/// Every parameter whose values the description lists.
fn listed_parameters(document: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let paths = document["paths"].as_object().expect("paths");
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for parameter in parameters.filter(|one| one["in"] == "query") {
                let schema = &parameter["schema"];
                let named = schema["$ref"].as_str().map(|name| name.replace('#', ""));
                let schema = named
                    .and_then(|name| document.pointer(&name))
                    .unwrap_or(schema);
                if schema["enum"].is_array() {
                    let name = parameter["name"].as_str().expect("a name");
                    found.push((method.to_uppercase(), path.clone(), name.to_owned()));
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn a_listed_parameter_has_no_other_value() {
    let bff = Bff::start().await;
    let document = bff.get("/api/openapi.json").await.json();
    let parameters = listed_parameters(&document);
    assert!(parameters.len() > 8, "{parameters:?}");
    for (method, path, name) in parameters {
        for value in ["", "nonsense"] {
            let needed = if path.ends_with("/search") {
                "q=x&"
            } else {
                ""
            };
            let path = format!("{path}?{needed}{name}={value}");
            let answer = send(bff.request(&method, &path)).await;
            answer.problem(422);
            let errors = answer.json()["errors"].to_string();
            assert!(errors.contains(&format!("\"/{name}\"")), "{path}: {errors}");
        }
    }
}
