//! Who may do what: every route with every scope, and the limits of a key.

use catalog_proto::v1::{ApiKey, ApiScope};
use serde_json::Value;

use crate::bff::{Answer, Bff, PATIENCE, send};
use crate::peer::product;

const SCOPES: [(&str, ApiScope); 5] = [
    ("search", ApiScope::Search),
    ("read", ApiScope::Read),
    ("write", ApiScope::Write),
    ("rules", ApiScope::Rules),
    ("operate", ApiScope::Operate),
];

fn key(id: &str, scopes: &[ApiScope]) -> ApiKey {
    ApiKey {
        id: id.to_owned(),
        name: id.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        ..ApiKey::default()
    }
}

async fn start(public: &str) -> Bff {
    let public = public.parse().expect("scopes");
    Bff::start_with(|config| config.public = public).await
}

async fn ask(bff: &Bff, method: &str, path: &str, key: Option<&str>) -> Answer {
    let request = bff.request(method, path);
    send(match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    })
    .await
}

/// Waits until the key is known, or no more.
async fn settled(bff: &Bff, path: &str, key: &str, status: u16) {
    let begun = std::time::Instant::now();
    while ask(bff, "GET", path, Some(key)).await.status != status {
        assert!(begun.elapsed() < PATIENCE, "{key} is not {status}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Every operation of the API with the scope that it needs; none for those that are open.
fn operations(document: &Value) -> Vec<(String, String, Option<String>)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let scope = operation["security"][0]["key"][0].as_str();
            let path = path.replace("{id}", "a").replace("{name}", "internal");
            operations.push((method.to_uppercase(), path, scope.map(str::to_owned)));
        }
    }
    operations
}

#[tokio::test]
async fn every_operation_takes_its_scope_and_no_other() {
    let bff = start("").await;
    for (name, scope) in SCOPES {
        bff.peer.put_key(key(name, &[scope]));
    }
    settled(&bff, "/api/products/a", "ck_read", 404).await;
    let document = bff.get("/api/openapi.json").await.json();
    let operations = operations(&document);
    assert!(operations.len() > 20, "{operations:?}");
    for (method, path, needed) in operations {
        let nobody = ask(&bff, &method, &path, None).await;
        assert_eq!(nobody.status == 401, needed.is_some(), "{method} {path}");
        let way = needed.as_ref().map(|_| "Bearer realm=\"catalog\"");
        assert_eq!(nobody.header("www-authenticate"), way, "{method} {path}");
        for (name, _) in SCOPES {
            let answer = ask(&bff, &method, &path, Some(&format!("ck_{name}"))).await;
            let may = needed.as_deref().is_none_or(|needed| needed == name);
            assert_eq!(
                answer.status == 403,
                !may,
                "{method} {path} {name} {answer:?}"
            );
            assert_ne!(answer.status, 401, "{method} {path} {name}");
        }
        let unknown = ask(&bff, &method, &path, Some("ck_nobody")).await;
        assert_eq!(unknown.status, 401, "{method} {path}");
        let way = "Bearer realm=\"catalog\", error=\"invalid_token\"";
        assert_eq!(unknown.header("www-authenticate"), Some(way));
    }
}

#[tokio::test]
async fn what_is_public_needs_no_key() {
    let bff = start("search,read").await;
    bff.peer.put(product("a"));
    assert_eq!(bff.get("/api/products/a").await.status, 200);
    assert_eq!(bff.get("/api/products/search?q=a").await.status, 200);
    for (method, path) in [
        ("POST", "/api/products"),
        ("DELETE", "/api/products/a"),
        ("GET", "/api/search-rules"),
        ("GET", "/api/analytics/searches"),
    ] {
        let detail = ask(&bff, method, path, None).await.problem(401);
        assert!(detail.starts_with("This needs a key"), "{detail}");
    }
    assert!(bff.peer.product("a").is_some());
}

