//! Where searches find the vectors of the products.

use std::error::Error;

use catalog_events::ProductId;
use futures_util::future::BoxFuture;

use crate::index::Hit;

/// Where the vectors of the products are.
pub(crate) trait VectorIndex: Send + Sync {
    /// The `limit` products nearest to `vector` by cosine, nearest first.
    fn nearest<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;

    /// The vector of a product, if it has one.
    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> BoxFuture<'a, Result<Option<Vec<f32>>, VectorIndexError>>;

    /// The nearest of these products, found without an approximation.
    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;

    /// The nearest that `pass`, nearest first. Fewer than `limit` when the search was given up.
    fn nearest_passing<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
        pass: &'a Pass,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>>;
}

/// Keeps those that may be found, in their order.
pub(crate) type Pass =
    dyn Fn(Vec<Hit>) -> BoxFuture<'static, Result<Vec<Hit>, VectorIndexError>> + Send + Sync;

#[derive(Debug, thiserror::Error)]
#[error("the vectors cannot be searched")]
pub(crate) struct VectorIndexError(#[source] pub(crate) Box<dyn Error + Send + Sync>);
