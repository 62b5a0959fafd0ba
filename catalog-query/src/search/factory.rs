//! Picks the strategy that a request asks for.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::hybrid::HybridStrategy;
use super::keyword::{KeywordSearch, KeywordStrategy};
use super::vector::{VectorIndex, VectorSearch, VectorStrategy};
use super::{RankingProfile, SearchStrategy, StrategyKind};
use crate::embedding::{Embedder, QueryEmbedder};
use crate::index::KeywordIndex;

pub(crate) struct SearchStrategyFactory {
    keyword: KeywordStrategy,
    vector: VectorStrategy,
    hybrid: HybridStrategy,
}

impl SearchStrategyFactory {
    /// Without an embedder, every strategy answers by keyword.
    pub(crate) fn new(
        index: Arc<ArcSwap<KeywordIndex>>,
        embedder: Option<Arc<dyn Embedder>>,
        vectors: Arc<dyn VectorIndex>,
        profile: RankingProfile,
    ) -> Self {
        let keyword = Arc::new(KeywordSearch::new(index));
        let vector = Arc::new(VectorSearch {
            embedder: embedder.map(QueryEmbedder::new),
            vectors,
            keyword: Arc::clone(&keyword),
            depth: profile.depth,
            deadline: Duration::from_millis(profile.vector_ms_max),
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
                profile,
            },
        }
    }

    pub(super) fn keyword_search(&self) -> Arc<KeywordSearch> {
        Arc::clone(&self.keyword.keyword)
    }

    pub(super) fn vector_search(&self) -> Arc<VectorSearch> {
        Arc::clone(&self.vector.vector)
    }

    pub(crate) fn strategy(&self, kind: StrategyKind) -> &dyn SearchStrategy {
        match kind {
            StrategyKind::Keyword => &self.keyword,
            StrategyKind::Vector => &self.vector,
            StrategyKind::Hybrid => &self.hybrid,
        }
    }
}
