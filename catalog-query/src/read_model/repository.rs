//! Products by id: the port that the gRPC service reads through, and its Postgres side.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use catalog_events::ProductId;
use catalog_proto::v1;

use crate::read_model::LiveReadModel;
use crate::read_model::documents::DocumentRow;

#[derive(Debug, thiserror::Error)]
#[error("the read model does not answer")]
pub(crate) struct RepositoryError(#[from] sqlx::Error);

pub(crate) trait ProductRepository: Send + Sync + 'static {
    fn get(
        &self,
        id: &ProductId,
    ) -> impl Future<Output = Result<Option<Arc<v1::Product>>, RepositoryError>> + Send;

    /// Those of `ids` that exist.
    fn get_many(
        &self,
        ids: &[ProductId],
    ) -> impl Future<Output = Result<HashMap<ProductId, Arc<v1::Product>>, RepositoryError>> + Send;
}

pub(crate) struct PostgresProductRepository {
    pub(crate) live: LiveReadModel,
}

impl ProductRepository for PostgresProductRepository {
    async fn get(&self, id: &ProductId) -> Result<Option<Arc<v1::Product>>, RepositoryError> {
        let live = self.live.load_full();
        let row: Option<DocumentRow> = sqlx::query_as(
            "SELECT product_id, version, product FROM documents
             WHERE product_id = $1 AND product IS NOT NULL",
        )
        .bind(id.as_str())
        .fetch_optional(&live.pool)
        .await?;
        Ok(row.and_then(DocumentRow::into_message).map(Arc::new))
    }

    async fn get_many(
        &self,
        ids: &[ProductId],
    ) -> Result<HashMap<ProductId, Arc<v1::Product>>, RepositoryError> {
        let live = self.live.load_full();
        let names: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
        let rows: Vec<DocumentRow> = sqlx::query_as(
            "SELECT product_id, version, product FROM documents
             WHERE product_id = ANY($1) AND product IS NOT NULL",
        )
        .bind(&names)
        .fetch_all(&live.pool)
        .await?;
        let found = rows.into_iter().filter_map(|row| {
            let id = row.product_id.parse().ok()?;
            Some((id, Arc::new(row.into_message()?)))
        });
        Ok(found.collect())
    }
}
