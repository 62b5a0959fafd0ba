//! Makes the strategies, and picks the one that a request asks for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::embedding::{Embedder, QueryEmbedder};
use crate::index::KeywordIndex;
use crate::read_model::{Coverage, VectorIndex};
use crate::search::request::prepare::QueryPreparer;
use crate::search::request::understanding::Dictionary;
use crate::search::rules::rule_set::RulesHandle;
use crate::search::strategy::calibration;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::hybrid::HybridStrategy;
use crate::search::strategy::keyword::{KeywordSearch, KeywordStrategy};
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::search_strategy::SearchStrategy;
use crate::search::strategy::similarity_floor::SimilarityFloors;
use crate::search::strategy::vector::{VectorSearch, VectorStrategy, Warnings};

/// One strategy of each kind. They share their parts.
pub(crate) struct SearchStrategyFactory {
    keyword: KeywordStrategy,
    vector: VectorStrategy,
    hybrid: HybridStrategy,
}

impl SearchStrategyFactory {
    /// Without an embedder, every strategy answers by keyword.
    pub(crate) fn new(
        index: Arc<ArcSwap<KeywordIndex>>,
        rules: RulesHandle,
        embedder: Option<Arc<dyn Embedder>>,
        vectors: Arc<dyn VectorIndex>,
        coverage: Coverage,
    ) -> Self {
        let executor = Arc::new(SearchExecutor::new(index));
        let preparer = Arc::new(QueryPreparer {
            executor: Arc::clone(&executor),
            rules,
            dictionary: Dictionary::of(embedder.clone()),
        });
        let keyword = Arc::new(KeywordSearch {
            executor: Arc::clone(&executor),
            preparer,
        });
        let vector = Arc::new(VectorSearch {
            embedder: embedder.map(QueryEmbedder::new),
            vectors,
            executor,
            warnings: Warnings::default(),
            floors: SimilarityFloors::default(),
        });
        Self {
            keyword: KeywordStrategy {
                keyword: Arc::clone(&keyword),
            },
            vector: VectorStrategy {
                keyword: Arc::clone(&keyword),
                vector: Arc::clone(&vector),
            },
            hybrid: HybridStrategy {
                keyword,
                vector,
                coverage,
            },
        }
    }

    pub(crate) fn executor(&self) -> Arc<SearchExecutor> {
        Arc::clone(&self.keyword.keyword.executor)
    }

    pub(crate) fn preparer(&self) -> Arc<QueryPreparer> {
        Arc::clone(&self.keyword.keyword.preparer)
    }

    pub(crate) fn vector_search(&self) -> Arc<VectorSearch> {
        Arc::clone(&self.vector.vector)
    }

    /// Keeps the similarity from which products count as near up to date.
    pub(crate) async fn keep_calibrated(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let HybridStrategy {
            vector, coverage, ..
        } = &self.hybrid;
        calibration::keep_calibrated(vector, coverage, stop).await
    }

    pub(crate) fn strategy(&self, kind: StrategyKind) -> &dyn SearchStrategy {
        match kind {
            StrategyKind::Keyword => &self.keyword,
            StrategyKind::Vector => &self.vector,
            StrategyKind::Hybrid => &self.hybrid,
        }
    }
}
