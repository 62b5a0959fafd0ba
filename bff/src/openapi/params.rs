//! The parameters of requests in the OpenAPI document.
#![expect(
    dead_code,
    reason = "the types describe parameters; none of them is ever made"
)]

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ProductPathParams {
    /// The product.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "headset-1")]
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RulePathParams {
    /// The rule.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "sofas")]
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ApiKeyPathParams {
    /// The key.
    #[param(
        pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        example = "01a2277a-2b33-775b-99dd-ae7d42cab0ab"
    )]
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WebhookPathParams {
    /// The webhook.
    #[param(
        pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        example = "01a2277a-2b33-775b-99dd-ae7d42cab0ab"
    )]
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitingListParams {
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i32>,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApiKeyListParams {
    #[param(minimum = 1, maximum = 100, default = 100)]
    limit: Option<i32>,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
    /// Whether keys that are revoked or expired are listed too.
    ended: Option<bool>,
}

/// Waits for writes.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct ReadHeaders {
    /// Tokens of writes that the answer must know, as their answers gave them; at most 100, with commas.
    #[param(
        rename = "Catalog-Consistency",
        pattern = "^([A-Za-z0-9_-]{1,256}(, ?[A-Za-z0-9_-]{1,256}){0,99})?$"
    )]
    consistency: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct CachedHeaders {
    /// The tags of what the client holds; if it is still that, the answer is 304.
    #[param(rename = "If-None-Match", example = "\"7\"")]
    if_none_match: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct WriteHeaders {
    /// A request that is sent again under its key is answered as it was the first time.
    #[param(rename = "Idempotency-Key", pattern = "^[!-~]{1,255}$")]
    idempotency_key: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct ConditionHeaders {
    /// The versions that the client knows, as their `ETag`; `*` for any.
    #[param(
        rename = "If-Match",
        pattern = r#"^(\*|(W/)?"[^"]*"( ?, ?(W/)?"[^"]*")*)$"#,
        example = "\"7\""
    )]
    if_match: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct PutHeaders {
    /// The versions that the client knows, as their `ETag`; `*` for any.
    #[param(
        rename = "If-Match",
        pattern = r#"^(\*|(W/)?"[^"]*"( ?, ?(W/)?"[^"]*")*)$"#,
        example = "\"7\""
    )]
    if_match: Option<String>,
    /// `*`: only if there is none yet.
    #[param(rename = "If-None-Match", pattern = "^\\*$")]
    if_none_match: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PastParams {
    /// The product as it was at this time.
    #[param(format = DateTime)]
    as_of: Option<String>,
    /// The product at this version.
    #[param(minimum = 1)]
    as_of_version: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Up to 100 ids; they exclude the other parameters.
    #[param(max_items = 100)]
    ids: Option<Vec<String>>,
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i32>,
    /// The `next_page_token` of the page before, with the same parameters.
    page_token: Option<String>,
    /// Only products that were last changed at this time or later, the oldest change first.
    #[param(format = DateTime)]
    updated_since: Option<String>,
    /// Only products of these part numbers; letter case and signs are of no account.
    #[param(max_items = 100)]
    sku: Option<Vec<String>>,
    /// Only products of these GTINs; leading zeros are of no account.
    #[param(max_items = 100)]
    gtin: Option<Vec<String>>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    format: Option<ExportFormat>,
    /// Members in this order, with commas: also version, created_at, updated_at, price_minor and
    /// attributes.NAME; all that an import reads, unless told.
    fields: Option<String>,
    /// The products as they were at this position of the event log; as they are, unless told.
    #[param(minimum = 1)]
    position: Option<i64>,
    /// The `Catalog-Event` of an answer that is gone on with: another catalog is then refused.
    event: Option<String>,
    /// Only products behind this id: the last one of an answer that broke off.
    after: Option<String>,
    /// Only products of exactly this brand.
    brand: Option<String>,
    /// Only products of this category path with `>` between its levels, or below it.
    category: Option<String>,
    status: Option<StatusParam>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    Jsonl,
    Csv,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusParam {
    Active,
    Discontinued,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// Only changes before this version.
    #[param(minimum = 1)]
    before_version: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// The products to follow; without any, all of them, and search rules too.
    #[param(max_items = 100)]
    ids: Option<Vec<String>>,
    /// The types to be told, or `product.*` and `rule.*`; without any, all of them.
    #[param(example = json!(["product.price_changed"]))]
    types: Option<Vec<String>>,
    /// The place in the logs after which events are told, as `id` tells it; `0.0` tells all there ever were.
    /// From now on unless it is stated.
    #[param(pattern = "^[0-9]{1,18}(\\.[0-9]{1,18})?$", example = "120.7")]
    from: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct EventHeaders {
    /// The `id` of the last event that the client was told, which a browser sends by itself when it connects
    /// again. It comes before `from`.
    #[param(
        rename = "Last-Event-ID",
        pattern = "^([0-9]{1,18}(\\.[0-9]{1,18})?)?$"
    )]
    last_event_id: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// What to search for; needed unless there is a filter or an order.
    #[param(max_length = 1000, example = "usb headset")]
    q: Option<String>,
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    strategy: Option<Strategy>,
    sort: Option<Sort>,
    /// Whether products need all words, any, or all as far as there are such products.
    r#match: Option<MatchMode>,
    /// Whether the last word may be the beginning of one.
    prefix: Option<PrefixMode>,
    /// The `next_page_token` of the page before, with the same parameters.
    page_token: Option<String>,
    /// The ranking profile.
    profile: Option<String>,
    /// Fields whose values are counted: `brand,price:50,attributes.colour:size=20:q=blu,auto`.
    facets: Option<String>,
    /// The members of products that are answered, with commas; `attributes.NAME` is one attribute.
    fields: Option<String>,
    discontinued: Option<DiscontinuedMode>,
    /// Whether the answer tells how it came about.
    explain: Option<bool>,
    /// A product; the answer tells why it is not on the page.
    #[param(example = "headset-1")]
    why_not: Option<String>,
    /// Whether the query is searched as typed, without corrections.
    verbatim: Option<bool>,
    /// Whether matches are marked, and in which units.
    highlight: Option<HighlightMode>,
    /// Whether the search is left out of the statistics.
    untracked: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SimilarParams {
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// The members of products that are answered, with commas; `attributes.NAME` is one attribute.
    fields: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RuleListParams {
    r#type: Option<RuleTypeParam>,
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i32>,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleTypeParam {
    Synonyms,
    Curation,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Strategy {
    Keyword,
    Vector,
    Hybrid,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    Relevance,
    Price,
    #[serde(rename = "-price")]
    PriceDescending,
    Newest,
    Popularity,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MatchMode {
    Auto,
    All,
    Any,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PrefixMode {
    Last,
    None,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DiscontinuedMode {
    Show,
    Hide,
    Last,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HighlightMode {
    True,
    False,
    Utf16,
}

/// The parameters of a filter: those of one name are alternatives, and all names must hold.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParams {
    brand: Option<Vec<String>>,
    status: Option<Vec<String>>,
    #[param(example = json!(["EUR"]))]
    currency: Option<Vec<String>>,
    /// A category path with ` > ` between its parts; categories below it pass too.
    category: Option<Vec<String>>,
    price: Option<Vec<String>>,
    /// In major units of the currency asked for, else of that of the catalog.
    price_min: Option<f64>,
    price_max: Option<f64>,
    price_below: Option<f64>,
    created_at: Option<Vec<String>>,
    /// A time such as `2026-01-31T12:00:00.5Z`, or seconds since 1970.
    #[param(inline)]
    created_at_min: Option<Moment>,
    #[param(inline)]
    created_at_max: Option<Moment>,
    #[param(inline)]
    created_at_below: Option<Moment>,
    #[param(rename = "not.brand")]
    not_brand: Option<Vec<String>>,
    #[param(rename = "not.status")]
    not_status: Option<Vec<String>>,
    #[param(rename = "not.currency")]
    not_currency: Option<Vec<String>>,
    #[param(rename = "not.category")]
    not_category: Option<Vec<String>>,
    #[param(rename = "not.price")]
    not_price: Option<Vec<String>>,
    #[param(rename = "not.created_at")]
    not_created_at: Option<Vec<String>>,
    /// Attributes: `attr.NAME=VALUE`, `attr.NAME.min=1`, `attr.NAME.max=9`, `not.attr.NAME=VALUE`.
    #[param(style = Form, explode, example = json!({"attr.colour": "black"}))]
    attributes: Option<BTreeMap<String, String>>,
}

/// A time, or seconds since 1970.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Moment {
    Time(String),
    Seconds(f64),
}
