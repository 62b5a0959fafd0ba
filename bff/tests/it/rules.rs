//! Search rules over HTTP: bodies, versions, keys, pages and what is refused.

use catalog_proto::v1;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::bff::{Answer, Bff, send};
use crate::peer::Mode;

const RULE: &str = "/api/search-rules/r-1";

async fn put(bff: &Bff, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let mut request = bff.request("PUT", RULE);
    request = request.header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.body(body.to_string())).await
}

async fn delete(bff: &Bff, headers: &[(&str, &str)]) -> Answer {
    let mut request = bff.request("DELETE", RULE);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

fn synonyms(terms: &[&str]) -> Value {
    json!({"kind": {"type": "synonyms", "terms": terms}})
}

#[tokio::test]
async fn a_rule_is_answered_as_it_was_stated() {
    let bff = Bff::start().await;
    let kinds = [
        json!({"type": "synonyms", "terms": ["laptop", "notebook"]}),
        json!({"type": "one_way_synonyms", "from": "mouse", "to": ["trackball"]}),
        json!({"type": "distinct", "terms": ["tablet", "drawing tablet"]}),
        json!({"type": "curation", "queries": ["desk lamp"], "matching": "contains", "actions": [
            {"action": "pin", "product_id": "p-1", "position": 1},
            {"action": "hide", "target": {"brand": "Fjell"}},
            {"action": "boost", "target": {"category": ["Home", "Lamps"]}, "factor": 1.5},
            {"action": "bury", "target": {"product_ids": ["p-2"]}, "factor": 4.0},
            {"action": "redirect", "url": "/lamps"},
        ]}),
    ];
    for (kind, expected) in kinds.into_iter().zip([201, 200, 200, 200]) {
        let mut stated = json!({"id": "r-1", "kind": kind, "disabled": true, "note": "why",
                                "starts_at": "2026-01-31T08:00:00Z"});
        let written = put(&bff, &stated, &[]).await;
        assert_eq!(written.status, expected, "{written:?}");
        stated["version"] = written.json()["version"].clone();
        stated["created_at"] = json!("1970-01-01T00:00:00Z");
        stated["updated_at"] = json!("1970-01-01T00:00:00Z");
        assert_eq!(written.json(), stated);
        let read = bff.get(RULE).await;
        assert_eq!(read.json(), stated);
        assert_eq!(read.header("etag"), written.header("etag"));
    }
    assert_eq!(bff.get(RULE).await.header("etag"), Some("\"4\""));
    let held = bff.request("GET", RULE).header("if-none-match", "\"4\"");
    assert_eq!(send(held).await.status, 304);
    assert_eq!(delete(&bff, &[]).await.status, 204);
    assert_eq!(bff.get(RULE).await.problem(404), "Search rule not found");
    assert_eq!(
        delete(&bff, &[]).await.problem(404),
        "Search rule not found"
    );
    let no_id = bff.get("/api/search-rules/a.b").await;
    assert_eq!(no_id.problem(404), "Search rule not found");
}

#[tokio::test]
async fn versions_are_kept_to() {
    let bff = Bff::start().await;
    let rule = synonyms(&["a", "b"]);
    let stale = "Search rule is not at the version of If-Match";
    let missing = put(&bff, &rule, &[("if-match", "\"1\"")]).await;
    assert_eq!(missing.problem(412), stale);
    // No version at all, which must not be taken for "nothing is there".
    assert_eq!(
        put(&bff, &rule, &[("if-match", "\"0\"")])
            .await
            .problem(412),
        stale
    );
    let created = put(&bff, &rule, &[("if-none-match", "*")]).await;
    assert_eq!(
        (created.status, created.header("etag")),
        (201, Some("\"1\""))
    );
    let exists = put(&bff, &rule, &[("if-none-match", "*")]).await;
    assert_eq!(exists.problem(412), "Search rule exists");
    let changed = put(&bff, &rule, &[("if-match", "\"1\"")]).await;
    assert_eq!(
        (changed.status, changed.header("etag")),
        (200, Some("\"2\""))
    );
    assert_eq!(
        delete(&bff, &[("if-match", "\"1\"")]).await.problem(412),
        stale
    );
    bff.peer.take_calls();
    for bad in [
        &[("if-match", "2")][..],
        &[("if-none-match", "\"2\"")],
        &[("if-match", "\"2\""), ("if-none-match", "*")],
    ] {
        put(&bff, &rule, bad).await.problem(400);
    }
    assert!(bff.peer.take_calls().is_empty());
    let any = put(&bff, &rule, &[("if-match", "*")]).await;
    assert_eq!(any.header("etag"), Some("\"3\""));
    let listed = put(&bff, &rule, &[("if-match", "\"1\", \"3\"")]).await;
    assert_eq!(listed.header("etag"), Some("\"4\""));
    let weak = put(&bff, &rule, &[("if-match", "W/\"4\"")]).await;
    assert_eq!(weak.problem(412), stale);
    assert_eq!(delete(&bff, &[("if-match", "\"4\"")]).await.status, 204);
    let gone = put(&bff, &rule, &[("if-match", "*")]).await;
    assert_eq!(gone.problem(412), stale);
}

#[tokio::test]
async fn a_write_that_is_sent_again_is_answered_again() {
    let bff = Bff::start().await;
    let rule = synonyms(&["a", "b"]);
    let key = [("idempotency-key", "k1"), ("if-none-match", "*")];
    let first = put(&bff, &rule, &key).await;
    let again = put(&bff, &rule, &key).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = put(&bff, &synonyms(&["a", "c"]), &key).await;
    let reused = "Idempotency-Key was used for another request";
    assert_eq!(other.problem(422), reused);
    for _ in 0..2 {
        let deleted = delete(&bff, &[("idempotency-key", "k2"), ("if-match", "\"1\"")]).await;
        assert_eq!(deleted.status, 204);
    }
    put(&bff, &rule, &[("idempotency-key", "two words")])
        .await
        .problem(422);
}

#[tokio::test]
async fn rules_are_listed_page_by_page() {
    let bff = Bff::start().await;
    for id in ["b", "a", "c"] {
        let body = synonyms(&["x", id]).to_string();
        let answer = bff
            .json("PUT", &format!("/api/search-rules/{id}"), &body)
            .await;
        assert_eq!(answer.status, 201);
    }
    let page = bff.get("/api/search-rules?limit=2").await.json();
    assert_eq!(page["items"][1]["id"], "b");
    assert_eq!(page["next_page_token"], "b");
    let page = bff
        .get("/api/search-rules?limit=2&page_token=b")
        .await
        .json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["next_page_token"], Value::Null);
    bff.peer.take_calls();
    for (query, kind) in [("", 0), ("?type=synonyms", 1), ("?type=curation", 2)] {
        assert_eq!(
            bff.get(&format!("/api/search-rules{query}")).await.status,
            200
        );
        let call = bff.peer.take_calls().remove(0);
        let kind = v1::SearchRuleType::try_from(kind).expect("a type");
        let expected = format!("r#type: {kind:?}, limit: 100");
        assert!(call.message.contains(&expected), "{}", call.message);
    }
    for (query, pointer) in [
        ("type=", "/type"),
        ("type=redirect", "/type"),
        ("type=synonyms&type=curation", "/type"),
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
    ] {
        let answer = bff.get(&format!("/api/search-rules?{query}")).await;
        assert_eq!(answer.pointers(), [pointer], "{query}");
    }
}

