//! Search by words, in the keyword index of this replica.

use std::sync::Arc;
use std::thread::available_parallelism;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::Semaphore;

use super::query::ParsedQuery;
use super::scope::Scope;
use super::{SearchError, SearchOutcome, SearchStrategy, StrategyKind};
use crate::index::{Filter, IndexError, KeywordHits, KeywordIndex};

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
        scope: &Scope,
    ) -> Result<KeywordHits, SearchError> {
        let (scope, terms) = (scope.clone(), query.terms.clone());
        let search = move |_: &KeywordIndex| {
            let filter = scope.filter.as_ref();
            scope.snapshot.search(&terms, limit, filter)
        };
        self.run(search).await
    }

    /// What the products of the present snapshot are held against.
    pub(super) async fn scope(&self, filter: Option<Filter>) -> Result<Scope, SearchError> {
        let Some(filter) = filter else {
            let snapshot = self.index.load().snapshot();
            let filter = None;
            return Ok(Scope { snapshot, filter });
        };
        let evaluate = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            let filter = Some(Arc::new(snapshot.filtered(&filter)?));
            Ok(Scope { snapshot, filter })
        };
        self.run(evaluate).await
    }

    /// Does work that keeps a core busy, or waits until there is a core for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let index = self.index.load_full();
        let search = tokio::task::spawn_blocking(move || {
            // Kept until the search ends, which it does even when nobody waits any longer.
            let _place = place;
            work(&index)
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
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let query = ParsedQuery::parse(query)?;
            let found = self.keyword.hits(&query, limit, scope).await?;
            Ok(SearchOutcome {
                hits: found.hits,
                strategy: StrategyKind::Keyword,
                degraded: false,
                terms: query.terms,
                near: Vec::new(),
            })
        }
        .boxed()
    }
}
