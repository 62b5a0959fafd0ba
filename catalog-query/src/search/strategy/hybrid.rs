//! Search by words and by meaning at once; when one of them fails or is late, by the other.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::timeout_at;

use crate::index::KeywordHits;
use crate::read_model::Coverage;
use crate::search::deadline::micros_since;
use crate::search::error::SearchError;
use crate::search::ranking::fusion::Legs;
use crate::search::request::prepare::PreparedQuery;
use crate::search::strategy::keyword::KeywordSearch;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::ranker::rank;
use crate::search::strategy::scope::{Near, Scope};
use crate::search::strategy::search_strategy::{Question, SearchOutcome, SearchStrategy};
use crate::search::strategy::vector::{VectorError, VectorSearch};

pub(crate) struct HybridStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
    pub(crate) vector: Arc<VectorSearch>,
    pub(crate) coverage: Coverage,
}

impl SearchStrategy for HybridStrategy {
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
                .prepare(question, StrategyKind::Hybrid, scope)
                .await?;
            let depth = question.profile.depth.max(limit);
            let ((keyword, keyword_micros), (vector, vector_micros)) =
                self.legs(question, &prepared, depth).await;
            let (keyword, vector) = match (keyword, vector) {
                (Err(err), Err(_)) => return Err(err),
                (keyword, vector) => (keyword.ok(), vector.ok()),
            };
            let coverage = match keyword {
                Some(_) => self.coverage.share(),
                None => 1.0,
            };
            let legs = Legs {
                keyword: keyword.as_ref(),
                vector: vector.as_ref().map(|near| &near.hits[..]),
                coverage,
            };
            let strategy = match (&keyword, &vector) {
                (Some(_), Some(_)) => StrategyKind::Hybrid,
                (_, None) => StrategyKind::Keyword,
                (None, _) => StrategyKind::Vector,
            };
            Ok(SearchOutcome {
                hits: rank(&self.keyword.executor, question, &prepared, legs).await?,
                matched: keyword.map(|found| found.matched),
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

type Found<T, E> = (Result<T, E>, u64);

impl HybridStrategy {
    /// Both at once, each with how long it took; the words are given up when their time is up only
    /// where the meaning answers.
    async fn legs(
        &self,
        question: &Question,
        prepared: &PreparedQuery,
        depth: usize,
    ) -> (Found<KeywordHits, SearchError>, Found<Near, VectorError>) {
        let (deadline, started) = (question.deadline, Instant::now());
        let by_meaning = async {
            match prepared.is_nothing() {
                true => (Ok(Near::default()), 0),
                false => self.vector.hits(prepared, question).await,
            }
        };
        let by_words = self.keyword.hits(prepared, depth, deadline.with_grace());
        let mut by_words = pin!(by_words);
        let in_time = timeout_at(deadline.at, by_words.as_mut());
        // First the one that waits for others.
        let (vector, in_time) = tokio::join!(by_meaning, in_time);
        let keyword = match (in_time, &vector) {
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
