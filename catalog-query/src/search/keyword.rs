//! Search by words, in the keyword index of this replica.

use std::sync::Arc;
use std::thread::available_parallelism;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::Semaphore;

use super::query::ParsedQuery;
use super::{SearchError, SearchOutcome, SearchStrategy, StrategyKind};
use crate::index::{KeywordHits, KeywordIndex};

/// A search keeps a core busy for about a millisecond: more at a time only make all of them slower.
const SEARCHES_PER_CORE: usize = 2;

/// The index that a rebuild replaces while searches go on.
type CurrentIndex = Arc<ArcSwap<KeywordIndex>>;

pub(super) struct KeywordSearch {
    index: CurrentIndex,
    places: Arc<Semaphore>,
}

impl KeywordSearch {
    pub(super) fn new(index: CurrentIndex) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            index,
            places: Arc::new(Semaphore::new(cores * SEARCHES_PER_CORE)),
        }
    }

    pub(super) async fn hits(
        &self,
        query: &ParsedQuery,
        limit: usize,
    ) -> Result<KeywordHits, SearchError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (index, terms) = (self.index.load_full(), query.terms.clone());
        let search = tokio::task::spawn_blocking(move || {
            // Kept until the search ends, which it does even when nobody waits any longer.
            let _place = place;
            index.search(&terms, limit)
        });
        let found = search
            .await
            .map_err(|err| SearchError::Unavailable(err.into()))?;
        found.map_err(|err| SearchError::Unavailable(err.into()))
    }
}

pub(super) struct KeywordStrategy {
    pub(super) keyword: Arc<KeywordSearch>,
}

impl SearchStrategy for KeywordStrategy {
    fn search<'a>(
        &'a self,
        query: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let found = self
                .keyword
                .hits(&ParsedQuery::parse(query)?, limit)
                .await?;
            Ok(SearchOutcome {
                hits: found.hits,
                strategy: StrategyKind::Keyword,
                degraded: false,
            })
        }
        .boxed()
    }
}
