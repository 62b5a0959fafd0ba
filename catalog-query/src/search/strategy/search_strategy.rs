//! What a strategy is asked, and what it answers.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::index::{KeywordWeights, Matched, Popularity};
use crate::search::deadline::Deadline;
use crate::search::error::SearchError;
use crate::search::ranking::profile::RankingProfile;
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::rules::curation::curated::Curated;
use crate::search::rules::rule_set::RuleSet;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::scope::Scope;

/// A way to find products.
pub(crate) trait SearchStrategy: Send + Sync {
    /// At least the best `limit` products of `scope`, best first.
    fn search<'a>(
        &'a self,
        request: &'a StrategyRequest,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>>;
}

/// What a strategy is asked: the parsed query, which each strategy prepares for its legs, and
/// everything that decides how it is answered.
#[derive(Clone, Debug)]
pub(crate) struct StrategyRequest {
    pub(crate) query: Arc<ParsedQuery>,
    pub(crate) profile: Arc<RankingProfile>,
    /// Takes the query as it is: no corrected spelling, no synonyms, no curation.
    pub(crate) verbatim: bool,
    /// The rules in place of those that are followed, where some are tried out.
    pub(crate) tried: Option<Arc<RuleSet>>,
    /// When a leg that has not answered is left out, unless no other leg has answered either.
    pub(crate) deadline: Deadline,
    /// False when a column orders the answer: then only the set of matches is wanted.
    pub(crate) by_relevance: bool,
    /// Whether the answer will be explained, which needs the places of products further down.
    pub(crate) explained: bool,
    /// The views of the products a moment ago.
    pub(crate) popularity: Arc<Popularity>,
}

/// What a strategy answers.
#[derive(Clone, Debug)]
pub(crate) struct SearchOutcome {
    /// Best first.
    pub(crate) hits: Vec<RankedHit>,
    /// The products that match by words; None when the leg by words did not answer.
    pub(crate) matched: Option<Matched>,
    /// The strategy that answered: a rung below the one asked for when `degraded`.
    pub(crate) strategy: StrategyKind,
    pub(crate) degraded: bool,
    /// The query as it was looked up. A product that has the words that its mode asks for matches,
    /// unless phrases or exclusions leave it out.
    pub(crate) understood: Arc<UnderstoodQuery>,
    /// The words that were dropped, as they were typed: no product has them with the others.
    pub(crate) relaxed: Vec<String>,
    /// The products near enough in meaning, which match too; None when the leg by meaning did not
    /// answer.
    pub(crate) near: Option<Matched>,
    /// The effect of the rules on the answer.
    pub(crate) curated: Arc<Curated>,
    /// The weights of the words that were looked up.
    pub(crate) words: Arc<KeywordWeights>,
    /// The weight of the leg by meaning if all products had a vector.
    pub(crate) vector_weight: f64,
    /// The share of the products that have vectors, where vectors were used.
    pub(crate) coverage: f64,
    /// The similarity from which a product counts as near in meaning.
    pub(crate) similarity_floor: f32,
    /// The microseconds that preparing and each leg took, by their names.
    pub(crate) micros: Vec<(&'static str, u64)>,
}
