//! What every strategy is asked, and what it answers.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::index::{DocSets, Popularity};
use crate::search::deadline::Deadline;
use crate::search::error::SearchError;
use crate::search::ranking::profile::RankingProfile;
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::Understood;
use crate::search::rules::curation::curated::Curated;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::scope::Scope;

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

/// What somebody asks, and how it is to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) query: Arc<ParsedQuery>,
    pub(crate) profile: Arc<RankingProfile>,
    /// Takes the query as it is: no corrected spelling, no synonyms, no curation.
    pub(crate) verbatim: bool,
    /// When a leg that has found nothing yet is left out, unless it is the last one.
    pub(crate) deadline: Deadline,
    /// False where another order is asked for: then the answer says what matches, and no more.
    pub(crate) by_relevance: bool,
    /// Whether the answer is told apart, with the places of products further down.
    pub(crate) explained: bool,
    /// The views of the products, as of a moment ago.
    pub(crate) popularity: Arc<Popularity>,
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
    /// What the products were searched for. A product that has any of it matches, unless phrases or
    /// exclusions leave it out.
    pub(crate) understood: Arc<Understood>,
    /// The products near in meaning, which match too.
    pub(crate) near: Option<Arc<DocSets>>,
    /// What rules make of the answer.
    pub(crate) curated: Arc<Curated>,
    /// The share of the products that have vectors, where vectors were used.
    pub(crate) coverage: f64,
    /// How long each leg took.
    pub(crate) micros: Vec<(&'static str, u64)>,
}