/// Bodies that are no rules, with the pointers at what is wrong.
fn bodies_that_are_no_rules() -> Vec<(Value, Vec<&'static str>)> {
    let kind = |kind: Value| json!({"kind": kind});
    vec![
        (json!([]), vec!["", "/kind"]),
        (json!({}), vec!["/kind"]),
        (json!({"kind": null}), vec!["/kind"]),
        (
            json!({"kind": "synonyms", "id": "r-2"}),
            vec!["/id", "/kind"],
        ),
        (kind(json!({"terms": ["a", "b"]})), vec!["/kind/type"]),
        (kind(json!({"type": "unknown"})), vec!["/kind/type"]),
        (
            kind(json!({"type": "synonyms", "terms": "a"})),
            vec!["/kind/terms"],
        ),
        (
            kind(json!({"type": "synonyms", "terms": ["a", 1, null]})),
            vec!["/kind/terms/1", "/kind/terms/2"],
        ),
        (
            kind(json!({"type": "one_way_synonyms", "from": ["a"]})),
            vec!["/kind/from", "/kind/to"],
        ),
        (
            kind(json!({"type": "synonyms", "terms": ["a"], "to": []})),
            vec!["/kind/to"],
        ),
        (
            kind(
                json!({"type": "curation", "actions": []  , "match": "exact",
                        "queries": null, "matching": "some"}),
            ),
            vec!["/kind/match", "/kind/matching", "/kind/queries"],
        ),
        (
            json!({"kind": {"type": "synonyms", "terms": []}, "disabled": 1, "note": 2,
                   "starts_at": "tomorrow", "ends_at": 3, "version": 4, "name": "x"}),
            vec![
                "/disabled",
                "/ends_at",
                "/name",
                "/note",
                "/starts_at",
                "/version",
            ],
        ),
    ]
}

