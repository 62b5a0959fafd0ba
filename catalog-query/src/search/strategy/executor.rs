//! Runs the work of searches on threads that may block, no more at a time than the cores can bear.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::index::{CurrentIndex, IndexError, IndexSnapshot, KeywordIndex, Language};
use crate::search::deadline::Deadline;
use crate::search::error::SearchError;

/// A search keeps a core busy for about a millisecond: more at a time only make all of them slower.
const SEARCHES_PER_CORE: usize = 2;

pub(crate) struct SearchExecutor {
    /// A rebuild replaces it while searches go on.
    index: CurrentIndex,
    places: Arc<Semaphore>,
}

impl SearchExecutor {
    pub(crate) fn new(index: CurrentIndex) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            index,
            places: Arc::new(Semaphore::new(cores * SEARCHES_PER_CORE)),
        }
    }

    #[cfg(test)]
    pub(crate) fn free_places(&self) -> usize {
        self.places.available_permits()
    }

    /// The language of the index that answers now.
    pub(crate) fn language(&self) -> Language {
        self.index.load().language()
    }

    /// What searches see now, and whether all of it has been built.
    pub(crate) fn snapshot(&self) -> (Arc<IndexSnapshot>, bool) {
        let index = self.index.load();
        let snapshot = index.snapshot();
        let is_built = index.check_built(&snapshot).is_ok();
        (snapshot, is_built)
    }

    /// Does work that keeps a core busy, or waits until there is a core for it. Work that nobody waits
    /// for any longer never begins.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let index = self.index.load_full();
        let search = tokio::task::spawn_blocking(move || {
            // Kept until the search ends, which one that has begun does even when nobody waits.
            let _place = place;
            work(&index)
        });
        AbortOnDropHandle::new(search)
            .await
            .map_err(|err| SearchError::Unavailable(err.into()))?
            .map_err(|err| SearchError::Unavailable(err.into()))
    }

    /// The same, unless its time is up before it is done or has begun.
    pub(crate) async fn run_until<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        tokio::time::timeout_at(deadline.at, self.run(work))
            .await
            .unwrap_or(Err(SearchError::Late(deadline.budget)))
    }
}
