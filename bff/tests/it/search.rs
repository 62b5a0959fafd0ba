//! Filters, facets, orders and pages of a search, similar products, and autocompletion.

use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;
use serde_json::json;

use crate::bff::Bff;
use crate::peer::product;

fn filter(kind: Kind) -> v1::Filter {
    v1::Filter { kind: Some(kind) }
}

fn terms(field: &str, values: &[&str]) -> v1::Filter {
    filter(Kind::Terms(v1::TermsFilter {
        field: field.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }))
}

fn parameter(name: &str, values: &[&str]) -> v1::Filter {
    filter(Kind::Parameter(v1::ParameterFilter {
        name: name.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }))
}

fn range(field: &str, min: Option<f64>, max: Option<f64>, below: Option<f64>) -> v1::Filter {
    filter(Kind::Range(v1::RangeFilter {
        field: field.to_owned(),
        min,
        max,
        below,
    }))
}

fn all(filters: Vec<v1::Filter>) -> v1::Filter {
    filter(Kind::All(v1::FilterList { filters }))
}

fn not(excluded: v1::Filter) -> v1::Filter {
    filter(Kind::Not(Box::new(excluded)))
}

/// Compares the filter that the query becomes, in a search and in a question for similar products.
async fn check(bff: &Bff, query: &str, expected: v1::Filter) {
    for path in ["/api/products/search", "/api/products/a/similar"] {
        let answer = bff.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        let message = bff.peer.take_calls().remove(0).message;
        let filter = format!("filter: Some({expected:?})");
        assert!(message.contains(&filter), "{query}: {message}");
    }
}

#[tokio::test]
async fn parameters_become_a_filter() {
    let bff = Bff::start().await;
    let cases = [
        (
            "brand=Acme&brand=%C3%96ko",
            terms("brand", &["Acme", "Öko"]),
        ),
        (
            "category=Audio+%3E+Loud",
            terms("category", &["Audio > Loud"]),
        ),
        ("category=A&category=B", terms("category", &["A", "B"])),
        ("status=discontinued", terms("status", &["discontinued"])),
        ("price=19.50", terms("price_major", &["19.50"])),
        (
            "created_at=1767323045",
            terms("created_at", &["1767323045"]),
        ),
        ("attr.net.weight=x", parameter("net.weight", &["x"])),
        (
            "attr.sealed=true&attr.sealed=x",
            parameter("sealed", &["true", "x"]),
        ),
        ("attr.ports.min=2", parameter("ports.min", &["2"])),
        (
            "brand=a&not.brand=b&not.brand=c",
            all(vec![
                terms("brand", &["a"]),
                not(terms("brand", &["b", "c"])),
            ]),
        ),
    ];
    for (query, expected) in cases {
        check(&bff, query, expected).await;
    }
}

#[tokio::test]
async fn bounds_become_ranges() {
    let bff = Bff::start().await;
    let cases = [
        (
            "price_min=0.29&price_max=50",
            range("price_major", Some(0.29), Some(50.0), None),
        ),
        (
            "price_max=50&currency=JPY",
            all(vec![
                terms("currency", &["JPY"]),
                range("price_major", None, Some(50.0), None),
            ]),
        ),
        (
            "price_min=20&price_below=40",
            range("price_major", Some(20.0), None, Some(40.0)),
        ),
        (
            "created_at_min=5&created_at_max=6.5",
            range("created_at", Some(5.0), Some(6.5), None),
        ),
    ];
    for (query, expected) in cases {
        check(&bff, query, expected).await;
    }
}

#[tokio::test]
async fn facets_orders_and_pages_are_passed_on() {
    let bff = Bff::start().await;
    let path = "/api/products/search?sort=-price&page_token=AQ-_&facets=brand,price:50,attributes.a:b\
                &facets=auto&explain=true&highlight=utf16&profile=shop&discontinued=last";
    assert_eq!(bff.get(path).await.status, 200);
    let message = bff.peer.take_calls().remove(0).message;
    let facet = |field: &str, size, interval| v1::FacetRequest {
        field: field.to_owned(),
        size,
        interval,
        containing: String::new(),
    };
    let facets = [
        facet("brand", 0, 0.0),
        facet("price_major", 100, 50.0),
        facet("attributes.a:b", 0, 0.0),
    ];
    for expected in [
        "query: \"\"",
        &format!("facets: {facets:?}"),
        "sort: PriceDescending",
        "page_token: \"AQ-_\"",
        "explain: true",
        "ranking_profile: \"shop\"",
        "highlight: true",
        "highlight_utf16: true",
        "auto_facets: 10",
        "discontinued: Last",
    ] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let bff = Bff::start().await;
    for (query, pointer) in [
        ("sort=relevance", "/q"),
        ("facets=brand", "/q"),
        ("q=a&sort=name", "/sort"),
        ("q=a&sort=", "/sort"),
        ("q=a&price_min=x", "/price_min"),
        ("q=a&price_max=-1", "/price_max"),
        ("q=a&price_max=1&price_max=2", "/price_max"),
        ("q=a&price_max=1&currency=dollars", "/currency"),
        ("q=a&currency=xyz", "/currency"),
        ("q=a&status=sold", "/status"),
        ("q=a&not.status=sold", "/not.status"),
        ("q=a&price_below=", "/price_below"),
        ("q=a&created_at_min=soon", "/created_at_min"),
        ("q=a&priceMin=1", "/priceMin"),
        ("q=a&attributes.colour=red", "/attributes.colour"),
        ("q=a&fields=id,titel", "/fields"),
        ("q=a&discontinued=never", "/discontinued"),
        ("q=a&highlight=bytes", "/highlight"),
        ("q=a&facets=price:-1", "/facets"),
        ("q=a&facets=price:inf", "/facets"),
        ("q=a&explain=yes", "/explain"),
    ] {
        let answer = bff.get(&format!("/api/products/search?{query}")).await;
        assert_eq!(answer.pointers(), [pointer], "{query}");
    }
    for (path, pointer) in [
        ("/api/products/a/similar?limit=0", "/limit"),
        ("/api/products/a/similar?sort=price", "/sort"),
        ("/api/products?id=a", "/id"),
        ("/api/products/a?version=1", "/version"),
        ("/api/products/a/history?before=1", "/before"),
        ("/api/autocomplete?q=a&size=1", "/size"),
        ("/api/search-rules?kind=synonyms", "/kind"),
    ] {
        let answer = bff.get(path).await;
        assert_eq!(answer.status, 422, "{path}");
        assert_eq!(answer.pointers(), [pointer], "{path}");
    }
    for query in ["", "?q=+", &format!("?q={}", "x".repeat(101))] {
        let answer = bff.get(&format!("/api/autocomplete{query}")).await;
        assert_eq!(answer.pointers(), ["/q"], "{query}");
    }
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn only_the_members_that_were_asked_for_are_answered() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    let answer = bff
        .get("/api/products/search?q=Product&fields=title,price")
        .await;
    let item = answer.json()["items"][0].clone();
    let names: Vec<&String> = item.as_object().expect("object").keys().collect();
    assert_eq!(names, ["id", "price", "title"]);
}

#[tokio::test]
async fn products_like_one_and_suggestions_are_listed() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    bff.peer.put(product("b"));
    let answer = bff.get("/api/products/a/similar").await.json();
    assert_eq!(answer["items"][0]["id"], "b");
    assert_eq!(answer["degraded"], json!(false));
    let answer = bff.get("/api/autocomplete?q=Prod&limit=1").await.json();
    assert_eq!(
        answer,
        json!({"items": [{"text": "Product a", "documents": 1, "views": 2}]})
    );
}
