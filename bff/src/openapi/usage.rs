//! The shapes of what clients tell of searches.

use serde::Serialize;
use utoipa::ToSchema;

/// A product that was opened from a search.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"search_id": "0199c2f0-0000-7000-8000-000000000000", "product_id": "headset-1", "position": 3}))]
pub(crate) struct Click {
    /// As the first page of the search gave it.
    #[schema(min_length = 1)]
    search_id: String,
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    product_id: String,
    /// The place on all pages, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    position: i32,
}
