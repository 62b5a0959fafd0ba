//! The vectors of a small catalog, made by the real model and compared one by one.

use std::collections::HashSet;
use std::sync::Arc;

use catalog_events::{Product, ProductId};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::OnceCell;

use crate::embedding::{Embedder, LocalEmbedder, embedding_text};
use crate::index::Hit;
use crate::read_model::{Pass, VectorIndex, VectorIndexError};

static MODEL: OnceCell<Arc<LocalEmbedder>> = OnceCell::const_new();

/// The vectors of products.
pub(super) struct Vectors(Vec<(ProductId, Vec<f32>)>);

/// The model and the vectors that it gives these products.
pub(super) async fn of(products: &[Product]) -> (Arc<dyn Embedder>, Vectors) {
    let load = || async {
        let model = devkit::embedding_model().await.expect("model");
        Arc::new(LocalEmbedder::load(&model.folder, 2).expect("embedder"))
    };
    let embedder = Arc::clone(MODEL.get_or_init(load).await);
    let texts = products.iter().map(embedding_text).collect();
    let vectors = embedder.embed(texts).await.expect("vectors");
    let ids = products.iter().map(|product| product.id.clone());
    (embedder, Vectors(ids.zip(vectors).collect()))
}

impl Vectors {
    /// All products, nearest first.
    fn all(&self, vector: &[f32]) -> Vec<Hit> {
        let cosine = |other: &[f32]| -> f32 { vector.iter().zip(other).map(|(a, b)| a * b).sum() };
        let hits = self.0.iter().map(|(id, other)| Hit {
            product_id: id.clone(),
            score: cosine(other),
        });
        let mut hits: Vec<Hit> = hits.collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits
    }
}

impl VectorIndex for Vectors {
    fn nearest<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        let mut hits = self.all(vector);
        hits.truncate(limit);
        async move { Ok(hits) }.boxed()
    }

    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> BoxFuture<'a, Result<Option<Vec<f32>>, VectorIndexError>> {
        let known = self.0.iter().find(|(known, _)| known == id);
        let vector = known.map(|(_, vector)| vector.clone());
        async move { Ok(vector) }.boxed()
    }

    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        let mut hits = self.all(vector);
        hits.retain(|hit| ids.contains(&hit.product_id));
        hits.truncate(limit);
        async move { Ok(hits) }.boxed()
    }

    fn without_vector<'a>(
        &'a self,
        _: &'a [ProductId],
    ) -> BoxFuture<'a, Result<HashSet<ProductId>, VectorIndexError>> {
        async move { Ok(HashSet::new()) }.boxed()
    }

    fn nearest_passing<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
        pass: &'a Pass,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        let all = self.all(vector);
        async move {
            let mut hits = pass(all).await?;
            hits.truncate(limit);
            Ok(hits)
        }
        .boxed()
    }
}
