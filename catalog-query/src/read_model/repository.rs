//! The port through which the gRPC service reads products by id, and its Postgres side.

use std::collections::HashMap;
use std::future::Future;

use catalog_events::{ProductId, Version};

use crate::read_model::LiveReadModel;
use crate::read_model::documents::{self, DocumentRow, Held};

#[derive(Debug, thiserror::Error)]
#[error("the read model does not answer")]
pub(crate) struct RepositoryError(#[from] sqlx::Error);

/// The versions that answers must have at least.
pub(crate) type AtLeast = HashMap<ProductId, Version>;

pub(crate) trait ProductRepository: Send + Sync + 'static {
    /// The generation of the read model that answers now.
    fn generation(&self) -> i64;

    /// Reads a product, anew when what is at hand is older than `at_least`. The answer may be older
    /// than that still.
    fn get(
        &self,
        id: &ProductId,
        at_least: Option<Version>,
    ) -> impl Future<Output = Result<Held, RepositoryError>> + Send;

    /// Reads several products in the same way; an id that the read model never heard of is left out.
    fn get_many(
        &self,
        ids: &[ProductId],
        at_least: &AtLeast,
    ) -> impl Future<Output = Result<HashMap<ProductId, Held>, RepositoryError>> + Send;

    /// Returns what is at hand without asking the database.
    fn at_hand(&self, id: &ProductId) -> impl Future<Output = Option<Held>> + Send;
}

/// Reads from the live generation: every answer is the present one.
pub(crate) struct PostgresProductRepository {
    pub(crate) live: LiveReadModel,
}

impl ProductRepository for PostgresProductRepository {
    fn generation(&self) -> i64 {
        self.live.load().generation
    }

    async fn get(
        &self,
        id: &ProductId,
        _at_least: Option<Version>,
    ) -> Result<Held, RepositoryError> {
        let live = self.live.load_full();
        let row = documents::find(&live.pool, id.as_str()).await?;
        Ok(row.map(DocumentRow::into_held).unwrap_or_default())
    }

    async fn get_many(
        &self,
        ids: &[ProductId],
        _at_least: &AtLeast,
    ) -> Result<HashMap<ProductId, Held>, RepositoryError> {
        let live = self.live.load_full();
        let names: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
        let rows = documents::find_many(&live.pool, &names).await?;
        let found = rows
            .into_iter()
            .filter_map(|row| Some((row.product_id.parse().ok()?, row.into_held())));
        Ok(found.collect())
    }

    async fn at_hand(&self, _id: &ProductId) -> Option<Held> {
        None
    }
}
