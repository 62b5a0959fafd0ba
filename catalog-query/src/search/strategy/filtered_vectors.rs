//! Finds the nearest products that may be found. The keyword index knows which these are; the vectors are
//! in the memory of this replica or else in Postgres. Where few products pass a filter, their vectors are
//! compared one by one; where many pass, the nearest are asked for until enough have passed.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::FutureExt as _;

use crate::index::{Hit, KeywordIndex};
use crate::read_model::{VectorIndexError, VectorMemory};
use crate::search::error::SearchError;
use crate::search::strategy::scope::{Near, Scope, Within};
use crate::search::strategy::vector::VectorSearch;

/// Up to so many vectors are compared one by one: at this number, both ways take about as long.
const EXACT_PRODUCTS_MAX: u64 = 5_000;
/// Where at most this share of all products pass, their vectors are always compared one by one: the
/// walk would be long.
const EXACT_SHARE_MAX: f64 = 0.02;

impl VectorSearch {
    /// Those of the `depth` products nearest to `vector` that may be found.
    pub(crate) async fn find(
        &self,
        vector: Vec<f32>,
        depth: usize,
        within: Within,
    ) -> Result<Near, VectorIndexError> {
        if let Some(memory) = self.vectors.in_memory() {
            let (vector, within) = (vector.clone(), within.clone());
            let compare = move |_: &KeywordIndex| {
                let hits = memory.nearest(&vector, depth);
                hits.map(|hits| within.near(hits)).transpose()
            };
            if let Some(near) = self.executor.run(compare).await.map_err(failed)? {
                return Ok(near);
            }
        }
        let hits = self.vectors.nearest(&vector, depth).await?;
        self.those_within(within, hits).await
    }

    async fn those_within(&self, within: Within, hits: Vec<Hit>) -> Result<Near, VectorIndexError> {
        if !within.scope.is_built {
            // It asks the index nothing, and nobody has to wait for a core.
            return within
                .near(hits)
                .map_err(|err| failed(SearchError::Unavailable(err.into())));
        }
        let near = self.executor.run(move |_| within.near(hits)).await;
        near.map_err(failed)
    }

    /// The nearest products that pass: `limit` of them, wherever so many pass and have a vector.
    pub(crate) async fn nearest(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Near, VectorIndexError> {
        if scope.filter.is_none() {
            let all = Within::all_of(scope);
            return self.find(vector.to_vec(), limit, all).await;
        }
        let hits = match self.vectors.in_memory() {
            Some(memory) => self.passing_in_memory(memory, vector, limit, scope).await?,
            None => None,
        };
        let hits = match hits {
            Some(hits) => hits,
            None => self.nearest_passing(vector, limit, scope).await?,
        };
        self.those_within(Within::all_of(scope), hits).await
    }

    /// The nearest products that pass, by the vectors in memory: of few products all are compared, of
    /// many the nearest until enough have passed.
    async fn passing_in_memory(
        &self,
        memory: Arc<VectorMemory>,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, VectorIndexError> {
        let (vector, scope) = (vector.to_vec(), scope.clone());
        let compare = move |_: &KeywordIndex| {
            if are_few(&scope) {
                return Ok(memory.nearest_of(&vector, &scope.ids()?, limit));
            }
            let pass = |hits| Ok(scope.near(hits, f32::NEG_INFINITY, None)?.hits);
            memory.nearest_passing(&vector, limit, pass)
        };
        self.executor.run(compare).await.map_err(failed)
    }

    /// The nearest products that pass the filter of the scope, in whichever way is quicker.
    async fn nearest_passing(
        &self,
        vector: &[f32],
        limit: usize,
        scope: &Scope,
    ) -> Result<Vec<Hit>, VectorIndexError> {
        if !are_few(scope) {
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
                near.map(|near| near.hits).map_err(failed)
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
            .map_err(failed)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.vectors.nearest_of(vector, &ids, limit).await
    }
}

/// Whether so few products pass that all of them are compared.
fn are_few(scope: &Scope) -> bool {
    let (passing, all) = scope.passing();
    passing <= EXACT_PRODUCTS_MAX || passing as f64 <= all as f64 * EXACT_SHARE_MAX
}

fn failed(err: SearchError) -> VectorIndexError {
    VectorIndexError(err.into())
}
