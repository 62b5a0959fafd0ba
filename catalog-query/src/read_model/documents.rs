//! Document rows as messages.

use catalog_events::{Product, Version};
use catalog_proto::v1;
use sqlx::types::Json;

/// A live document; tombstones are filtered by the statements.
#[derive(sqlx::FromRow)]
pub(crate) struct DocumentRow {
    pub(crate) product_id: String,
    pub(crate) version: i64,
    pub(crate) product: Json<Product>,
}

impl DocumentRow {
    /// None when the version is none, which no projection writes.
    pub(crate) fn into_message(self) -> Option<v1::Product> {
        Some(self.product.0.to_message(Version::new(self.version)?))
    }
}
