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

fn flag(field: &str, value: bool) -> v1::Filter {
    let field = field.to_owned();
    filter(Kind::Flag(v1::FlagFilter { field, value }))
}

fn range(field: &str, min: Option<f64>, max: Option<f64>) -> v1::Filter {
    let field = field.to_owned();
    filter(Kind::Range(v1::RangeFilter { field, min, max }))
}

fn category(path: &[&str]) -> v1::Filter {
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    filter(Kind::Category(v1::CategoryFilter { path }))
}

fn all(filters: Vec<v1::Filter>) -> v1::Filter {
    filter(Kind::All(v1::FilterList { filters }))
}

fn any(filters: Vec<v1::Filter>) -> v1::Filter {
    filter(Kind::Any(v1::FilterList { filters }))
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
        ("category=Audio+%3E+Loud", category(&["Audio", "Loud"])),
        (
            "category=A&category=B",
            any(vec![category(&["A"]), category(&["B"])]),
        ),
        ("status=discontinued", terms("status", &["discontinued"])),
        ("attr.net.weight=x", terms("attributes.net.weight", &["x"])),
        (
            "attr.sealed=true",
            any(vec![
                flag("attributes.sealed", true),
                terms("attributes.sealed", &["true"]),
            ]),
        ),
        (
            "brand=a&not.brand=b&not.brand=c&unknown=x",
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
            range("price", Some(29.0), Some(5_000.0)),
        ),
        (
            "price_max=50&currency=JPY",
            all(vec![
                terms("currency", &["JPY"]),
                range("price", None, Some(50.0)),
            ]),
        ),
        (
            "attr.ports.min=2&attr.ports.max=4.5",
            range("attributes.ports", Some(2.0), Some(4.5)),
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
                &explain=true&highlight=true&profile=shop";
    assert_eq!(bff.get(path).await.status, 200);
    let message = bff.peer.take_calls().remove(0).message;
    let facet = |field: &str, size, interval| v1::FacetRequest {
        field: field.to_owned(),
        size,
        interval,
    };
    let facets = [
        facet("brand", 0, 0.0),
        facet("price", 100, 5_000.0),
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
        ("q=a&price_max=1.999", "/price_max"),
        ("q=a&price_max=-1", "/price_max"),
        ("q=a&price_max=1&price_max=2", "/price_max"),
        ("q=a&price_max=1&currency=usd", "/currency"),
        ("q=a&attr.ports.min=many", "/attr.ports.min"),
        ("q=a&attr.ports.max=NaN", "/attr.ports.max"),
        ("q=a&not.attr.ports.max=1", "/not.attr.ports.max"),
        ("q=a&facets=price:-1", "/facets"),
        ("q=a&facets=price:inf", "/facets"),
        ("q=a&explain=yes", "/explain"),
    ] {
        let answer = bff.get(&format!("/api/products/search?{query}")).await;
        assert_eq!(answer.pointers(), [pointer], "{query}");
    }
    let answer = bff.get("/api/products/a/similar?limit=0").await;
    assert_eq!(answer.pointers(), ["/limit"]);
    for query in ["", "?q=+", &format!("?q={}", "x".repeat(101))] {
        let answer = bff.get(&format!("/api/autocomplete{query}")).await;
        assert_eq!(answer.pointers(), ["/q"], "{query}");
    }
    assert!(bff.peer.take_calls().is_empty());
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
