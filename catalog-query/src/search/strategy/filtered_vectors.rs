//! Finds the nearest products that pass a filter. The keyword index knows which products pass, and
//! Postgres has the vectors. Where few pass, their vectors are compared one by one; where many
//! pass, the index of the vectors is walked until enough have passed.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::FutureExt as _;

use crate::index::Hit;
use crate::read_model::VectorIndexError;
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::strategy::scope::{Near, Scope};
use crate::search::strategy::vector::VectorSearch;

/// Up to so many vectors are compared one by one: at this number, both ways take about as long.
const EXACT_PRODUCTS_MAX: u64 = 5_000;
/// Where at most this share of all products pass, their vectors are always compared one by one: the
/// walk would be long.
const EXACT_SHARE_MAX: f64 = 0.02;

impl VectorSearch {
    /// The nearest products that pass: `limit` of them, wherever so many pass and have a vector.
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
        self.within_scope(hits, f32::NEG_INFINITY, scope, None)
            .await
    }

    /// The hits that the scope has. Those from `floor` on are its set. What the numbers of a query say
    /// is no matter of meaning: with `understood`, the hits of the set have all of them.
    pub(crate) async fn within_scope(
        &self,
        hits: Vec<Hit>,
        floor: f32,
        scope: &Scope,
        understood: Option<Arc<UnderstoodQuery>>,
    ) -> Result<Near, VectorIndexError> {
        if !scope.is_built {
            // An index that is being built cannot tell which products there are.
            return Ok(Near {
                hits,
                floor,
                ..Near::default()
            });
        }
        let scope = scope.clone();
        self.executor
            .run(move |_| {
                let with_numbers = match understood {
                    Some(understood) => understood.with_numbers(&scope.snapshot)?,
                    None => None,
                };
                scope.near(hits, floor, with_numbers.as_ref())
            })
            .await
            .map_err(|err| VectorIndexError(err.into()))
    }

    /// The nearest products that pass the filter of the scope, in whichever way is quicker.
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

    /// Walks the index of the vectors until `limit` products have passed or it ends.
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
                let near = executor
                    .run(move |_| scope.near(hits, f32::NEG_INFINITY, None))
                    .await;
                near.map(|near| near.hits)
                    .map_err(|err| VectorIndexError(err.into()))
            }
            .boxed()
        };
        self.vectors.nearest_passing(vector, limit, &pass).await
    }

    /// Compares the vectors of all products that pass.
    async fn exactly(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorIndexError> {
        let all = scope.clone();
        let ids = self
            .executor
            .run(move |_| all.ids())
            .await
            .map_err(|err| VectorIndexError(err.into()))?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.vectors.nearest_of(vector, &ids, limit).await
    }
}
