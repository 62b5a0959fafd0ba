//! What people have said about the answers of some queries: which rules speak of a query. Queries are
//! compared by stems, and looked up by the first one: a query costs as much as it has words.

pub(crate) mod curated;
mod target;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use catalog_events::{Curation, CurationAction, ProductId, QueryMatch, RuleId, Version};

use crate::index::{Language, QueryTerms};
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::Understood;
use crate::search::rules::curation::target::Target;

/// Pages by relevance show so much at most, so that nobody would see what is pinned further down.
const POSITION_MAX: u32 = 100;
/// What is done to a score, upwards or downwards.
const FACTOR_MAX: f64 = 1_000.0;

/// Ready to be looked up.
#[derive(Debug, Default)]
pub(crate) struct Curations {
    language: Language,
    /// By id.
    rules: Vec<CurationRule>,
    /// Those of every query.
    always: Vec<usize>,
    by_first_stem: HashMap<String, Vec<Pattern>>,
}

#[derive(Debug)]
struct CurationRule {
    /// `id@version`.
    label: Arc<str>,
    actions: Vec<Action>,
}

#[derive(Debug)]
enum Action {
    /// Counts from 1.
    Pin(ProductId, u32),
    Hide(Arc<Target>),
    /// Multiplies the score.
    Weigh(Arc<Target>, f64),
    Redirect(String),
}

#[derive(Debug)]
struct Pattern {
    stems: Vec<String>,
    matching: QueryMatch,
    rule: usize,
}

impl Curations {
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            ..Self::default()
        }
    }

    /// Rules come by id.
    pub(crate) fn add(&mut self, id: &RuleId, version: Version, curation: &Curation) {
        let rule = self.rules.len();
        if curation.queries.is_empty() {
            self.always.push(rule);
        }
        for query in &curation.queries {
            let stems = stems(self.language, query);
            // Without a word it is no query, and still not every query.
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

    /// Those that speak of the query as it was typed or as it was corrected, by id.
    fn of_query(&self, typed: &ParsedQuery, understood: &Understood) -> Vec<&CurationRule> {
        let mut found: BTreeSet<usize> = self.always.iter().copied().collect();
        let corrected = understood.corrected.as_deref();
        let corrected = corrected.map(|text| ParsedQuery::parse(text, self.language));
        let corrected = corrected.and_then(Result::ok);
        for query in [Some(typed), corrected.as_ref()].into_iter().flatten() {
            let stems = query.words.iter().map(|word| word.word.stem.as_str());
            self.find(&stems.collect::<Vec<_>>(), &mut found);
        }
        found.into_iter().map(|rule| &self.rules[rule]).collect()
    }

    /// Those of every query, of none included.
    fn of_browsing(&self) -> Vec<&CurationRule> {
        self.always.iter().map(|rule| &self.rules[*rule]).collect()
    }

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
    /// None for one that a newer writer knows.
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

/// As queries have them.
fn stems(language: Language, text: &str) -> Vec<String> {
    let words = language.words(text, QueryTerms::WORDS_MAX);
    words.into_iter().map(|word| word.stem).collect()
}
