//! Adds up searches and clicks until they are saved. Invariant: what it holds is bounded, however many
//! different queries come while the database is away.

use std::collections::BTreeMap;

use catalog_events::{Clicked, Searched, SearchedBy};
use time::OffsetDateTime;

use crate::usage::latency::bucket;
use crate::usage::query_text::QueryText;

/// The most queries that wait to be saved; further ones count in the totals alone.
const QUERIES_MAX: usize = 20_000;
/// The places that are told apart. The place after them stands for all beyond.
const POSITIONS_MAX: u32 = 100;

/// What was not saved yet. The maps are sorted, so that replicas lock rows in one order.
#[derive(Debug, Default)]
pub(super) struct SearchTally {
    pub(super) queries: BTreeMap<String, QueryTally>,
    pub(super) positions: BTreeMap<u32, PositionTally>,
    pub(super) totals: BTreeMap<SearchedBy, TotalsTally>,
    pub(super) latency: BTreeMap<(SearchedBy, i16), i64>,
}

/// The searches for one query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct QueryTally {
    pub(super) searches: i64,
    /// Searches without a filter that found nothing.
    pub(super) without_result: i64,
    /// Searches that were answered for another spelling or for fewer words.
    pub(super) altered: i64,
    pub(super) clicks: i64,
    /// What the last search without a filter found; None where there was none.
    pub(super) total: Option<i64>,
    /// None where there were clicks alone.
    pub(super) last_at: Option<OffsetDateTime>,
}

/// One place of the answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PositionTally {
    pub(super) shown: i64,
    pub(super) clicks: i64,
}

/// The searches that one strategy answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TotalsTally {
    pub(super) searches: i64,
    pub(super) without_result: i64,
    pub(super) corrected: i64,
    pub(super) degraded: i64,
}

impl SearchTally {
    pub(super) fn is_empty(&self) -> bool {
        self.totals.is_empty() && self.positions.is_empty()
    }

    pub(super) fn search(&mut self, search: &Searched) {
        let found_nothing = i64::from(search.total == 0);
        let corrected = i64::from(search.corrected);
        let totals = self.totals.entry(search.strategy).or_default();
        totals.searches += 1;
        totals.without_result += found_nothing;
        totals.corrected += corrected;
        totals.degraded += i64::from(search.degraded);
        *self
            .latency
            .entry((search.strategy, bucket(search.ms)))
            .or_default() += 1;
        for position in 1..=search.shown.min(POSITIONS_MAX) {
            self.positions.entry(position).or_default().shown += 1;
        }
        let Some(query) = self.query(&search.normalized) else {
            return;
        };
        query.searches += 1;
        query.altered += i64::from(search.corrected || search.relaxed);
        if !search.filtered {
            query.without_result += found_nothing;
            query.total = i64::try_from(search.total).ok();
        }
        query.last_at = query.last_at.max(Some(search.at));
    }

    pub(super) fn click(&mut self, click: &Clicked) {
        let position = click.position.min(POSITIONS_MAX + 1);
        self.positions.entry(position).or_default().clicks += 1;
        let query = click.query.as_deref().unwrap_or_default();
        if let Some(query) = self.query(query) {
            query.clicks += 1;
        }
    }

    /// None for a query that must not be told, and where there are too many. Anybody may publish events:
    /// their texts are bounded here once more.
    fn query(&mut self, query: &str) -> Option<&mut QueryTally> {
        let query = QueryText::of(query).normalized;
        if query.is_empty()
            || self.queries.len() >= QUERIES_MAX && !self.queries.contains_key(&query)
        {
            return None;
        }
        Some(self.queries.entry(query).or_default())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn search(query: &str, total: u64) -> Searched {
        Searched {
            search_id: Uuid::nil(),
            query: query.to_owned(),
            normalized: query.to_owned(),
            strategy: SearchedBy::Keyword,
            total,
            shown: total.min(20) as u32,
            ms: 1.0,
            corrected: false,
            relaxed: false,
            degraded: false,
            filtered: false,
            at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_filter_that_leaves_nothing_makes_no_query_one_without_result() {
        let mut tally = SearchTally::default();
        tally.search(&search("mouse", 7));
        tally.search(&Searched {
            filtered: true,
            ..search("mouse", 0)
        });
        let expected = QueryTally {
            searches: 2,
            total: Some(7),
            last_at: Some(OffsetDateTime::UNIX_EPOCH),
            ..QueryTally::default()
        };
        assert_eq!(tally.queries["mouse"], expected);
        assert_eq!(tally.totals[&SearchedBy::Keyword].without_result, 1);
    }

    #[test]
    fn places_far_down_are_counted_together() {
        let mut tally = SearchTally::default();
        tally.search(&search("mouse", 2));
        for position in [2, 101, 5_000] {
            tally.click(&Clicked {
                search_id: Uuid::nil(),
                product_id: "p".parse().expect("id"),
                position,
                query: None,
                at: OffsetDateTime::UNIX_EPOCH,
            });
        }
        let counts = |shown, clicks| PositionTally { shown, clicks };
        let expected = [(1, counts(1, 0)), (2, counts(1, 1)), (101, counts(0, 2))];
        assert_eq!(tally.positions, BTreeMap::from(expected));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut tally = SearchTally::default();
        for number in 0..QUERIES_MAX + 10 {
            tally.search(&search(&number.to_string(), 1));
        }
        tally.search(&search("0", 1));
        assert_eq!(tally.queries.len(), QUERIES_MAX);
        assert_eq!(tally.queries["0"].searches, 2);
        let all = QUERIES_MAX as i64 + 11;
        assert_eq!(tally.totals[&SearchedBy::Keyword].searches, all);
        // A query that may not be told counts in the totals alone.
        tally.search(&search("", 1));
        assert!(!tally.queries.contains_key(""));
    }
}
