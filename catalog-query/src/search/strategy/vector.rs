//! Search by meaning: the products whose vectors are nearest to that of the query.

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
use crate::search::strategy::scope::{Near, Scope};
use crate::search::strategy::search_strategy::{Question, SearchOutcome, SearchStrategy};

pub(crate) struct VectorSearch {
    /// None without a model.
    pub(crate) embedder: Option<QueryEmbedder>,
    pub(crate) vectors: Arc<dyn VectorIndex>,
    /// Asks the keyword index who passes a filter.
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) warnings: Warnings,
}

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
    /// Fails rather than be late: there are other ways to answer.
    pub(crate) async fn hits(
        &self,
        prepared: &PreparedQuery,
        question: &Question,
    ) -> (Result<Near, VectorError>, u64) {
        let started = Instant::now();
        let found = async {
            let embedder = self.embedder.as_ref().ok_or(VectorError::NoModel)?;
            let vector = embedder.embed(&prepared.understood.text).await?;
            let depth = question.profile.depth;
            Ok(self.nearest(&vector, depth, &prepared.scope).await?)
        };
        let deadline = question.deadline;
        let found = tokio::time::timeout_at(deadline.at, found).await;
        let found = found.unwrap_or(Err(VectorError::Late(deadline.budget)));
        (
            found.inspect_err(|err| self.log(err)),
            micros_since(started),
        )
    }

    /// Every answer says by itself that it is degraded; a service without a model need not say why.
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

/// A fault that every search runs into is told once in a while.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<(Option<Instant>, u64)>);

impl Warnings {
    const EVERY: Duration = Duration::from_secs(10);

    /// How many were not told since the last one; None when this is not to be told either.
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

pub(crate) struct VectorStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
    pub(crate) vector: Arc<VectorSearch>,
}

impl SearchStrategy for VectorStrategy {
    fn search<'a>(
        &'a self,
        question: &'a Question,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let prepared = self
                .keyword
                .preparer
                .prepare(question, StrategyKind::Vector, scope)
                .await?;
            let (found, micros) = match prepared.is_nothing() {
                true => (Ok(Near::default()), 0),
                false => self.vector.hits(&prepared, question).await,
            };
            let Ok(found) = found else {
                let deadline = question.deadline.with_grace();
                let answer = self.keyword.answer(question, &prepared, limit, deadline);
                return answer.await.map(|answer| SearchOutcome {
                    degraded: true,
                    ..answer
                });
            };
            let legs = Legs {
                keyword: None,
                vector: Some(&found.hits),
                coverage: 1.0,
            };
            Ok(SearchOutcome {
                hits: rank(&self.keyword.executor, question, &prepared, legs).await?,
                matched: None,
                strategy: StrategyKind::Vector,
                degraded: false,
                near: Some(Arc::new(found.docs)),
                curated: prepared.curated,
                understood: prepared.understood,
                coverage: 1.0,
                micros: vec![("understanding", prepared.micros), ("vector", micros)],
            })
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
