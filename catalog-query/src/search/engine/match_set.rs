//! The set of products that match a search. Totals, facets and sorted pages are taken from it.

use std::sync::Arc;

use crate::index::{DocSets, FacetCounts, FacetRequest, Filter, IndexError, Matched};
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::rules::curation::curated::Curated;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::search_strategy::SearchOutcome;

/// The products that match a search, in no order.
pub(crate) struct MatchSet {
    found: Found,
    curated: Arc<Curated>,
}

/// How products come to match, before the rules.
enum Found {
    /// There is no query: all products of the scope match.
    All,
    /// Products match by a word or identifier, or because they are near in meaning.
    Some {
        by_words: Option<Matched>,
        near: Option<Matched>,
        query: Arc<UnderstoodQuery>,
    },
}

impl MatchSet {
    pub(crate) fn of(outcome: Option<&SearchOutcome>, curated: Arc<Curated>) -> Self {
        let found = match outcome {
            None => Found::All,
            Some(outcome) => Found::Some {
                by_words: outcome.matched.clone(),
                near: outcome.near.clone(),
                query: Arc::clone(&outcome.understood),
            },
        };
        Self { found, curated }
    }

    /// The total, where it is known without asking the index again.
    pub(crate) fn total_at_hand(&self) -> Option<u64> {
        if self.curated.adjusts() {
            return None;
        }
        match &self.found {
            Found::All => None,
            Found::Some { by_words, near, .. } => match (by_words, near) {
                (Some(words), Some(near)) => Some(words.passing.len_with(&near.passing)),
                (only, other) => only.as_ref().or(other.as_ref()).map(|it| it.passing.len()),
            },
        }
    }

    /// The matches that pass the filter of the scope.
    pub(crate) fn within_scope(&self, scope: &Scope) -> Result<DocSets, IndexError> {
        let filter = scope.filter.as_deref();
        let mut among = match &self.found {
            Found::All => scope.snapshot.all(filter)?,
            Found::Some { by_words, near, .. } => {
                let sets = by_words.iter().chain(near).map(|one| &*one.passing);
                union(scope, sets)
            }
        };
        self.curated.adjust(&mut among, filter);
        Ok(among)
    }

    /// The matches that pass another filter than that of the scope.
    fn within(&self, scope: &Scope, filter: Option<&DocSets>) -> Result<DocSets, IndexError> {
        let snapshot = &scope.snapshot;
        let mut among = match &self.found {
            Found::All => snapshot.all(filter)?,
            Found::Some {
                by_words,
                near,
                query,
            } => {
                let sets = by_words.iter().chain(near).map(|one| &*one.all);
                let mut among = union(scope, sets);
                // Those near in meaning keep to phrases and exclusions as the words do.
                let allowed = snapshot.constrained(&query.terms, filter)?;
                if let Some(allowed) = allowed.as_ref().or(filter) {
                    among.intersect(allowed);
                }
                among
            }
        };
        self.curated.adjust(&mut among, filter);
        Ok(among)
    }

    /// Counts each facet among the products that would match if the filter left out its field, and after
    /// them at most `auto` that the catalog chooses.
    pub(crate) fn facets(
        &self,
        scope: &Scope,
        among: &DocSets,
        filter: Option<&Filter>,
        facets: &[FacetRequest],
        auto: usize,
    ) -> Result<Vec<FacetCounts>, IndexError> {
        let snapshot = &scope.snapshot;
        let filter = filter.map(|filter| snapshot.resolved(filter)).transpose()?;
        let filter = filter.as_ref();
        let chosen = snapshot.choose_facets(among, facets, filter, auto)?;
        let counts = facets.iter().chain(&chosen).map(|facet| {
            let rest = filter.and_then(|filter| filter.without(&facet.field));
            if rest.as_ref() == filter {
                return snapshot.facet(facet, among, filter);
            }
            let passing = rest.map(|rest| snapshot.filtered(&rest)).transpose()?;
            let matches = self.within(scope, passing.as_ref())?;
            snapshot.facet(facet, &matches, filter)
        });
        counts.collect()
    }
}

/// The union of sets, some of which may be those of no segment.
fn union<'a>(scope: &Scope, sets: impl Iterator<Item = &'a DocSets>) -> DocSets {
    let mut union = scope.snapshot.nothing();
    sets.for_each(|set| union.unite(set));
    union
}
