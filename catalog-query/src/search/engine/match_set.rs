//! The set of products that match a search. Totals, facets and sorted pages are taken from it.

use std::sync::Arc;

use crate::index::{DocSets, FacetCounts, FacetRequest, Filter, IndexError, QueryTerms};
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
        by_words: Option<(QueryTerms, Arc<DocSets>)>,
        near: Option<Arc<DocSets>>,
    },
}

impl MatchSet {
    pub(crate) fn of(outcome: Option<&SearchOutcome>, curated: Arc<Curated>) -> Self {
        let found = match outcome {
            None => Found::All,
            Some(outcome) => Found::Some {
                by_words: outcome
                    .matched
                    .as_ref()
                    .map(|matched| (outcome.understood.terms.clone(), Arc::clone(matched))),
                near: outcome.near.clone(),
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
            Found::Some { by_words, near } => {
                let by_words = by_words.as_ref().map(|(_, matched)| &**matched);
                match (by_words, near.as_deref()) {
                    (Some(matched), Some(near)) => Some(matched.len_with(near)),
                    (only, other) => only.or(other).map(DocSets::len),
                }
            }
        }
    }

    /// The matches that pass the filter of the scope.
    pub(crate) fn within_scope(&self, scope: &Scope) -> Result<DocSets, IndexError> {
        let filter = scope.filter.as_deref();
        let among = match &self.found {
            Found::All => scope.snapshot.all(filter)?,
            Found::Some {
                by_words: Some((_, matched)),
                ..
            } => DocSets::clone(matched),
            Found::Some { by_words: None, .. } => scope.snapshot.nothing()?,
        };
        Ok(self.complete(filter, among))
    }

    /// The matches that pass another filter than that of the scope.
    fn within(&self, scope: &Scope, filter: Option<&DocSets>) -> Result<DocSets, IndexError> {
        let among = match &self.found {
            Found::All => scope.snapshot.all(filter)?,
            Found::Some {
                by_words: Some((terms, _)),
                ..
            } => scope.snapshot.matching(terms, filter)?,
            Found::Some { by_words: None, .. } => scope.snapshot.nothing()?,
        };
        Ok(self.complete(filter, among))
    }

    /// Adds the matches by meaning to those by words, and applies the rules.
    fn complete(&self, filter: Option<&DocSets>, mut among: DocSets) -> DocSets {
        if let Found::Some {
            near: Some(near), ..
        } = &self.found
        {
            among.unite(near);
        }
        self.curated.adjust(&mut among, filter);
        among
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
