//! Runs the work of searches on threads that may block, with a bound on how much runs at once.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::index::{CurrentIndex, IndexError, IndexSnapshot, KeywordIndex, Language};
use crate::search::deadline::Deadline;
use crate::search::error::SearchError;

/// The searches that run at once for each core. A search keeps a core busy for about a millisecond:
/// more at once would only make all of them slower.
const SEARCHES_PER_CORE: usize = 2;

/// Runs work on the present keyword index.
pub(crate) struct SearchExecutor {
    /// The index that answers. A rebuild replaces it while searches go on.
    index: CurrentIndex,
    /// One permit for each search that may run.
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

    /// The present snapshot of the index, and whether the index has been built as far as it must
    /// be.
    pub(crate) fn snapshot(&self) -> (Arc<IndexSnapshot>, bool) {
        let index = self.index.load();
        let snapshot = index.snapshot();
        let is_built = index.check_built(&snapshot).is_ok();
        (snapshot, is_built)
    }

    /// Runs work that keeps a core busy, as soon as there is a place for it. Work whose caller has
    /// gone before it begins never begins.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let index = self.index.load_full();
        let search = tokio::task::spawn_blocking(move || {
            // The place is kept until the work ends, even when its caller has gone in the meantime.
            let _place = place;
            work(&index)
        });
        AbortOnDropHandle::new(search)
            .await
            .map_err(|err| SearchError::Unavailable(err.into()))?
            .map_err(|err| SearchError::Unavailable(err.into()))
    }

    /// Like [`run`](Self::run), but gives up at the deadline.
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
