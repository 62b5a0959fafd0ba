//! Reads rows of documents and turns them into what readers get.

use catalog_events::{Position, Product, Version};
use catalog_proto::encoded;
use sqlx::PgExecutor;
use sqlx::types::Json;

/// The row of a document or a tombstone.
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
        let message = |product: Json<Product>| Some((&product.0.to_message(version?)).into());
        Held {
            version,
            position: Position::from_i64(self.position),
            product: self.product.and_then(message),
        }
    }
}

pub(crate) async fn find(db: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Option<DocumentRow>> {
    sqlx::query_as(
        "SELECT product_id, version, position, product FROM documents WHERE product_id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await
}

pub(crate) async fn find_many(
    db: impl PgExecutor<'_>,
    ids: &[&str],
) -> sqlx::Result<Vec<DocumentRow>> {
    sqlx::query_as(
        "SELECT product_id, version, position, product FROM documents
         WHERE product_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(db)
    .await
}

/// What the read model holds of a product.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// The version of the product or its tombstone; None when the read model never heard of it.
    pub(crate) version: Option<Version>,
    /// The position of the event that brought this version.
    pub(crate) position: Position,
    /// As it is answered: whoever asks gets these bytes.
    pub(crate) product: Option<encoded::Product>,
}
