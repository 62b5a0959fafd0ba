//! Puts a query of a table to the engine, and takes from its answer what the tables speak of. How
//! words match, prefixes, relaxed words and "did you mean" pass through here only.

use std::time::Duration;

use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;

use crate::index::{Filter, MatchMode};
use crate::search::engine::SearchPage;
use crate::search::request::filter::parse_filter;
use crate::search::request::search_request::{Presentation, SearchRequest, Sort};
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::queries::table::Query;

/// The most hits of a page: more than any catalog has.
const LIMIT: usize = 1_000;

/// What an answer says of how its query was read.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The text that was searched for; empty when it is the typed one.
    pub(super) corrected: String,
    /// The text that was not searched for, but may have been meant.
    pub(super) did_you_mean: String,
    /// The words that were dropped.
    pub(super) relaxed: Vec<String>,
}

pub(super) fn request(query: &Query, strategy: StrategyKind, sort: Sort) -> SearchRequest {
    // What else tells requests apart.
    let reading = format!("{:?} {:?}", query.matching, query.prefix);
    SearchRequest {
        query: query.q.clone(),
        limit: LIMIT,
        strategy,
        filter: filter(query),
        facets: Vec::new(),
        presentation: Presentation::default(),
        sort,
        page_token: String::new(),
        profile: String::new(),
        match_mode: match query.matching.as_deref() {
            None | Some("auto") => MatchMode::Auto,
            Some("all") => MatchMode::All,
            Some("any") => MatchMode::Any,
            Some(other) => panic!("match {other:?}"),
        },
        is_open: match query.prefix.as_deref() {
            None | Some("last") => true,
            Some("none") => false,
            Some(other) => panic!("prefix {other:?}"),
        },
        verbatim: query.verbatim,
        drafts: Vec::new(),
        budget: Duration::from_secs(60),
        explain: false,
        why_not: None,
        identity: reading.into_bytes(),
    }
}

pub(super) fn told(page: &SearchPage) -> Told {
    let Some(outcome) = &page.outcome else {
        return Told::default();
    };
    let understood = &outcome.understood;
    Told {
        corrected: understood.corrected.clone().unwrap_or_default(),
        did_you_mean: understood.suggested.clone().unwrap_or_default(),
        relaxed: outcome.relaxed.clone(),
    }
}

fn filter(query: &Query) -> Option<Filter> {
    let terms = |(field, value): (&String, &String)| v1::Filter {
        kind: Some(Kind::Terms(v1::TermsFilter {
            field: field.clone(),
            values: vec![value.clone()],
        })),
    };
    let filters: Vec<v1::Filter> = query.filter.iter().map(terms).collect();
    let all = v1::Filter {
        kind: Some(Kind::All(v1::FilterList { filters })),
    };
    (!query.filter.is_empty()).then(|| parse_filter(&all).expect("filter"))
}
