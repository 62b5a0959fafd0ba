//! Finds the curation rules for a query. Queries are compared by their stems, and rules are indexed
//! by the first stem: the cost grows with the words of a query, and not with the number of rules.

pub(crate) mod curated;
mod target;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use catalog_events::{Curation, CurationAction, ProductId, QueryMatch, RuleId, Version};

use crate::index::{Language, QueryTerms};
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::rules::curation::target::Target;

/// The last place of a pin: a page shows no more products, and nobody would see a pin further down.
const POSITION_MAX: u32 = 100;
/// The largest factor by which rules raise or lower a score.
const FACTOR_MAX: f64 = 1_000.0;

/// Curation rules, indexed by the queries that they are for.
#[derive(Debug, Default)]
pub(crate) struct Curations {
    language: Language,
    /// The rules in the order of their ids.
    rules: Vec<CurationRule>,
    /// The places in `rules` of those for every query.
    always: Vec<usize>,
    /// The queries of the other rules, by their first stem.
    by_first_stem: HashMap<String, Vec<Pattern>>,
}

#[derive(Debug)]
struct CurationRule {
    /// The rule as `id@version`.
    label: Arc<str>,
    actions: Vec<Action>,
}

#[derive(Debug)]
enum Action {
    /// Shows a product at a place, counted from 1.
    Pin(ProductId, u32),
    Hide(Arc<Target>),
    /// Multiplies the scores of products.
    Weigh(Arc<Target>, f64),
    Redirect(String),
}

/// A query that a rule is for.
#[derive(Debug)]
struct Pattern {
    stems: Vec<String>,
    matching: QueryMatch,
    /// The place in [`Curations::rules`].
    rule: usize,
}

impl Curations {
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            ..Self::default()
        }
    }

    /// Adds a rule; rules come in the order of their ids.
    pub(crate) fn add(&mut self, id: &RuleId, version: Version, curation: &Curation) {
        let rule = self.rules.len();
        if curation.queries.is_empty() {
            self.always.push(rule);
        }
        for query in &curation.queries {
            let stems = stems(self.language, query);
            // A query without words matches nothing; only a rule without queries is for every
            // query.
            let Some(first) = stems.first().cloned() else {
                continue;
            };
            let patterns = self.by_first_stem.entry(first).or_default();
            patterns.push(Pattern {
                stems,
                matching: curation.matching,
                rule,
            });
        }
        self.rules.push(CurationRule {
            label: format!("{id}@{version}").into(),
            actions: curation.actions.iter().filter_map(Action::of).collect(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules for a query, as it was typed or as it was corrected, in the order of their ids.
    fn for_query(&self, typed: &ParsedQuery, understood: &UnderstoodQuery) -> Vec<&CurationRule> {
        let mut found: BTreeSet<usize> = self.always.iter().copied().collect();
        let corrected = understood
            .corrected
            .as_deref()
            .and_then(|text| ParsedQuery::parse(text, self.language).ok());
        for query in [Some(typed), corrected.as_ref()].into_iter().flatten() {
            let stems = query.words.iter().map(|word| word.word.stem.as_str());
            self.find(&stems.collect::<Vec<_>>(), &mut found);
        }
        found.into_iter().map(|rule| &self.rules[rule]).collect()
    }

    /// The rules where there is no query: those for every query.
    fn for_browsing(&self) -> Vec<&CurationRule> {
        self.always.iter().map(|rule| &self.rules[*rule]).collect()
    }

    /// Adds the places of the rules with a pattern that the stems of a query match.
    fn find(&self, query: &[&str], found: &mut BTreeSet<usize>) {
        for (at, stem) in query.iter().enumerate() {
            let rest = &query[at..];
            for pattern in self.by_first_stem.get(*stem).into_iter().flatten() {
                let is_here = match pattern.matching {
                    QueryMatch::Exact => at == 0 && rest.len() == pattern.stems.len(),
                    QueryMatch::Contains => rest.len() >= pattern.stems.len(),
                };
                if is_here
                    && pattern
                        .stems
                        .iter()
                        .zip(rest)
                        .all(|(own, stem)| own == stem)
                {
                    found.insert(pattern.rule);
                }
            }
        }
    }
}

impl Action {
    /// None for an action that only a newer writer knows.
    fn of(action: &CurationAction) -> Option<Self> {
        let weigh = |target, factor: f64| {
            let factor = factor.clamp(1.0 / FACTOR_MAX, FACTOR_MAX);
            Self::Weigh(Arc::new(Target::new(target)), factor)
        };
        Some(match action {
            CurationAction::Pin {
                product_id,
                position,
            } => Self::Pin(product_id.clone(), (*position).clamp(1, POSITION_MAX)),
            CurationAction::Hide { target } => Self::Hide(Arc::new(Target::new(target))),
            CurationAction::Boost { target, factor } => weigh(target, *factor),
            CurationAction::Bury { target, factor } => weigh(target, 1.0 / factor),
            CurationAction::Redirect { url } => Self::Redirect(url.clone()),
            CurationAction::Unknown => return None,
        })
    }
}

/// The stems of a text, as those of a query are made.
fn stems(language: Language, text: &str) -> Vec<String> {
    let words = language.words(text, QueryTerms::WORDS_MAX);
    words.into_iter().map(|word| word.stem).collect()
}
