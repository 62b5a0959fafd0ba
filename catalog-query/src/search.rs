//! Finds products by words, by meaning, or by both. Invariants: what a user types is data and never
//! reaches a query grammar; when the model fails, a search still answers by words.
//!
//! A query takes these forms: a [`SearchRequest`] as the caller states it, a `ParsedQuery` of
//! words, phrases, exclusions and identifiers, a `PreparedQuery` after corrections, synonyms and
//! rules, and the `QueryTerms` in it, whose postings the index reads.

mod engine;
mod completion;
mod similar;
mod synonym_mining;
mod answer;
mod strategy;
mod ranking;
mod rules;
mod request;
mod deadline;
mod error;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use self::answer::explanation::{Absence, Explanation};
pub(crate) use self::answer::highlight::Highlighter;
pub(crate) use self::engine::{SearchEngine, SearchPage};
pub(crate) use self::error::SearchError;
pub use self::ranking::listing::{ListedProfiles, ranking_profiles};
pub(crate) use self::ranking::profile::RankingProfiles;
pub(crate) use self::ranking::ranked_hit::{LegRank, RankedHit};
pub(crate) use self::request::filter::{InvalidField, parse_facets, parse_filter};
pub(crate) use self::request::search_request::{Presentation, SearchRequest, Sort};
pub(crate) use self::rules::rule_set::{RuleSet, RulesHandle};
pub(crate) use self::strategy::factory::SearchStrategyFactory;
pub(crate) use self::strategy::kind::StrategyKind;
pub(crate) use self::synonym_mining::{MiningError, SynonymMiner, SynonymPair};
