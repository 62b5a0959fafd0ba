//! Embeds queries, and remembers the vectors of recent ones: shoppers ask for the same things, and
//! a query costs milliseconds of a core.

use std::sync::Arc;

use moka::future::Cache;

use crate::embedding::{EmbedError, Embedder};

/// The most vectors that are remembered: of 384 numbers each, 15 MB in all.
const QUERIES_MAX: u64 = 10_000;

/// An embedder of queries with a cache.
pub(crate) struct QueryEmbedder {
    embedder: Arc<dyn Embedder>,
    recent: Cache<String, Vec<f32>>,
}

impl QueryEmbedder {
    pub(crate) fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            recent: Cache::new(QUERIES_MAX),
        }
    }

    /// The vector of a query. Equal queries that come at the same time are embedded once.
    pub(crate) async fn embed(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        let vector = async { self.embedder.embed_query(query).await };
        self.recent
            .try_get_with_by_ref(query, vector)
            .await
            .map_err(EmbedError::Shared)
    }
}
