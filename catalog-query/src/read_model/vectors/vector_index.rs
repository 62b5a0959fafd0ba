//! The port through which searches find the vectors of products.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;

use catalog_events::ProductId;
use futures_util::future::BoxFuture;

use crate::index::Hit;
use crate::read_model::vectors::memory::VectorMemory;

/// Finds products by their vectors.
pub(crate) trait VectorIndex: Send + Sync {
    /// The memory that holds the vectors, where one does. They are compared in it by whoever has a core
    /// for that, in the same job as what comes after.
    fn in_memory(&self) -> Option<Arc<VectorMemory>> {
        None
    }

    /// Finds the `limit` products nearest to `vector` by cosine, nearest first.
    fn nearest<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;

    /// Reads the vector of a product, if it has one.
    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> BoxFuture<'a, Result<Option<Vec<f32>>, VectorIndexError>>;

    /// Finds the nearest of these products, without an approximation.
    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;

    /// Tells which of these products have no vector of their present text yet.
    fn without_vector<'a>(
        &'a self,
        ids: &'a [ProductId],
    ) -> BoxFuture<'a, Result<HashSet<ProductId>, VectorIndexError>>;

    /// Finds the nearest products that `pass` lets through, nearest first: fewer than `limit` when the
    /// search was given up.
    fn nearest_passing<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
        pass: &'a Pass,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;
}

/// A filter that keeps the hits that may be found, in their order.
pub(crate) type Pass =
    dyn Fn(Vec<Hit>) -> BoxFuture<'static, Result<Vec<Hit>, VectorIndexError>> + Send + Sync;

#[derive(Debug, thiserror::Error)]
#[error("the vectors cannot be searched")]
pub(crate) struct VectorIndexError(#[source] pub(crate) Box<dyn Error + Send + Sync>);
