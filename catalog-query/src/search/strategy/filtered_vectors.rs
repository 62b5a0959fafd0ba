//! The nearest products that pass a filter. The filter is known to the keyword index and the vectors
//! to Postgres: few that pass are compared one by one, of many the index of the vectors is walked
//! until enough have passed.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::FutureExt as _;

use crate::index::Hit;
use crate::read_model::VectorIndexError;
use crate::search::strategy::scope::{Near, Scope};
use crate::search::strategy::vector::VectorSearch;

/// So many are compared one by one; at this number, both ways take about as long.
const EXACT_PRODUCTS_MAX: u64 = 5_000;
/// Also when they are more, where they are less than this share of all: the walk would be long.
const EXACT_SHARE_MAX: f64 = 0.02;

impl VectorSearch {
    /// As many as `limit` whenever so many pass and have a vector.
    pub(crate) async fn nearest(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Near, VectorIndexError> {
        let hits = match scope.filter {
            Some(_) => self.nearest_passing(vector, limit, scope).await?,
            None => self.vectors.nearest(vector, limit).await?,
        };
        if !scope.is_built {
            // It cannot tell who there is, and does not wait for those who build it.
            return Ok(Near {
                hits,
                ..Near::default()
            });
        }
        let scope = scope.clone();
        let near = self.executor.run(move |_| scope.near(hits)).await;
        near.map_err(|err| VectorIndexError(err.into()))
    }

    async fn nearest_passing(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorIndexError> {
        let (passing, all) = scope.passing();
        let few = passing <= EXACT_PRODUCTS_MAX || passing as f64 <= all as f64 * EXACT_SHARE_MAX;
        if !few {
            let found = self.walk(vector, limit, scope).await?;
            if found.len() >= limit {
                return Ok(found);
            }
        }
        self.exactly(vector, limit, scope).await
    }

    async fn walk(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorIndexError> {
        let (executor, scope) = (Arc::clone(&self.executor), scope.clone());
        let pass = move |hits| {
            let (executor, scope) = (Arc::clone(&executor), scope.clone());
            async move {
                let passing = executor.run(move |_| scope.near(hits)).await;
                let passing = passing.map(|near| near.hits);
                passing.map_err(|err| VectorIndexError(err.into()))
            }
            .boxed()
        };
        self.vectors.nearest_passing(vector, limit, &pass).await
    }

    async fn exactly(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorIndexError> {
        let all = scope.clone();
        let ids = self.executor.run(move |_| all.ids()).await;
        let ids = ids.map_err(|err| VectorIndexError(err.into()))?;
        match ids.is_empty() {
            true => Ok(Vec::new()),
            false => self.vectors.nearest_of(vector, &ids, limit).await,
        }
    }
}
