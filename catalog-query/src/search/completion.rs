//! Completes what is being typed. Invariant: the cost of a keystroke is bounded, however large the
//! catalog is.

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

/// Catalogs of up to so many products are scanned at every keystroke, which takes about a
/// millisecond.
const SCANNED_DOCUMENTS_MAX: u64 = 5_000;
const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// The pause after a renewal of the table, as a multiple of the time that it took: renewals keep a
/// core busy for 2 % of the time at most.
const PAUSE_PER_WORK: u32 = 50;

/// Holds the table that completes in a large catalog.
#[derive(Default)]
struct Table(ArcSwapOption<SuggestionTable>);

impl Table {
    /// The table for a catalog of so many documents; None for a small one, which needs no table.
    fn for_catalog_of(&self, documents: u64) -> Option<Arc<SuggestionTable>> {
        // Before the first table is made, an empty one serves: it bounds the terms that are
        // scanned.
        (documents > SCANNED_DOCUMENTS_MAX).then(|| self.0.load_full().unwrap_or_default())
    }
}

/// What the present table was made from.
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

    /// The `limit` best completions of what was typed.
    pub(crate) async fn complete(
        &self,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Suggestion>, SearchError> {
        let (typed, popularity) = (typed.to_owned(), self.popularity.current());
        let holder = Arc::clone(&self.table);
        let complete = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            let table = holder.for_catalog_of(snapshot.documents());
            snapshot.complete(&typed, limit, table.as_deref(), &popularity)
        };
        let deadline = Deadline::after(ANSWER_MAX);
        self.executor.run_until(deadline, complete).await
    }

    /// Renews the table of a large catalog now and then, until `stop`.
    pub(crate) async fn keep_up_to_date(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut made = None;
        loop {
            let started = Instant::now();
            if let Err(err) = self.renew(&mut made).await {
                tracing::warn!("cannot list what to suggest: {err}");
            }
            let pause = REFRESH_EVERY.max(started.elapsed() * PAUSE_PER_WORK);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Makes a new table, unless it would equal the present one or the catalog needs none.
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
            if snapshot.documents() <= SCANNED_DOCUMENTS_MAX || last == Some((position, true)) {
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
