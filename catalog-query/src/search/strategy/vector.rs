//! Searches by meaning: finds the products whose vectors are nearest to that of the query.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::embedding::{EmbedError, QueryEmbedder};
use crate::read_model::{VectorIndex, VectorIndexError};
use crate::search::deadline::micros_since;
use crate::search::error::SearchError;
use crate::search::ranking::fusion::Legs;
use crate::search::request::prepare::PreparedQuery;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::keyword::KeywordSearch;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::ranker::rank;
use crate::search::strategy::scope::{Near, Scope, Within};
use crate::search::strategy::search_strategy::{SearchOutcome, SearchStrategy, StrategyRequest};
use crate::search::strategy::similarity_floor::{SIMILARITY_MAX, SimilarityFloors};

/// The leg by meaning.
pub(crate) struct VectorSearch {
    /// None without a model.
    pub(crate) embedder: Option<QueryEmbedder>,
    pub(crate) vectors: Arc<dyn VectorIndex>,
    /// Asks the keyword index which products pass a filter.
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) warnings: Warnings,
    pub(crate) floors: SimilarityFloors,
}

/// Why a search by meaning has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VectorError {
    #[error("there is no embedding model")]
    NoModel,
    #[error("the product has no vector yet")]
    NoVector,
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error(transparent)]
    Index(#[from] VectorIndexError),
    #[error("no answer in {0:?}")]
    Late(Duration),
}

impl VectorSearch {
    pub(crate) fn has_model(&self) -> bool {
        self.embedder.is_some()
    }

    /// The products of the scope among those that are nearest to a query, or an error at the deadline,
    /// and the microseconds that it took. A query without words has none, nor one in letters of which it
    /// is not known whether the model can read them.
    ///
    /// The nearest products are those of the whole catalog, so that a filter never makes a product
    /// match that would not match without it.
    pub(crate) async fn hits(
        &self,
        prepared: &PreparedQuery,
        request: &StrategyRequest,
    ) -> (Result<Near, VectorError>, u64) {
        let floor = self.floor(prepared, request);
        if prepared.has_no_words() || floor > SIMILARITY_MAX {
            let nothing = Near {
                floor,
                ..Near::default()
            };
            return (Ok(nothing), 0);
        }
        let started = Instant::now();
        let search = async {
            let embedder = self.embedder.as_ref().ok_or(VectorError::NoModel)?;
            let vector = embedder.embed(&prepared.understood.text).await?;
            let within = Within {
                scope: prepared.scope.clone(),
                floor,
                understood: Some(Arc::clone(&prepared.understood)),
            };
            Ok(self.find(vector, request.profile.depth, within).await?)
        };
        let deadline = request.deadline;
        let found = tokio::time::timeout_at(deadline.at, search)
            .await
            .unwrap_or(Err(VectorError::Late(deadline.budget)))
            .inspect_err(|err| self.log(err));
        (found, micros_since(started))
    }

    /// The answer by meaning alone.
    pub(crate) async fn answer(
        &self,
        request: &StrategyRequest,
        prepared: PreparedQuery,
        near: Near,
        micros: Vec<(&'static str, u64)>,
    ) -> Result<SearchOutcome, SearchError> {
        let hits = near.matching(&near.as_found(), None);
        let legs = Legs {
            vector: Some(&hits),
            coverage: 1.0,
            ..Legs::default()
        };
        Ok(SearchOutcome {
            hits: rank(&self.executor, request, &prepared, legs).await?,
            matched: None,
            relaxed: Vec::new(),
            similarity_floor: near.floor,
            strategy: StrategyKind::Vector,
            degraded: false,
            near: Some(near.matched),
            curated: prepared.curated,
            understood: prepared.understood,
            words: prepared.weights,
            vector_weight: request.profile.vector_weight,
            coverage: 1.0,
            micros,
        })
    }

    /// The similarity from which a product counts as near in meaning.
    fn floor(&self, prepared: &PreparedQuery, request: &StrategyRequest) -> f32 {
        let understood = &prepared.understood;
        let calibrated = self
            .floors
            .of(&understood.text, understood.has_known_word());
        calibrated.max(request.profile.similarity_floor as f32)
    }

    /// Logs why a search had no answer by meaning, now and then. A missing model or vector is not
    /// logged: every answer says that it is degraded.
    pub(crate) fn log(&self, err: &VectorError) {
        match err {
            VectorError::NoModel | VectorError::NoVector => {}
            VectorError::Embed(_) | VectorError::Index(_) | VectorError::Late(_) => {
                if let Some(unsaid) = self.warnings.take() {
                    let source = err.source().map(ToString::to_string);
                    tracing::warn!(source, unsaid, "vector search: {err}");
                }
            }
        }
    }
}

/// Bounds how often a fault that every search runs into is logged. Holds when one was logged last,
/// and how many were not since.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<(Option<Instant>, u64)>);

impl Warnings {
    const EVERY: Duration = Duration::from_secs(10);

    /// How many warnings were not logged since the last one; None when this one is not logged
    /// either.
    fn take(&self) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, unsaid) = &mut *told;
        if at.is_some_and(|at| at.elapsed() < Self::EVERY) {
            *unsaid += 1;
            return None;
        }
        *at = Some(Instant::now());
        Some(std::mem::take(unsaid))
    }
}

/// The strategy with the leg by meaning; the words answer when it fails.
pub(crate) struct VectorStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
    pub(crate) vector: Arc<VectorSearch>,
}

impl SearchStrategy for VectorStrategy {
    fn search<'a>(
        &'a self,
        request: &'a StrategyRequest,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let prepared = self
                .keyword
                .preparer
                .prepare(request, request.profile.words.clone(), scope)
                .await?;
            let (found, micros) = self.vector.hits(&prepared, request).await;
            let Ok(found) = found else {
                let deadline = request.deadline.with_grace();
                let answer = self.keyword.answer(request, &prepared, limit, deadline);
                return answer.await.map(|answer| SearchOutcome {
                    degraded: true,
                    ..answer
                });
            };
            let micros = vec![("understanding", prepared.micros), ("vector", micros)];
            self.vector.answer(request, prepared, found, micros).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_once_in_a_while() {
        let warnings = Warnings::default();
        assert_eq!(warnings.take(), Some(0));
        assert_eq!([warnings.take(), warnings.take()], [None, None]);
        let long_ago = Instant::now().checked_sub(Warnings::EVERY * 2);
        warnings.0.lock().unwrap().0 = long_ago;
        assert_eq!(warnings.take(), Some(2));
    }
}
