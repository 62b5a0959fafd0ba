//! The shapes of searches that are bodies.
#![expect(
    dead_code,
    reason = "the types describe JSON; none of them is ever made"
)]

use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::params::{
    DiscontinuedMode, HighlightMode, MatchMode, PrefixMode, Sort, Strategy,
};

/// A search; the parameters of its filter (`brand`, `price_max`, `attr.NAME`, …) may stand here too.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"q": "usb headset", "facets": ["brand", "auto"],
    "filter": {"any": [{"field": "brand", "in": ["Acme"]}, {"field": "price", "max": 50}]}}))]
pub(crate) struct Search {
    #[schema(max_length = 1000)]
    q: Option<String>,
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<i32>,
    strategy: Option<Strategy>,
    sort: Option<Sort>,
    r#match: Option<MatchMode>,
    prefix: Option<PrefixMode>,
    page_token: Option<String>,
    profile: Option<String>,
    facets: Option<Vec<String>>,
    fields: Option<Vec<String>>,
    discontinued: Option<DiscontinuedMode>,
    explain: Option<bool>,
    why_not: Option<String>,
    verbatim: Option<bool>,
    highlight: Option<Highlighting>,
    untracked: Option<bool>,
    filter: Option<Filter>,
    /// Rules that are tried out, each in place of the one with its id; the key needs the scope `rules`.
    #[schema(max_items = 10)]
    draft_rules: Option<Vec<super::rule::NewSearchRule>>,
}

/// Whether matches are marked: in bytes, or in UTF-16 units.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Highlighting {
    Flag(bool),
    Mode(HighlightMode),
}

/// A condition on products: state one of `all`, `any`, `not` and `field`, at most 10 levels deep.
#[derive(Serialize, ToSchema)]
#[schema(no_recursion)]
pub(crate) struct Filter {
    #[schema(nullable = false)]
    all: Option<Vec<Filter>>,
    #[schema(nullable = false)]
    any: Option<Vec<Filter>>,
    #[schema(nullable = false)]
    not: Option<Box<Filter>>,
    /// `brand`, `category`, `status`, `currency`, `price`, `created_at` or `attr.NAME`.
    #[schema(nullable = false)]
    field: Option<String>,
    /// Any of these values.
    #[schema(nullable = false)]
    r#in: Option<Vec<String>>,
    #[schema(inline, nullable = false)]
    min: Option<Bound>,
    #[schema(inline, nullable = false)]
    max: Option<Bound>,
    /// Less than this.
    #[schema(inline, nullable = false)]
    below: Option<Bound>,
}

/// A number, or a time such as `2026-01-31T12:00:00.5Z` for `created_at`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Bound {
    Number(f64),
    Time(String),
}

/// Several searches.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"searches": [{"q": "headset"}, {"q": "mouse", "limit": 5}]}))]
pub(crate) struct MultiSearch {
    #[schema(min_items = 1, max_items = 20)]
    searches: Vec<Search>,
}

/// Several searches of an Algolia client. Other members of requests are passed over.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"requests": [{"indexName": "products", "query": "headset", "facets": ["brand"], "hitsPerPage": 5}]}))]
pub(crate) struct InstantQueries {
    #[schema(min_items = 1, max_items = 50)]
    requests: Vec<InstantQuery>,
}

/// One search of an Algolia client.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstantQuery {
    index_name: Option<String>,
    #[schema(max_length = 1000)]
    query: Option<String>,
    #[schema(minimum = 0, maximum = 1000)]
    page: Option<i32>,
    #[schema(minimum = 0, maximum = 100)]
    hits_per_page: Option<i32>,
    /// Names of fields, or one.
    #[schema(value_type = Option<serde_json::Value>, example = json!(["brand"]))]
    facets: Option<()>,
    #[schema(minimum = 1, maximum = 1000)]
    max_values_per_facet: Option<i32>,
    #[schema(value_type = Option<serde_json::Value>, example = json!([["brand:Acme", "brand:Bolt"]]))]
    facet_filters: Option<()>,
    #[schema(value_type = Option<serde_json::Value>, example = json!(["price<=50"]))]
    numeric_filters: Option<()>,
    /// `facet` for a search within the values of a facet.
    r#type: Option<String>,
    facet: Option<String>,
    facet_query: Option<String>,
}

/// A search of an Algolia client within the values of a facet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"facetQuery": "ac"}))]
pub(crate) struct InstantFacetQuery {
    facet_query: Option<String>,
    #[schema(minimum = 1, maximum = 100)]
    max_facet_hits: Option<i32>,
    #[schema(max_length = 1000)]
    query: Option<String>,
}
