//! The ends of what is being typed. Invariant: what a keystroke costs is bounded, however large the
//! catalogue is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use catalog_events::Position;
use tokio_util::sync::CancellationToken;

use crate::index::{IndexError, KeywordIndex, Popularity, Suggestion, SuggestionTable};
use crate::search::engine::SearchEngine;
use crate::search::similar::ANSWER_MAX;
use crate::search::{Deadline, SearchError};

/// Catalogues up to this are looked through for every keystroke, which takes about a millisecond.
const LOOKED_THROUGH_MAX: u64 = 5_000;
const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// The table takes no more than this share of a core.
const PAUSE_PER_WORK: u32 = 50;

/// What completes large catalogues, as of a moment ago.
#[derive(Default)]
pub(crate) struct Completions(ArcSwapOption<SuggestionTable>);

impl Completions {
    /// None for small ones.
    fn table(&self, documents: u64) -> Option<Arc<SuggestionTable>> {
        match documents > LOOKED_THROUGH_MAX {
            // An empty one has a bounded number of terms looked at.
            true => Some(self.0.load_full().unwrap_or_default()),
            false => None,
        }
    }
}

/// What a table was made from.
struct Made {
    position: Position,
    popularity: Arc<Popularity>,
}

impl SearchEngine {
    pub(crate) async fn complete(
        &self,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Suggestion>, SearchError> {
        let (typed, popularity) = (typed.to_owned(), self.popularity.current());
        let completions = Arc::clone(&self.completions);
        let complete = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            let table = completions.table(snapshot.documents());
            snapshot.complete(&typed, limit, table.as_deref(), &popularity)
        };
        let deadline = Deadline::after(ANSWER_MAX);
        self.keyword.run_until(deadline, complete).await
    }

    /// Keeps the table of a large catalogue up to date.
    pub(crate) async fn keep_completions(
        self: Arc<Self>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut made = None;
        loop {
            let started = Instant::now();
            match self.renew_completions(&mut made).await {
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
    async fn renew_completions(&self, made: &mut Option<Made>) -> Result<(), SearchError> {
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
        if let Some((table, position)) = self.keyword.run(make).await? {
            self.completions.0.store(Some(Arc::new(table)));
            *made = Some(Made {
                position,
                popularity,
            });
        }
        Ok(())
    }
}
