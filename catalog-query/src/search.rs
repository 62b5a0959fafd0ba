//! Finds products by words, by meaning, or by both. Invariant: what a user types is data; it never
//! reaches a query grammar, and no search is worse off than by keyword when the model fails.

mod query;
mod fusion;
mod keyword;
mod vector;
mod filtered_vectors;
mod hybrid;
mod factory;
mod filter;
mod scope;
mod cursor;
mod engine;
mod similar;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod oracle;

use std::error::Error;

use futures_util::future::BoxFuture;

use catalog_events::ProductId;

pub(crate) use self::cursor::InvalidPageToken;
pub(crate) use self::engine::{SearchEngine, SearchPage, SearchRequest, Sort};
pub(crate) use self::factory::SearchStrategyFactory;
pub(crate) use self::filter::{InvalidField, parse_facets, parse_filter};
use self::scope::Scope;
pub(crate) use self::vector::{Pass, VectorIndex, VectorIndexError};
use crate::index::{Hit, QueryTerms};

/// A way to find products.
pub(crate) trait SearchStrategy: Send + Sync {
    /// The best `limit` products of `scope` for what a user typed.
    fn search<'a>(
        &'a self,
        query: &'a str,
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

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SearchOutcome {
    /// Best first, equal scores by product id.
    pub(crate) hits: Vec<Hit>,
    /// The strategy that answered: a rung below the one asked for when `degraded`.
    pub(crate) strategy: StrategyKind,
    pub(crate) degraded: bool,
    /// What the products were searched for. Whatever has any of it matches.
    pub(crate) terms: QueryTerms,
    /// Those near in meaning, which match too.
    pub(crate) near: Vec<ProductId>,
}

impl SearchOutcome {
    fn nothing(strategy: StrategyKind) -> Self {
        Self {
            hits: Vec::new(),
            strategy,
            degraded: false,
            terms: QueryTerms::default(),
            near: Vec::new(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error("the query is empty")]
    EmptyQuery,
    #[error("the query has {bytes} bytes, more than {}", query::BYTES_MAX)]
    QueryTooLong { bytes: usize },
    #[error(transparent)]
    PageToken(#[from] InvalidPageToken),
    #[error("search is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// How hits by words and by meaning become one list: weighted reciprocal rank fusion (Cormack,
/// Clarke and Büttcher, SIGIR 2009).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RankingProfile {
    /// Flattens the difference between the first ranks; 60 in the paper.
    pub(crate) rank_constant: f32,
    pub(crate) keyword_weight: f32,
    pub(crate) vector_weight: f32,
    /// How many hits of either kind are fused.
    pub(crate) depth: usize,
    /// How long an answer waits for the model and the vectors.
    pub(crate) vector_ms_max: u64,
}

impl Default for RankingProfile {
    fn default() -> Self {
        Self {
            rank_constant: 60.0,
            keyword_weight: 1.0,
            vector_weight: 0.5,
            depth: 200,
            vector_ms_max: 250,
        }
    }
}
