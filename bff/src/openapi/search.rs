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
    verbatim: Option<bool>,
    highlight: Option<Highlighting>,
    untracked: Option<bool>,
    filter: Option<Filter>,
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
    all: Option<Vec<Filter>>,
    any: Option<Vec<Filter>>,
    not: Option<Box<Filter>>,
    /// `brand`, `category`, `status`, `currency`, `price`, `created_at` or `attr.NAME`.
    field: Option<String>,
    /// Any of these values.
    r#in: Option<Vec<String>>,
    min: Option<f64>,
    max: Option<f64>,
    /// Less than this.
    below: Option<f64>,
}

/// Several searches.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"searches": [{"q": "headset"}, {"q": "mouse", "limit": 5}]}))]
pub(crate) struct MultiSearch {
    #[schema(min_items = 1, max_items = 20)]
    searches: Vec<Search>,
}
