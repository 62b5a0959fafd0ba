//! Finds products by words, by meaning, or by both. Invariant: what a user types is data; it never
//! reaches a query grammar, and no search is worse off than by keyword when the model fails.

mod engine;
mod similar;
mod completion;
mod answer;
mod strategy;
mod ranking;
mod rules;
mod request;
#[cfg(test)]
pub(crate) mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

pub(crate) use self::answer::explanation::{Absence, Explanation};
pub(crate) use self::answer::highlight::Highlighter;
pub(crate) use self::engine::{SearchEngine, SearchPage, SearchRequest, Sort};
pub(crate) use self::ranking::fusion::{LegRank, RankedHit};
pub(crate) use self::ranking::profile::{RankingProfile, RankingProfiles};
pub(crate) use self::request::cursor::InvalidPageToken;
pub(crate) use self::request::filter::{InvalidField, parse_facets, parse_filter};
use self::request::understanding::Understood;
use self::rules::curation::curated::Curated;
pub(crate) use self::rules::rule_set::{RuleSet, RulesHandle};
pub(crate) use self::strategy::factory::SearchStrategyFactory;
use self::strategy::scope::Scope;
pub(crate) use self::strategy::vector::{Pass, VectorIndex, VectorIndexError};
use crate::index::{DocSets, Popularity};

/// What somebody asks, and how it is to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) query: String,
    pub(crate) profile: Arc<RankingProfile>,
    /// Takes the query as it is: no corrected spelling, no synonyms, no curation.
    pub(crate) verbatim: bool,
    /// When a leg that has found nothing yet is left out, unless it is the last one.
    pub(crate) deadline: Deadline,
    /// False where another order is asked for: then the answer says what matches, and no more.
    pub(crate) by_relevance: bool,
    /// Whether the answer is told apart, with the places of products further down.
    pub(crate) explained: bool,
    /// Views of a moment ago.
    pub(crate) popularity: Arc<Popularity>,
}

/// How much longer than the budget may take what there is no answer without: on a busy machine a
/// late answer is better than none.
const GRACE: Duration = Duration::from_secs(1);

/// When the time of a search is up, and how long that was from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    budget: Duration,
}

impl Deadline {
    pub(crate) fn after(budget: Duration) -> Self {
        Self {
            at: Instant::now() + budget,
            budget,
        }
    }

    /// For what cannot be left out.
    fn with_grace(self) -> Self {
        Self {
            at: self.at + GRACE,
            budget: self.budget + GRACE,
        }
    }
}

/// A way to find products.
pub(crate) trait SearchStrategy: Send + Sync {
    /// The best `limit` products of `scope`, at least; best first.
    fn search<'a>(
        &'a self,
        question: &'a Question,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StrategyKind {
    Keyword,
    Vector,
    Hybrid,
}

#[derive(Clone, Debug)]
pub(crate) struct SearchOutcome {
    /// Best first.
    pub(crate) hits: Vec<RankedHit>,
    /// All that match by words, where they were looked for.
    pub(crate) matched: Option<Arc<DocSets>>,
    /// The strategy that answered: a rung below the one asked for when `degraded`.
    pub(crate) strategy: StrategyKind,
    pub(crate) degraded: bool,
    /// What the products were searched for. Whatever has any of it matches, but for what phrases and
    /// exclusions leave out.
    pub(crate) understood: Arc<Understood>,
    /// Those near in meaning, which match too.
    pub(crate) near: Option<Arc<DocSets>>,
    /// What rules make of it.
    pub(crate) curated: Arc<Curated>,
    /// How many of the products have vectors, where they were used.
    pub(crate) coverage: f64,
    /// How long each leg took.
    pub(crate) micros: Vec<(&'static str, u64)>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error("the query is empty")]
    EmptyQuery,
    #[error("the query has {bytes} bytes, more than {}", request::query::BYTES_MAX)]
    QueryTooLong { bytes: usize },
    #[error("there is no ranking profile of that name")]
    UnknownProfile,
    #[error("the search took longer than {0:?}")]
    Late(Duration),
    #[error(transparent)]
    PageToken(#[from] InvalidPageToken),
    #[error("search is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}
