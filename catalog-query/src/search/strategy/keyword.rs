//! Search by words, in the keyword index of this replica.

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
use crate::search::strategy::search_strategy::{Question, SearchOutcome, SearchStrategy};

pub(crate) struct KeywordSearch {
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) preparer: Arc<QueryPreparer>,
}

impl KeywordSearch {
    /// The hits and how long they took: in time, or not at all.
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

    /// The answer of the words alone, to a query that was prepared for several legs.
    pub(crate) async fn answer(
        &self,
        question: &Question,
        prepared: &PreparedQuery,
        limit: usize,
        deadline: Deadline,
    ) -> Result<SearchOutcome, SearchError> {
        let depth = question.profile.depth.max(limit);
        let (found, micros) = self.hits(prepared, depth, deadline).await;
        self.outcome(question, prepared, found?, micros).await
    }

    /// Prepares and finds in one go: changing threads twice would wait for a core twice.
    async fn prepare_and_find(
        &self,
        question: &Question,
        limit: usize,
        scope: &Scope,
    ) -> Result<(PreparedQuery, KeywordHits, u64), SearchError> {
        let preparation = self
            .preparer
            .preparation(question, StrategyKind::Keyword, scope);
        let (profile, explained) = (Arc::clone(&question.profile), question.explained);
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
            .run_until(question.deadline.with_grace(), find)
            .await
    }

    async fn outcome(
        &self,
        question: &Question,
        prepared: &PreparedQuery,
        found: KeywordHits,
        micros: u64,
    ) -> Result<SearchOutcome, SearchError> {
        let legs = Legs {
            keyword: Some(&found),
            ..Legs::default()
        };
        Ok(SearchOutcome {
            hits: rank(&self.executor, question, prepared, legs).await?,
            matched: Some(found.matched),
            strategy: StrategyKind::Keyword,
            degraded: false,
            understood: Arc::clone(&prepared.understood),
            near: None,
            curated: Arc::clone(&prepared.curated),
            coverage: 0.0,
            micros: vec![("understanding", prepared.micros), ("keyword", micros)],
        })
    }
}

pub(crate) struct KeywordStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
}

impl SearchStrategy for KeywordStrategy {
    fn search<'a>(
        &'a self,
        question: &'a Question,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let found = self.keyword.prepare_and_find(question, limit, scope);
            let (prepared, hits, micros) = found.await?;
            self.keyword
                .outcome(question, &prepared, hits, micros)
                .await
        }
        .boxed()
    }
}
