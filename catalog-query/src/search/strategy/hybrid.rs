//! Searches by words and by meaning at once. When one leg fails or is late, the other one answers.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::timeout_at;

use crate::index::{Hit, KeywordHits, KeywordIndex};
use crate::read_model::Coverage;
use crate::search::deadline::micros_since;
use crate::search::error::SearchError;
use crate::search::ranking::fusion::Legs;
use crate::search::request::prepare::PreparedQuery;
use crate::search::strategy::keyword::KeywordSearch;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::ranker::rank;
use crate::search::strategy::scope::{Near, Scope};
use crate::search::strategy::search_strategy::{SearchOutcome, SearchStrategy, StrategyRequest};
use crate::search::strategy::vector::{VectorError, VectorSearch};

/// The strategy with two legs, one by words and one by meaning.
pub(crate) struct HybridStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
    pub(crate) vector: Arc<VectorSearch>,
    pub(crate) coverage: Coverage,
}

impl SearchStrategy for HybridStrategy {
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
                .prepare(request, StrategyKind::Hybrid, scope)
                .await?;
            let depth = request.profile.depth.max(limit);
            let ((keyword, keyword_micros), (vector, vector_micros)) =
                self.legs(request, &prepared, depth).await;
            let (keyword, vector) = match (keyword, vector) {
                (Err(err), Err(_)) => return Err(err),
                (keyword, vector) => (keyword.ok(), vector.ok()),
            };
            let coverage = match keyword {
                Some(_) => self.coverage.share(),
                None => 1.0,
            };
            let floor = self.vector.floor(&prepared, request);
            let near = match &vector {
                Some(near) => Some(
                    self.near(near, keyword.as_ref(), floor, &prepared.scope)
                        .await?,
                ),
                None => None,
            };
            let legs = Legs {
                keyword: keyword.as_ref(),
                vector: near.as_deref(),
                coverage,
            };
            let strategy = match (&keyword, &vector) {
                (Some(_), Some(_)) => StrategyKind::Hybrid,
                (_, None) => StrategyKind::Keyword,
                (None, _) => StrategyKind::Vector,
            };
            Ok(SearchOutcome {
                hits: rank(&self.keyword.executor, request, &prepared, legs).await?,
                relaxed: keyword
                    .as_ref()
                    .map_or_else(Vec::new, |found| prepared.relaxed(found)),
                matched: keyword.map(|found| found.matched),
                similarity_floor: floor,
                strategy,
                degraded: strategy != StrategyKind::Hybrid,
                near: vector.map(|near| Arc::new(near.docs)),
                curated: prepared.curated,
                understood: prepared.understood,
                coverage,
                micros: vec![
                    ("understanding", prepared.micros),
                    ("keyword", keyword_micros),
                    ("vector", vector_micros),
                ],
            })
        }
        .boxed()
    }
}

/// What a leg found, and the microseconds that it took.
type Timed<T, E> = (Result<T, E>, u64);

impl HybridStrategy {
    /// The hits by meaning that match: those that are near enough, and those that match by words.
    async fn near(
        &self,
        near: &Near,
        by_words: Option<&KeywordHits>,
        floor: f32,
        scope: &Scope,
    ) -> Result<Vec<Hit>, SearchError> {
        let (mut hits, snapshot) = (near.hits.clone(), Arc::clone(&scope.snapshot));
        let Some(matched) = by_words.map(|found| Arc::clone(&found.matched)) else {
            hits.retain(|hit| hit.score >= floor);
            return Ok(hits);
        };
        let keep = move |_: &KeywordIndex| {
            let ids = hits.iter().map(|hit| &hit.product_id);
            let (is_matched, _) = snapshot.within(ids, Some(&matched))?;
            let mut is_matched = is_matched.into_iter();
            hits.retain(|hit| is_matched.next().unwrap_or(false) || hit.score >= floor);
            Ok(hits)
        };
        self.keyword.executor.run(keep).await
    }

    /// Runs both legs at once. The leg by words is given up at the deadline only where the leg by
    /// meaning has answered.
    async fn legs(
        &self,
        request: &StrategyRequest,
        prepared: &PreparedQuery,
        depth: usize,
    ) -> (Timed<KeywordHits, SearchError>, Timed<Near, VectorError>) {
        let (deadline, started) = (request.deadline, Instant::now());
        let by_meaning = self.vector.hits(prepared, request);
        let mut by_words = pin!(self.keyword.hits(prepared, depth, deadline.with_grace()));
        let by_words_in_time = timeout_at(deadline.at, by_words.as_mut());
        // The leg by meaning begins first, because it waits for the model and for Postgres.
        let (vector, words_in_time) = tokio::join!(by_meaning, by_words_in_time);
        let keyword = match (words_in_time, &vector) {
            (Ok(found), _) => found,
            (Err(_), (Ok(_), _)) => {
                let late = SearchError::Late(deadline.budget);
                (Err(late), micros_since(started))
            }
            (Err(_), (Err(_), _)) => by_words.await,
        };
        (keyword, vector)
    }
}
