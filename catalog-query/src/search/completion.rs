//! Completes what is being typed, with words of the catalog and with queries that many searches asked.
//! Invariant: the cost of a keystroke is bounded, however large the catalog is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use catalog_events::Position;
use tokio_util::sync::CancellationToken;

use crate::index::{IndexError, KeywordIndex, Popularity, Suggestion, SuggestionTable, Vocabulary};
use crate::search::deadline::{ANSWER_MAX, Deadline};
use crate::search::error::SearchError;
use crate::search::strategy::executor::SearchExecutor;
use crate::usage::{PopularQuery, PopularityBoard};

/// Catalogs of up to so many products are scanned at every keystroke, which takes about a
/// millisecond.
const SCANNED_DOCUMENTS_MAX: u64 = 5_000;
/// How many popular queries are looked at for each one that may be shown.
const CANDIDATES_PER_QUERY: usize = 2;
/// The most words of a popular query that are looked up.
const QUERY_WORDS_MAX: usize = 32;
const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// The pause after a renewal of the table, as a multiple of the time that it took: renewals keep a
/// core busy for 2 % of the time at most.
const PAUSE_PER_WORK: u32 = 50;

/// A text that a user may want to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) text: String,
    /// The number of products that have it.
    pub(crate) documents: u64,
    /// The number of views of these products; 0 where only searches know the text.
    pub(crate) views: u64,
    /// How many searches asked just this; None for a text that is no popular query.
    pub(crate) searches: Option<u64>,
}

/// Whether the catalog has every word of a query, in some form. Names of people and random letters are
/// never told to others, however often somebody asks for them.
fn is_known(vocabulary: &Vocabulary<'_>, query: &str) -> Result<bool, IndexError> {
    let words = vocabulary.language().words(query, QUERY_WORDS_MAX);
    for word in &words {
        if !vocabulary.has(&word.stem)? {
            return Ok(false);
        }
    }
    Ok(!words.is_empty())
}

/// Popular queries first, up to half of the list, then terms of the catalog, then further queries
/// where there are too few. A text stands once, whatever is between its words.
fn merged(terms: Vec<Suggestion>, queries: &[&PopularQuery], limit: usize) -> Vec<Completion> {
    let (first, others) = queries.split_at(queries.len().min(limit.div_ceil(2)));
    let of_term = |term: &Suggestion| Completion {
        text: term.text.clone(),
        documents: term.documents,
        views: term.views,
        searches: others
            .iter()
            .find(|query| same_words(&query.text, &term.text))
            .map(|query| query.searches),
    };
    let of_query = |query: &&PopularQuery| Completion {
        text: query.text.clone(),
        documents: query.total,
        views: terms
            .iter()
            .find(|term| same_words(&query.text, &term.text))
            .map_or(0, |term| term.views),
        searches: Some(query.searches),
    };
    let further_terms = terms.iter().filter(|term| {
        let mut first = first.iter();
        !first.any(|query| same_words(&query.text, &term.text))
    });
    let further_queries = others.iter().filter(|query| {
        let mut terms = terms.iter();
        !terms.any(|term| same_words(&query.text, &term.text))
    });
    first
        .iter()
        .map(of_query)
        .chain(further_terms.map(of_term))
        .chain(further_queries.map(of_query))
        .take(limit)
        .collect()
}

fn same_words(one: &str, other: &str) -> bool {
    words(one).eq(words(other))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty())
}

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
    ) -> Result<Vec<Completion>, SearchError> {
        let (typed, popularity) = (typed.to_owned(), self.popularity.current());
        let queries = self.popularity.queries();
        let holder = Arc::clone(&self.table);
        let complete = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            let table = holder.for_catalog_of(snapshot.documents());
            let terms = snapshot.complete(&typed, limit, table.as_deref(), &popularity)?;
            let candidates = queries.completing(&typed).into_iter();
            let mut known = Vec::new();
            for query in candidates.take(limit * CANDIDATES_PER_QUERY) {
                if known.len() < limit && is_known(&snapshot.vocabulary(), &query.text)? {
                    known.push(query);
                }
            }
            Ok::<_, IndexError>(merged(terms, &known, limit))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(terms: &[&str], queries: &[&str], limit: usize, expected: &[&str]) {
        let terms = terms.iter().map(|text| Suggestion {
            text: (*text).to_owned(),
            documents: 3,
            views: 7,
        });
        let query = |text: &&str| PopularQuery {
            text: (*text).to_owned(),
            searches: 9,
            total: 4,
        };
        let queries: Vec<PopularQuery> = queries.iter().map(query).collect();
        let queries: Vec<&PopularQuery> = queries.iter().collect();
        let told = |one: Completion| match one.searches {
            Some(9) => format!("{}! {} {}", one.text, one.documents, one.views),
            _ => format!("{} {} {}", one.text, one.documents, one.views),
        };
        let merged = merged(terms.collect(), &queries, limit);
        let found: Vec<String> = merged.into_iter().map(told).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn popular_queries_come_first_and_leave_room() {
        let terms = ["usb", "usb c", "usb hub", "usb cable"];
        let queries = ["usb-c", "usb adapter", "usb stick"];
        let expected = ["usb-c! 4 7", "usb adapter! 4 0", "usb 3 7", "usb hub 3 7"];
        check(&terms, &queries, 4, &expected);
        check(
            &["usb"],
            &["usb a", "usb b", "usb c"],
            4,
            &["usb a! 4 0", "usb b! 4 0", "usb 3 7", "usb c! 4 0"],
        );
        check(&["usb"], &[], 4, &["usb 3 7"]);
    }

    #[test]
    fn a_term_that_is_asked_too_keeps_its_place() {
        let expected = ["usb a! 4 0", "usb b! 3 7"];
        check(&["usb b", "usb c"], &["usb a", "usb b"], 2, &expected);
    }
}
