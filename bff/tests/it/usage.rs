//! Clicks and the statistics of searches.

use catalog_proto::v1;
use serde_json::json;

use crate::bff::Bff;
use crate::peer::product;

const CLICK: &str = "/api/events/click";
const SEARCH: &str = "0b6e8f0c-6a1f-4a51-8f3f-8f6c1e7b9a10";

#[tokio::test]
async fn a_click_is_taken_in() {
    let bff = Bff::start().await;
    let body = format!(r#"{{"search_id":"{SEARCH}","product_id":"p-1","position":3}}"#);
    let answer = bff.json("POST", CLICK, &body).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    let call = bff.peer.take_calls().remove(0);
    let expected = v1::RecordClickRequest {
        search_id: SEARCH.to_owned(),
        product_id: "p-1".to_owned(),
        position: 3,
    };
    assert_eq!(
        (call.method, call.message),
        ("RecordClick", format!("{expected:?}"))
    );
}

#[tokio::test]
async fn a_click_with_mistakes_is_refused_with_all_of_them() {
    let bff = Bff::start().await;
    let check = async |body: &str, expected: &[(&str, &str)]| {
        let answer = bff.json("POST", CLICK, body).await;
        let pointers: Vec<&str> = expected.iter().map(|(pointer, _)| *pointer).collect();
        assert_eq!(answer.pointers(), pointers, "{body}");
        let errors = answer.json()["errors"].clone();
        for (number, (_, detail)) in expected.iter().enumerate() {
            assert_eq!(errors[number]["detail"], json!(detail), "{body}");
        }
    };
    let position = "must be a whole number from 1 to 10000";
    let required = "is required";
    check(
        "{}",
        &[
            ("/search_id", required),
            ("/product_id", required),
            ("/position", required),
        ],
    )
    .await;
    check("[]", &[("", "must be an object")]).await;
    for odd in ["0", "10001", "1.5", "\"1\"", "null", "1e400"] {
        let body = format!(r#"{{"search_id":"s","product_id":"p","position":{odd}}}"#);
        check(&body, &[("/position", position)]).await;
    }
    check(
        r#"{"search_id":1,"productId":"p","product_id":"p","position":1,"user":"jane"}"#,
        &[
            ("/search_id", "must be a string of Unicode characters"),
            (
                "/productId",
                "is not a member that can be set; did you mean product_id?",
            ),
            ("/user", "is not a member that can be set"),
        ],
    )
    .await;
    assert!(bff.peer.take_calls().is_empty());
    bff.json("POST", CLICK, "{").await.problem(400);
    bff.get(CLICK).await.problem(405);
}

#[tokio::test]
async fn statistics_are_answered_as_json() {
    let bff = Bff::start().await;
    let latency = |strategy: v1::SearchStrategy, searches, p50_ms| v1::SearchLatency {
        strategy: strategy.into(),
        searches,
        p50_ms,
        p95_ms: 9.5,
    };
    let count = |query: &str, searches, total| v1::QueryCount {
        query: query.to_owned(),
        searches,
        total,
        clicks: 1,
    };
    let place = |position, shown, clicks| v1::PositionClicks {
        position,
        shown,
        clicks,
    };
    bff.peer.answer_analytics(v1::GetSearchAnalyticsResponse {
        days: 30,
        totals: Some(v1::SearchTotals {
            searches: 3,
            without_result: 1,
            corrected: 1,
            degraded: 2,
            clicks: 2,
        }),
        popular: vec![count("mouse", 2, 7)],
        without_result: vec![count("zzz", 1, 0)],
        positions: vec![place(1, 3, 1), place(101, 0, 1)],
        latency: vec![
            latency(v1::SearchStrategy::Unspecified, 3, 2.123_456),
            latency(v1::SearchStrategy::Hybrid, 3, 2.123_456),
        ],
    });
    let answer = bff.get("/api/analytics/searches?days=30&limit=5").await;
    assert_eq!(
        answer.json(),
        json!({
            "days": 30,
            "totals": {"searches": 3, "without_result": 1, "corrected": 1, "degraded": 2, "clicks": 2},
            "popular": [{"query": "mouse", "searches": 2, "total": 7, "clicks": 1}],
            "without_result": [{"query": "zzz", "searches": 1, "total": 0, "clicks": 1}],
            "positions": [
                {"position": 1, "shown": 3, "clicks": 1, "click_through": 0.333},
                {"position": 101, "shown": 0, "clicks": 1, "click_through": null},
            ],
            "latency": {
                "p50_ms": 2.123,
                "p95_ms": 9.5,
                "strategies": [{"strategy": "hybrid", "searches": 3, "p50_ms": 2.123, "p95_ms": 9.5}],
            },
        })
    );
    let asked = bff.peer.take_calls().remove(0).message;
    assert_eq!(asked, "GetSearchAnalyticsRequest { days: 30, limit: 5 }");

    bff.get("/api/analytics/searches").await;
    let asked = bff.peer.take_calls().remove(0).message;
    assert_eq!(asked, "GetSearchAnalyticsRequest { days: 7, limit: 20 }");
    for (query, pointer) in [
        ("days=0", "/days"),
        ("days=91", "/days"),
        ("days=x", "/days"),
        ("limit=1001", "/limit"),
        ("dais=3", "/dais"),
    ] {
        let answer = bff.get(&format!("/api/analytics/searches?{query}")).await;
        assert_eq!(answer.pointers(), [pointer], "{query}");
    }
    let unknown = bff.get("/api/analytics/searches?dais=3").await.json();
    let detail = "is no parameter here: did you mean days?";
    assert_eq!(unknown["errors"][0]["detail"], json!(detail));
}

#[tokio::test]
async fn an_answer_carries_the_id_of_its_search_and_may_stay_out_of_the_statistics() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let answer = bff
        .get("/api/products/search?q=Product&untracked=true")
        .await;
    assert_eq!(answer.json().get("search_id"), None);
    let asked = bff.peer.take_calls().remove(0).message;
    assert!(asked.contains("untracked: true"), "{asked}");
    bff.peer.answer_searches(v1::SearchProductsResponse {
        search_id: SEARCH.to_owned(),
        ..v1::SearchProductsResponse::default()
    });
    let answer = bff.get("/api/products/search?q=Product").await.json();
    assert_eq!(answer["search_id"], json!(SEARCH));
}

#[tokio::test]
async fn popular_completions_are_marked() {
    let bff = Bff::start().await;
    let mut popular = product("a");
    popular.title = "Lamp!".to_owned();
    bff.peer.put(popular);
    let answer = bff.get("/api/autocomplete?q=La").await.json();
    let expected = json!({"items": [
        {"text": "Lamp!", "documents": 1, "views": 2, "popular": true, "searches": 9}
    ]});
    assert_eq!(answer, expected);
}
