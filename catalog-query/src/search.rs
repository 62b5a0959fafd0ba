//! Finds products by words, by meaning, or by both. Invariant: what a user types is data; it never
//! reaches a query grammar, and no search is worse off than by keyword when the model fails.

mod engine;
mod completion;
mod similar;
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
pub(crate) use self::ranking::profile::RankingProfiles;
pub(crate) use self::ranking::ranked_hit::{LegRank, RankedHit};
pub(crate) use self::request::filter::{InvalidField, parse_facets, parse_filter};
pub(crate) use self::request::search_request::{SearchRequest, Sort};
pub(crate) use self::rules::rule_set::{RuleSet, RulesHandle};
pub(crate) use self::strategy::factory::SearchStrategyFactory;
pub(crate) use self::strategy::kind::StrategyKind;
