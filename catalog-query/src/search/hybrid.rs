//! Search by words and by meaning at once; when one of them fails or is late, by the other.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::fusion::Legs;
use super::keyword::KeywordSearch;
use super::scope::Scope;
use super::vector::VectorSearch;
use super::{Coverage, Question, SearchError, SearchOutcome, SearchStrategy, StrategyKind};

pub(super) struct HybridStrategy {
    pub(super) keyword: Arc<KeywordSearch>,
    pub(super) vector: Arc<VectorSearch>,
    pub(super) coverage: Coverage,
}

impl SearchStrategy for HybridStrategy {
    fn search<'a>(
        &'a self,
        question: &'a Question,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let asked = self
                .keyword
                .understand(question, StrategyKind::Hybrid, scope);
            let asked = asked.await?;
            let depth = question.profile.depth.max(limit);
            let by_meaning = async {
                match asked.is_nothing() {
                    true => (Ok(Vec::new()), 0),
                    false => self.vector.hits(&asked, question).await,
                }
            };
            let by_words = self.keyword.hits(&asked, depth, question.deadline);
            // First the one that waits for others.
            let ((vector, vector_micros), (keyword, keyword_micros)) =
                tokio::join!(by_meaning, by_words);
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
                vector: vector.as_deref(),
                coverage,
            };
            let strategy = match (&keyword, &vector) {
                (Some(_), Some(_)) => StrategyKind::Hybrid,
                (_, None) => StrategyKind::Keyword,
                (None, _) => StrategyKind::Vector,
            };
            let near = vector.iter().flatten();
            Ok(SearchOutcome {
                hits: self.keyword.rank(question, &asked, legs).await?,
                matched: keyword.map(|found| found.matched),
                strategy,
                degraded: strategy != StrategyKind::Hybrid,
                near: near.map(|hit| hit.product_id.clone()).collect(),
                curated: asked.curated,
                understood: asked.understood,
                coverage,
                micros: vec![
                    ("understanding", asked.micros),
                    ("keyword", keyword_micros),
                    ("vector", vector_micros),
                ],
            })
        }
        .boxed()
    }
}
