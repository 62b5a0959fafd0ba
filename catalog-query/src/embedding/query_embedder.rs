//! Vectors of queries, and of recent ones from memory: shoppers ask for the same things, and a query
//! costs milliseconds of a core.

use std::sync::Arc;

use moka::future::Cache;

use crate::embedding::{EmbedError, Embedder};

/// 384 numbers each: 15 MB.
const QUERIES_MAX: u64 = 10_000;

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

    /// The same query at the same time is embedded once.
    pub(crate) async fn embed(&self, query: &str) -> Result<Vec<f32>, EmbedError> {
        let vector = async { self.embedder.embed_query(query).await };
        let vector = self.recent.try_get_with_by_ref(query, vector).await;
        vector.map_err(EmbedError::Shared)
    }
}
