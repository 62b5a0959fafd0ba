//! The shapes of API keys in the OpenAPI document.
#![expect(
    dead_code,
    reason = "the types describe JSON; none of them is ever made"
)]

use serde::Serialize;
use utoipa::ToSchema;

/// A key to be made.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Shop window", "scopes": ["search", "read"], "requests_per_second": 50}))]
pub(crate) struct NewApiKey {
    /// What the key is for.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What the key allows: no more than the caller may do.
    #[schema(min_items = 1)]
    scopes: Vec<ScopeName>,
    /// The time from which on it is not valid any more; never unless it is stated.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The origins whose pages may use the key, such as `https://shop.example`.
    #[schema(max_items = 100)]
    allowed_origins: Option<Vec<String>>,
    /// The filter that every search with the key is held to, as a query string such as `brand=Acme`.
    #[schema(max_length = 4000)]
    forced_filter: Option<String>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    requests_per_second: Option<i32>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScopeName {
    Search,
    Read,
    Write,
    Rules,
    Operate,
}

/// How a key gets a new secret.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"grace_seconds": 3600}))]
pub(crate) struct Rotation {
    /// For how many seconds the present secret stays valid; it ends at once unless told.
    #[schema(nullable = false, minimum = 0, maximum = 2_592_000)]
    grace_seconds: Option<i64>,
}
