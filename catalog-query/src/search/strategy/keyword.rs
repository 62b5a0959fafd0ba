//! Searches by words, in the keyword index of this replica.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::index::{KeywordHits, KeywordIndex};
use crate::search::deadline::{Deadline, micros_since};
use crate::search::error::SearchError;
use crate::search::ranking::fusion::Legs;
use crate::search::request::prepare::{PreparedQuery, QueryPreparer};
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::ranker::rank;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::search_strategy::{SearchOutcome, SearchStrategy, StrategyRequest};

/// The leg by words.
pub(crate) struct KeywordSearch {
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) preparer: Arc<QueryPreparer>,
}

impl KeywordSearch {
    /// The hits of a prepared query, or an error at the deadline, and the microseconds that it
    /// took.
    pub(crate) async fn hits(
        &self,
        prepared: &PreparedQuery,
        limit: usize,
        deadline: Deadline,
    ) -> (Result<KeywordHits, SearchError>, u64) {
        let started = Instant::now();
        let prepared = prepared.clone();
        let found = self
            .executor
            .run_until(deadline, move |index| prepared.find(index, limit))
            .await;
        (found, micros_since(started))
    }

    /// The answer by words alone, for a query that was prepared for another strategy.
    pub(crate) async fn answer(
        &self,
        request: &StrategyRequest,
        prepared: &PreparedQuery,
        limit: usize,
        deadline: Deadline,
    ) -> Result<SearchOutcome, SearchError> {
        let depth = request.profile.depth.max(limit);
        let (found, micros) = self.hits(prepared, depth, deadline).await;
        self.outcome(request, prepared, found?, micros).await
    }

    /// Prepares a query and finds its hits on one thread: two changes of threads would wait for a
    /// core twice.
    async fn prepare_and_find(
        &self,
        request: &StrategyRequest,
        limit: usize,
        scope: &Scope,
    ) -> Result<(PreparedQuery, KeywordHits, u64), SearchError> {
        let words = request.profile.words.clone();
        let preparation = self.preparer.preparation(request, words, scope);
        let (profile, explained) = (Arc::clone(&request.profile), request.explained);
        let find = move |index: &KeywordIndex| {
            let prepared = preparation.run()?;
            let depth = if explained || !prepared.curated.rules.is_empty() {
                profile.depth.max(limit)
            } else {
                profile.hits_that_decide(limit)
            };
            let started = Instant::now();
            let hits = prepared.find(index, depth)?;
            Ok((prepared, hits, micros_since(started)))
        };
        self.executor
            .run_until(request.deadline.with_grace(), find)
            .await
    }

    /// Ranks the hits of the only leg.
    async fn outcome(
        &self,
        request: &StrategyRequest,
        prepared: &PreparedQuery,
        found: KeywordHits,
        micros: u64,
    ) -> Result<SearchOutcome, SearchError> {
        let legs = Legs {
            keyword: Some(&found),
            ..Legs::default()
        };
        Ok(SearchOutcome {
            hits: rank(&self.executor, request, prepared, legs).await?,
            relaxed: prepared.relaxed(&found),
            matched: Some(found.matched),
            strategy: StrategyKind::Keyword,
            degraded: false,
            understood: Arc::clone(&prepared.understood),
            near: None,
            curated: Arc::clone(&prepared.curated),
            words: Arc::clone(&prepared.weights),
            vector_weight: request.profile.vector_weight,
            coverage: 0.0,
            similarity_floor: 0.0,
            micros: vec![("understanding", prepared.micros), ("keyword", micros)],
        })
    }
}

/// The strategy with the leg by words alone.
pub(crate) struct KeywordStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
}

impl SearchStrategy for KeywordStrategy {
    fn search<'a>(
        &'a self,
        request: &'a StrategyRequest,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let (prepared, hits, micros) =
                self.keyword.prepare_and_find(request, limit, scope).await?;
            self.keyword.outcome(request, &prepared, hits, micros).await
        }
        .boxed()
    }
}
