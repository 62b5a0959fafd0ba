//! Search by words and by meaning at once; when one of them fails, by the other.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::fusion::fuse;
use super::keyword::KeywordSearch;
use super::query::ParsedQuery;
use super::scope::Scope;
use super::vector::VectorSearch;
use super::{RankingProfile, SearchError, SearchOutcome, SearchStrategy, StrategyKind};

pub(super) struct HybridStrategy {
    pub(super) keyword: Arc<KeywordSearch>,
    pub(super) vector: Arc<VectorSearch>,
    pub(super) profile: RankingProfile,
}

impl SearchStrategy for HybridStrategy {
    fn search<'a>(
        &'a self,
        query: &'a str,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let query = ParsedQuery::parse(query)?;
            if query.terms.is_empty() {
                return Ok(SearchOutcome::nothing(StrategyKind::Hybrid));
            }
            let depth = self.profile.depth.max(limit);
            let (keyword, vector) = tokio::join!(
                self.keyword.hits(&query, depth, scope),
                self.vector.hits(&query, scope)
            );
            let near = vector.as_ref().map_or(&[][..], Vec::as_slice);
            let near = near.iter().map(|hit| hit.product_id.clone()).collect();
            let (mut hits, strategy) = match (keyword, vector) {
                (Ok(keyword), Ok(vector)) => {
                    (fuse(&self.profile, keyword, vector), StrategyKind::Hybrid)
                }
                (Ok(keyword), Err(_)) => (keyword.hits, StrategyKind::Keyword),
                (Err(_), Ok(vector)) => (vector, StrategyKind::Vector),
                (Err(err), Err(_)) => return Err(err),
            };
            hits.truncate(limit);
            Ok(SearchOutcome {
                hits,
                strategy,
                degraded: strategy != StrategyKind::Hybrid,
                terms: query.terms,
                near,
            })
        }
        .boxed()
    }
}
