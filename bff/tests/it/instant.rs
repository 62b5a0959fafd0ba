//! The shape of Algolia's API, which front ends made of InstantSearch ask in.

use catalog_proto::v1;
use serde_json::{Value, json};

use crate::bff::{Bff, send};
use crate::peer::product;

const QUERIES: &str = "/1/indexes/*/queries";

async fn asked(bff: &Bff, request: Value) -> Value {
    let body = json!({"requests": [request]}).to_string();
    let answer = bff.json("POST", QUERIES, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["results"][0].clone()
}

fn answer(ids: &[&str], total: i64, token: &str) -> v1::SearchProductsResponse {
    v1::SearchProductsResponse {
        products: ids.iter().map(|id| product(id)).collect(),
        total,
        next_page_token: token.to_owned(),
        ..v1::SearchProductsResponse::default()
    }
}

#[tokio::test]
async fn a_question_is_asked_and_answered_in_its_shape() {
    let bff = Bff::start().await;
    let facet = v1::Facet {
        field: "brand".to_owned(),
        values: vec![v1::FacetValue {
            value: "Acme".to_owned(),
            count: 7,
            ..v1::FacetValue::default()
        }],
        ..v1::Facet::default()
    };
    let highlight = v1::Highlight {
        fields: vec![v1::HighlightedField {
            field: "title".to_owned(),
            text: "Product a".to_owned(),
            spans: vec![v1::HighlightSpan { start: 0, end: 7 }],
        }],
    };
    bff.peer.answer_searches(v1::SearchProductsResponse {
        facets: vec![facet],
        highlights: vec![highlight],
        search_id: "s-1".to_owned(),
        ..answer(&["a"], 41, "")
    });
    let result = asked(
        &bff,
        json!({"indexName": "shop_price_desc", "query": "product", "hitsPerPage": 20, "facets": ["brand"],
            "facetFilters": [["brand:Acme", "brand:Bolt"]], "numericFilters": ["price<=50"],
            "highlightPreTag": "<b>", "highlightPostTag": "</b>", "attributesToRetrieve": ["title", "price"]}),
    )
    .await;
    assert_eq!(result["nbHits"], 41);
    assert_eq!(
        (&result["page"], &result["nbPages"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(result["facets"], json!({"brand": {"Acme": 7}}));
    assert_eq!(result["queryID"], "s-1");
    let hit = &result["hits"][0];
    assert_eq!(hit["objectID"], "a");
    assert_eq!(
        hit["_highlightResult"]["title"]["value"],
        "<b>Product</b> a"
    );
    assert!(hit.get("description").is_none(), "{hit}");
    let calls = bff.peer.take_calls();
    let message = &calls[0].message;
    for part in [
        "PriceDescending",
        "\"Bolt\"",
        "price_major",
        "highlight: true",
        "limit: 20",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test]
async fn pages_follow_tokens() {
    let bff = Bff::start().await;
    bff.peer.answer_searches(answer(&["a", "b"], 500, "next"));
    let result = asked(&bff, json!({"query": "x", "page": 7, "hitsPerPage": 20})).await;
    let calls = bff.peer.take_calls();
    // 140 are passed over: a hundred, forty, and then the page.
    let limits: Vec<&str> = ["limit: 100", "limit: 40", "limit: 20"].into();
    assert_eq!(calls.len(), limits.len(), "{calls:?}");
    for (call, limit) in calls.iter().zip(limits) {
        assert!(call.message.contains(limit), "{limit}: {call:?}");
    }
    assert_eq!(result["nbPages"], 25);
    assert_eq!(result["hits"].as_array().expect("hits").len(), 2);

    bff.peer.answer_searches(answer(&["a"], 30, ""));
    let beyond = asked(&bff, json!({"page": 40, "hitsPerPage": 20})).await;
    assert_eq!(
        (&beyond["nbHits"], &beyond["hits"]),
        (&json!(30), &json!([]))
    );
    let none = asked(&bff, json!({"hitsPerPage": 0})).await;
    assert_eq!((&none["nbPages"], &none["hits"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn values_of_a_facet_are_searched() {
    let bff = Bff::start().await;
    let value = v1::FacetValue {
        value: "Lenovo".to_owned(),
        count: 3,
        ..v1::FacetValue::default()
    };
    bff.peer.answer_searches(v1::SearchProductsResponse {
        facets: vec![v1::Facet {
            field: "brand".to_owned(),
            values: vec![value],
            ..v1::Facet::default()
        }],
        ..answer(&[], 3, "")
    });
    let expected = json!([{"value": "Lenovo", "highlighted": "<em>Len</em>ovo", "count": 3}]);
    let within = asked(
        &bff,
        json!({"type": "facet", "facet": "brand", "params": "facetQuery=len"}),
    )
    .await;
    assert_eq!(within["facetHits"], expected);
    let body = json!({"params": "facetQuery=len"}).to_string();
    let alone = bff
        .json("POST", "/1/indexes/shop/facets/brand/query", &body)
        .await;
    assert_eq!(alone.json()["facetHits"], expected);
}

#[tokio::test]
async fn a_client_of_algolia_sends_its_key_and_json_as_a_form() {
    let bff = Bff::start_with(|config| config.public = "".parse().expect("no scopes")).await;
    let body = json!({"requests": [{"query": "x"}]}).to_string();
    let request = |path: &str| {
        let request = bff.request("POST", path);
        let kind = "application/x-www-form-urlencoded";
        request.header("content-type", kind).body(body.clone())
    };
    let without = send(request(QUERIES)).await;
    assert_eq!(without.status, 401, "{without:?}");
    let own = send(request(QUERIES).header("x-algolia-api-key", "their-key")).await;
    assert_eq!(own.status, 401, "{own:?}");
    let within = format!("{QUERIES}?x-algolia-api-key=ck_none_none");
    let unknown = send(request(&within)).await;
    assert!([401, 503].contains(&unknown.status), "{unknown:?}");
    assert!(unknown.body.contains("key"), "{unknown:?}");
}