#[tokio::test]
async fn what_is_no_bearer_is_told() {
    let bff = start("search,read").await;
    for bad in ["Basic abc", "Bearer", "ck_read", "Bearer caf\u{e9}", ""] {
        let request = bff.request("GET", "/api/products/a");
        let value = reqwest::header::HeaderValue::from_bytes(bad.as_bytes()).expect("a value");
        let answer = send(request.header("authorization", value)).await;
        answer.problem(401);
    }
}

#[tokio::test]
async fn a_revoked_key_is_none_within_a_moment() {
    let bff = start("").await;
    bff.peer.put_key(key("k", &[ApiScope::Read]));
    settled(&bff, "/api/products/a", "ck_k", 404).await;
    bff.peer.put_key(ApiKey {
        revoked_at: Some(prost_types::Timestamp::default()),
        ..key("k", &[ApiScope::Read])
    });
    settled(&bff, "/api/products/a", "ck_k", 401).await;
}

#[tokio::test]
async fn the_key_is_the_actor_and_owns_its_idempotency_keys() {
    let bff = start("").await;
    bff.peer.put_key(key("k", &[ApiScope::Write]));
    bff.peer.put_key(key("l", &[ApiScope::Write]));
    bff.peer.put(product("a"));
    settled(&bff, "/api/products/a", "ck_k", 403).await;
    settled(&bff, "/api/products/a", "ck_l", 403).await;
    bff.peer.take_calls();
    for (name, long) in [
        ("k", "1".to_owned()),
        ("l", "1".to_owned()),
        ("k", "x".repeat(255)),
    ] {
        let request = bff.request("PUT", "/api/products/a/price");
        let request = request.bearer_auth(format!("ck_{name}"));
        let request = request.header("catalog-actor", "mallory");
        let request = request.header("idempotency-key", &long);
        let request = request.header("content-type", "application/json");
        let answer = send(request.body(r#"{"price_minor":1}"#)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let calls = bff.peer.take_calls();
    let actor = |at: usize| {
        calls[at]
            .metadata
            .get("catalog-actor")
            .expect("an actor")
            .clone()
    };
    assert_eq!(
        (actor(0), actor(1)),
        (
            "ck_k".parse().expect("ASCII"),
            "ck_l".parse().expect("ASCII")
        )
    );
    assert!(
        calls[0].message.contains(r#"request_id: "ck_k:1""#),
        "{calls:?}"
    );
    assert!(
        calls[1].message.contains(r#"request_id: "ck_l:1""#),
        "{calls:?}"
    );
    assert!(
        calls[2].message.contains(r#"request_id: "ck_k:sha256:"#),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_key_is_good_for_its_origins_and_its_rate() {
    let bff = start("").await;
    bff.peer.put_key(ApiKey {
        allowed_origins: vec!["https://shop.example".to_owned()],
        requests_per_second: Some(3),
        ..key("k", &[ApiScope::Read])
    });
    settled(&bff, "/api/search-rules", "ck_k", 403).await;
    let from = async |origin: &str| {
        let request = bff.request("GET", "/api/products/a");
        send(request.bearer_auth("ck_k").header("origin", origin)).await
    };
    let detail = from("https://evil.example").await.problem(403);
    assert_eq!(detail, "The key is not for pages of this origin");
    let mut refused = None;
    for _ in 0..200 {
        let answer = from("https://shop.example").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("ratelimit-policy"), Some(r#""key";q=3;w=1"#));
    }
    let refused = refused.expect("200 requests are more than 3 a second");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit"), Some(r#""key";r=0;t=1"#));
}

#[tokio::test]
async fn a_key_for_a_part_of_the_catalog_searches_that_part_alone() {
    let bff = start("").await;
    bff.peer.put_key(ApiKey {
        forced_filter: "brand=Acme&attr.colour=red".to_owned(),
        ..key("k", &[ApiScope::Search, ApiScope::Read, ApiScope::Write])
    });
    bff.peer.put_key(ApiKey {
        forced_filter: "brnd=Acme".to_owned(),
        ..key("bad", &[ApiScope::Search])
    });
    settled(&bff, "/api/products/search?q=a", "ck_k", 200).await;
    settled(&bff, "/api/products/search?q=a", "ck_bad", 403).await;
    bff.peer.take_calls();
    let searches = [
        ("GET", "/api/products/search?q=a&brand=Other", ""),
        ("POST", "/api/search", r#"{"q":"a"}"#),
        ("POST", "/api/multi-search", r#"{"searches":[{"q":"a"}]}"#),
    ];
    for (method, path, body) in searches {
        let request = bff.request(method, path).bearer_auth("ck_k");
        let request = request.header("content-type", "application/json");
        let answer = send(request.body(body.to_owned())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let calls = bff.peer.take_calls();
        // Beside the filter of the request, which facets may leave out, it travels apart.
        let message = &calls[0].message;
        let apart = message.split("forced_filter: ").nth(1).expect(message);
        assert!(apart.contains(r#""Acme""#), "{path} {calls:?}");
    }
    for asks_of_others in ["explain=true", "why_not=b"] {
        let path = format!("/api/products/search?q=a&{asks_of_others}");
        ask(&bff, "GET", &path, Some("ck_k")).await.problem(403);
    }
    for (method, path) in [
        ("GET", "/api/products/a"),
        ("GET", "/api/products"),
        ("DELETE", "/api/products/a"),
        ("GET", "/api/autocomplete?q=a"),
    ] {
        ask(&bff, method, path, Some("ck_k")).await.problem(403);
    }
}

#[tokio::test]
async fn nobody_takes_a_key_over_that_may_do_more() {
    let bff = start("").await;
    let all = [
        ApiScope::Search,
        ApiScope::Read,
        ApiScope::Write,
        ApiScope::Rules,
        ApiScope::Operate,
    ];
    let [operator, other, writer, root, unknown] =
        [1, 2, 3, 4, 5].map(|number| format!("00000000-0000-0000-0000-00000000000{number}"));
    bff.peer.put_key(key(&operator, &[ApiScope::Operate]));
    bff.peer.put_key(key(&other, &[ApiScope::Operate]));
    bff.peer.put_key(key(&writer, &[ApiScope::Write]));
    bff.peer.put_key(key(&root, &all));
    let (by_operator, by_root) = (format!("ck_{operator}"), format!("ck_{root}"));
    settled(&bff, "/api/products/a", &by_operator, 403).await;
    settled(&bff, "/api/products/a", &by_root, 404).await;
    let is_refused = async |of: &str, by: &str| {
        let request = bff.request("POST", &format!("/api/keys/{of}/rotate"));
        let request = request
            .bearer_auth(by)
            .header("content-type", "application/json");
        send(request.body("{}")).await.status == 403
    };
    for more in [&writer, &root, &unknown] {
        assert!(is_refused(more, &by_operator).await, "{more}");
    }
    // What may be done reaches the write service.
    for (of, by) in [
        (&other, &by_operator),
        (&writer, &by_root),
        (&unknown, &by_root),
    ] {
        assert!(!is_refused(of, by).await, "{of}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_by_configuration_only() {
    let preflight = async |bff: &Bff, origin: &str| {
        let request = bff.request("OPTIONS", "/api/products");
        let request = request.header("origin", origin);
        send(request.header("access-control-request-method", "POST")).await
    };
    let closed = start("search,read").await;
    let answer = preflight(&closed, "https://shop.example").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let origins = "https://shop.example".parse().expect("origins");
    let bff = Bff::start_with(|config| config.cors_origins = origins).await;
    let answer = preflight(&bff, "https://shop.example").await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://shop.example")
    );
    let other = preflight(&bff, "https://evil.example").await;
    assert_eq!(other.header("access-control-allow-origin"), None);
    let plain = bff
        .request("GET", "/api/products/a")
        .header("origin", "https://shop.example");
    let plain = send(plain).await;
    assert_eq!(
        plain.header("access-control-allow-origin"),
        Some("https://shop.example")
    );
}
