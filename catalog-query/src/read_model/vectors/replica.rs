//! The vectors as searches of this replica find them: in memory, or in Postgres where not all of them
//! are in memory.

use std::collections::HashSet;
use std::sync::Arc;

use catalog_events::ProductId;
use futures_util::future::BoxFuture;

use crate::index::Hit;
use crate::read_model::vectors::memory::VectorMemory;
use crate::read_model::vectors::postgres::PgVectorIndex;
use crate::read_model::vectors::vector_index::{Pass, VectorIndex, VectorIndexError};

pub(crate) struct ReplicaVectors {
    pub(crate) memory: Arc<VectorMemory>,
    pub(crate) postgres: PgVectorIndex,
}

impl VectorIndex for ReplicaVectors {
    fn in_memory(&self) -> Option<Arc<VectorMemory>> {
        let live = self.postgres.live.load().generation;
        let here = self.memory.has_all_of(live);
        here.then(|| Arc::clone(&self.memory))
    }

    fn nearest<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        self.postgres.nearest(vector, limit)
    }

    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> BoxFuture<'a, Result<Option<Vec<f32>>, VectorIndexError>> {
        match self.in_memory().and_then(|memory| memory.vector_of(id)) {
            Some(vector) => Box::pin(async { Ok(vector) }),
            None => self.postgres.vector_of(id),
        }
    }

    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        self.postgres.nearest_of(vector, ids, limit)
    }

    fn without_vector<'a>(
        &'a self,
        ids: &'a [ProductId],
    ) -> BoxFuture<'a, Result<HashSet<ProductId>, VectorIndexError>> {
        match self
            .in_memory()
            .and_then(|memory| memory.without_vector(ids))
        {
            Some(without) => Box::pin(async { Ok(without) }),
            None => self.postgres.without_vector(ids),
        }
    }

    fn nearest_passing<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
        pass: &'a Pass,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        self.postgres.nearest_passing(vector, limit, pass)
    }
}
