//! Queries that many searches asked, as completions of what is being typed. Invariant: no query is
//! shown that few searches asked or that might tell who asked it.

use sqlx::PgPool;

use crate::usage::half_life::HalfLife;
use crate::usage::query_text::{is_suggestible, normalized};
use crate::usage::store::suggestible_queries;

/// The fewest searches that make a query one to show to others.
pub(crate) const SEARCHES_MIN: i64 = 5;
const QUERIES_MAX: i64 = 2_000;

/// A query that many searches asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PopularQuery {
    /// The query in lower case, with single spaces.
    pub(crate) text: String,
    /// How many searches asked it, those longer ago counting less.
    pub(crate) searches: u64,
    /// How many products the last of them found.
    pub(crate) total: u64,
}

/// The queries that are asked most, sorted by their text.
#[derive(Debug, Default)]
pub(crate) struct PopularQueries(Vec<PopularQuery>);

impl PopularQueries {
    pub(super) async fn read(registry: &PgPool, half_life: HalfLife) -> sqlx::Result<Self> {
        let rows = suggestible_queries(registry, half_life, SEARCHES_MIN, QUERIES_MAX).await?;
        let queries = rows.into_iter().map(|(text, weight, total)| PopularQuery {
            text,
            searches: weight.round() as u64,
            total: total.unsigned_abs(),
        });
        Ok(Self::new(queries.collect()))
    }

    fn new(mut queries: Vec<PopularQuery>) -> Self {
        queries.retain(|query| is_suggestible(&query.text));
        queries.sort_by(|a, b| a.text.cmp(&b.text));
        let whole = queries.iter().map(|query| !is_begun(query, &queries));
        let whole: Vec<bool> = whole.collect();
        let mut whole = whole.into_iter();
        queries.retain(|_| whole.next().unwrap_or(true));
        Self(queries)
    }

    /// The queries that begin with what was typed, most frequent first.
    pub(crate) fn completing(&self, typed: &str) -> Vec<&PopularQuery> {
        let mut prefix = normalized(typed);
        if prefix.is_empty() {
            return Vec::new();
        }
        // After a space the user wants another word.
        if typed.ends_with(char::is_whitespace) {
            prefix.push(' ');
        }
        let mut found: Vec<&PopularQuery> = beginning_with(&self.0, &prefix).iter().collect();
        found.sort_by(|a, b| {
            b.searches
                .cmp(&a.searches)
                .then_with(|| a.text.cmp(&b.text))
        });
        found
    }
}

/// The queries that begin with `prefix`; `queries` are sorted.
fn beginning_with<'a>(queries: &'a [PopularQuery], prefix: &str) -> &'a [PopularQuery] {
    let from = queries.partition_point(|query| query.text.as_str() < prefix);
    let rest = &queries[from..];
    let count = rest.partition_point(|query| query.text.starts_with(prefix));
    &rest[..count]
}

/// Whether a query is what people type on their way to another one: its last word goes on in a query that
/// is asked at least as often.
fn is_begun(query: &PopularQuery, queries: &[PopularQuery]) -> bool {
    beginning_with(queries, &query.text).iter().any(|longer| {
        let rest = longer.text.strip_prefix(&query.text).unwrap_or_default();
        rest.starts_with(char::is_alphanumeric) && longer.searches >= query.searches
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(asked: &[(&str, u64)]) -> PopularQueries {
        let query = |(text, searches): &(&str, u64)| PopularQuery {
            text: (*text).to_owned(),
            searches: *searches,
            total: 1,
        };
        PopularQueries::new(asked.iter().map(query).collect())
    }

    fn texts(queries: &PopularQueries, typed: &str) -> Vec<String> {
        let found = queries.completing(typed).into_iter();
        found.map(|query| query.text.clone()).collect()
    }

    #[test]
    fn the_most_frequent_come_first() {
        let known = queries(&[
            ("laptop bag", 9),
            ("laptop", 30),
            ("laptop stand", 12),
            ("lamp", 50),
        ]);
        assert_eq!(
            texts(&known, "Lapt"),
            ["laptop", "laptop stand", "laptop bag"]
        );
        assert_eq!(texts(&known, "laptop "), ["laptop stand", "laptop bag"]);
        assert_eq!(texts(&known, "x"), [""; 0]);
        assert_eq!(texts(&known, " "), [""; 0]);
    }

    #[test]
    fn a_word_that_was_still_being_typed_is_no_query() {
        let known = queries(&[("lapt", 30), ("laptop", 30), ("usb", 9), ("usb hub", 90)]);
        assert_eq!(texts(&known, "lap"), ["laptop"]);
        assert_eq!(texts(&known, "us"), ["usb hub", "usb"]);
    }

    #[test]
    fn nobody_is_shown_who_somebody_is() {
        let known = queries(&[
            ("jane@example.org", 99),
            ("0171 2345678", 99),
            ("4111111111111111", 99),
            ("5099206085336", 99),
            ("laptop 15.6", 99),
        ]);
        let all: Vec<&str> = known.0.iter().map(|query| query.text.as_str()).collect();
        assert_eq!(all, ["laptop 15.6"]);
    }
}
