//! The ends of what is being typed. Invariant: what a keystroke costs is bounded, however large the
//! catalogue is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use catalog_events::Position;
use tokio_util::sync::CancellationToken;

use crate::index::{IndexError, KeywordIndex, Popularity, Suggestion, SuggestionTable};
use crate::popularity::PopularityBoard;
use crate::search::deadline::{ANSWER_MAX, Deadline};
use crate::search::error::SearchError;
use crate::search::strategy::executor::SearchExecutor;

/// Catalogues up to this are looked through for every keystroke, which takes about a millisecond.
const LOOKED_THROUGH_MAX: u64 = 5_000;
const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// The table takes no more than this share of a core.
const PAUSE_PER_WORK: u32 = 50;

/// The table that completes a large catalog, made a moment ago.
#[derive(Default)]
struct Table(ArcSwapOption<SuggestionTable>);

impl Table {
    /// None for a small catalog.
    fn for_catalog_of(&self, documents: u64) -> Option<Arc<SuggestionTable>> {
        // Beside an empty table a bounded number of terms is looked at.
        (documents > LOOKED_THROUGH_MAX).then(|| self.0.load_full().unwrap_or_default())
    }
}

/// What a table was made from.
struct Made {
    position: Position,
    popularity: Arc<Popularity>,
}

/// Completes what is being typed.
pub(crate) struct Completer {
    executor: Arc<SearchExecutor>,
    popularity: PopularityBoard,
    table: Arc<Table>,
}

impl Completer {
    pub(crate) fn new(executor: Arc<SearchExecutor>, popularity: PopularityBoard) -> Self {
        Self {
            executor,
            popularity,
            table: Arc::default(),
        }
    }

    pub(crate) async fn complete(
        &self,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Suggestion>, SearchError> {
        let (typed, popularity) = (typed.to_owned(), self.popularity.current());
        let table = Arc::clone(&self.table);
        let complete = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            let table = table.for_catalog_of(snapshot.documents());
            snapshot.complete(&typed, limit, table.as_deref(), &popularity)
        };
        let deadline = Deadline::after(ANSWER_MAX);
        self.executor.run_until(deadline, complete).await
    }

    /// Keeps the table of a large catalogue up to date.
    pub(crate) async fn keep_up_to_date(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut made = None;
        loop {
            let started = Instant::now();
            match self.renew(&mut made).await {
                Ok(()) => {}
                Err(err) => tracing::warn!("cannot list what to suggest: {err}"),
            }
            let pause = REFRESH_EVERY.max(started.elapsed() * PAUSE_PER_WORK);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Unless it would be the same one, or none is needed.
    async fn renew(&self, made: &mut Option<Made>) -> Result<(), SearchError> {
        let popularity = self.popularity.current();
        let last = made.as_ref().map(|made| {
            let same_views = Arc::ptr_eq(&made.popularity, &popularity);
            (made.position, same_views)
        });
        let views = Arc::clone(&popularity);
        let make = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            let position = snapshot.position();
            if snapshot.documents() <= LOOKED_THROUGH_MAX || last == Some((position, true)) {
                return Ok::<_, IndexError>(None);
            }
            Ok(Some((snapshot.suggestion_table(&views)?, position)))
        };
        if let Some((table, position)) = self.executor.run(make).await? {
            self.table.0.store(Some(Arc::new(table)));
            *made = Some(Made {
                position,
                popularity,
            });
        }
        Ok(())
    }
}