#[tokio::test]
async fn a_body_that_is_no_rule_is_named_member_by_member() {
    let bff = Bff::start().await;
    for (body, pointers) in bodies_that_are_no_rules() {
        let mut found = put(&bff, &body, &[]).await.pointers();
        found.sort();
        assert_eq!(found, pointers, "{body}");
    }
    let broken = bff.json("PUT", RULE, "{").await;
    assert!(broken.problem(400).starts_with("The body is not JSON"));
    let unknown = r#"{"kind":{"type":"synonyms","terms":[],"term":1}}"#;
    let answer = bff.json("PUT", RULE, unknown).await;
    let expected = json!([{"pointer": "/kind/term",
        "detail": "is not a member that can be set; did you mean terms?"}]);
    assert_eq!(answer.json()["errors"], expected);
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn an_action_that_is_none_is_named_by_its_index() {
    let bff = Bff::start().await;
    for (action, pointer) in [
        (json!(1), ""),
        (json!({"action": "sparkle"}), "/action"),
        (json!({"action": "pin", "product_id": "a"}), "/position"),
        (
            json!({"action": "pin", "product_id": "a", "position": 1.5}),
            "/position",
        ),
        (
            json!({"action": "boost", "target": {"brand": "a"}, "factor": "2"}),
            "/factor",
        ),
        (
            json!({"action": "hide", "target": {"colour": "red"}}),
            "/target/colour",
        ),
        (
            json!({"action": "hide", "target": {"product_ids": ["a", 1]}}),
            "/target/product_ids/1",
        ),
    ] {
        let actions = json!([{"action": "redirect", "url": "/"}, action]);
        let body = json!({"kind": {"type": "curation", "actions": actions}});
        let found = put(&bff, &body, &[]).await.pointers();
        assert_eq!(found, [format!("/kind/actions/1{pointer}")], "{body}");
        let drafts =
            json!({"q": "a", "draft_rules": [{"kind": {"type": "distinct", "terms": []}}, body]});
        let answer = bff.json("POST", "/api/search", &drafts.to_string()).await;
        let expected = format!("/draft_rules/1/kind/actions/1{pointer}");
        assert_eq!(answer.pointers(), [expected], "{drafts}");
    }
    assert!(bff.peer.take_calls().is_empty());
    // JSON Schema takes 1.0 for an integer.
    let pin = json!([{"action": "pin", "product_id": "a", "position": 1.0}]);
    let body = json!({"kind": {"type": "curation", "actions": pin}});
    assert_eq!(put(&bff, &body, &[]).await.status, 201);
}

#[tokio::test]
async fn refusals_of_the_write_service_are_typed() {
    let bff = Bff::start().await;
    let status = |code, reason: &str, fields: &[&str]| {
        let fields = fields
            .iter()
            .map(|field| ((*field).to_owned(), "is bad".to_owned()));
        Mode::Fail(service_kit::status(code, reason, "said the peer", fields))
    };
    let rule = synonyms(&["a", "b"]);
    let fields = ["terms[1]", "actions[0].target.brand", "note"];
    bff.peer
        .set(status(Code::InvalidArgument, "INVALID_RULE", &fields));
    let pointers = put(&bff, &rule, &[]).await.pointers();
    assert_eq!(
        pointers,
        ["/kind/terms/1", "/kind/actions/0/target/brand", "/note"]
    );
    for (mode, expected, detail) in [
        (
            status(Code::Aborted, "VERSION_MISMATCH", &[]),
            409,
            "Search rule was changed meanwhile",
        ),
        (
            status(Code::ResourceExhausted, "TOO_MANY_RULES", &[]),
            409,
            "There are as many search rules as there can be: delete one first",
        ),
        (
            Mode::Fail(Status::resource_exhausted("busy")),
            429,
            "Too many requests",
        ),
        (
            Mode::Fail(Status::unavailable("gone")),
            503,
            "Catalog unavailable",
        ),
        (
            Mode::Fail(Status::unimplemented("an older release")),
            502,
            "Catalog error (UNIMPLEMENTED)",
        ),
    ] {
        bff.peer.set(mode);
        assert_eq!(put(&bff, &rule, &[]).await.problem(expected), detail);
    }
    assert_eq!(bff.get("/api/search-rules").await.status, 502);
}

#[tokio::test]
async fn an_answer_tells_of_its_rules() {
    let bff = Bff::start().await;
    let plain = bff
        .get("/api/products/search?q=lamp&explain=true")
        .await
        .json();
    assert_eq!(plain.get("redirect_url"), None);
    bff.peer.answer_searches(v1::SearchProductsResponse {
        redirect_url: "/lamps".to_owned(),
        explanation: Some(v1::SearchExplanation {
            rules: vec!["r-1@3".to_owned()],
            hits: vec![
                v1::HitExplanation {
                    product_id: "a".to_owned(),
                    pinned_position: 1,
                    rules: vec!["r-1@3".to_owned()],
                    ..Default::default()
                },
                v1::HitExplanation::default(),
            ],
            ..Default::default()
        }),
        ..Default::default()
    });
    let answer = bff
        .get("/api/products/search?q=lamp&explain=true")
        .await
        .json();
    assert_eq!(answer["redirect_url"], "/lamps");
    let explanation = &answer["explanation"];
    assert_eq!(explanation["rules"], json!(["r-1@3"]));
    assert_eq!(explanation["hits"][0]["pinned_position"], 1);
    assert_eq!(explanation["hits"][0]["rules"], json!(["r-1@3"]));
    assert_eq!(explanation["hits"][1].get("pinned_position"), None);
}
