//! Document rows as what readers get.

use std::sync::Arc;

use catalog_events::{Position, Product, Version};
use sqlx::types::Json;

use crate::read_model::Held;

/// A document or a tombstone.
#[derive(sqlx::FromRow)]
pub(crate) struct DocumentRow {
    pub(crate) product_id: String,
    version: i64,
    position: i64,
    product: Option<Json<Product>>,
}

impl DocumentRow {
    pub(crate) fn into_held(self) -> Held {
        let version = Version::new(self.version);
        let message = |product: Json<Product>| Some(Arc::new(product.0.to_message(version?)));
        Held {
            version,
            position: Position::from_i64(self.position),
            product: self.product.and_then(message),
        }
    }
}
