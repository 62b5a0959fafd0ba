//! The scope of a search: one snapshot of the index, and which of its products may be found.

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::{
    DocAddress, DocSets, Filter, Hit, IndexError, IndexSnapshot, KeywordIndex, Matched,
};
use crate::search::deadline::Deadline;
use crate::search::error::SearchError;
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::strategy::executor::SearchExecutor;

/// The fewest products with all words of a query that tell how near others must be.
const WITH_WORDS_MIN: usize = 5;

/// The products that a search may find.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) snapshot: Arc<IndexSnapshot>,
    /// The products that pass; None lets all pass.
    pub(crate) filter: Option<Arc<DocSets>>,
    /// False while the index is being built, when the snapshot has only some of the products.
    pub(crate) is_built: bool,
}

impl Scope {
    /// The products of the present snapshot that pass `filter`.
    pub(crate) async fn of(
        executor: &SearchExecutor,
        filter: Option<Filter>,
        deadline: Deadline,
    ) -> Result<Self, SearchError> {
        let Some(filter) = filter else {
            let (snapshot, is_built) = executor.snapshot();
            return Ok(Self {
                snapshot,
                filter: None,
                is_built,
            });
        };
        let evaluate = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            index.check_built(&snapshot)?;
            let passing = Arc::new(snapshot.filtered(&filter)?);
            Ok(Self {
                snapshot,
                filter: Some(passing),
                is_built: true,
            })
        };
        executor.run_until(deadline, evaluate).await
    }

    /// The products of this scope that pass one more filter.
    pub(crate) async fn narrowed(
        &self,
        executor: &SearchExecutor,
        filter: Filter,
        deadline: Deadline,
    ) -> Result<Self, SearchError> {
        let scope = self.clone();
        let narrow = move |_: &KeywordIndex| {
            let mut passing = scope.snapshot.filtered(&filter)?;
            if let Some(known) = &scope.filter {
                passing.intersect(known);
            }
            Ok(Self {
                filter: Some(Arc::new(passing)),
                ..scope
            })
        };
        executor.run_until(deadline, narrow).await
    }

    /// Keeps the hits that the snapshot has and that pass; blocks on the index. Those match whose score
    /// is at least `floor`, and that are among `eligible` where that is given.
    pub(crate) fn near(
        &self,
        hits: Vec<Hit>,
        floor: f32,
        eligible: Option<&DocSets>,
    ) -> Result<Near, IndexError> {
        let ids = hits.iter().map(|hit| &hit.product_id);
        let places = self.snapshot.within(ids, None)?;
        let mut found: Vec<(Hit, DocAddress)> = hits
            .into_iter()
            .zip(places)
            .filter_map(|(hit, at)| Some((hit, at?)))
            .collect();
        let filter = self.filter.as_deref();
        let near = found
            .iter()
            .filter(|(hit, at)| hit.score >= floor && eligible.is_none_or(|docs| has(docs, *at)));
        let enough: Vec<(DocAddress, f32)> = near.map(|(hit, at)| (*at, hit.score)).collect();
        let matched = self.matched(&enough, floor);
        found.retain(|(_, at)| filter.is_none_or(|filter| has(filter, *at)));
        let (hits, places) = found.into_iter().unzip();
        Ok(Near {
            hits,
            places,
            enough,
            floor,
            matched,
        })
    }

    /// The products that are at least as near as `floor`; blocks on the index.
    fn matched(&self, enough: &[(DocAddress, f32)], floor: f32) -> Matched {
        let near = enough.iter().filter(|(_, score)| *score >= floor);
        let all = self.snapshot.set_of(near.map(|(at, _)| *at));
        Matched::of(all, self.filter.as_deref())
    }

    /// How many products pass, and how many there are in all.
    pub(crate) fn passing(&self) -> (u64, u64) {
        let all = self.snapshot.documents();
        (self.filter.as_ref().map_or(all, |filter| filter.len()), all)
    }

    /// The ids of all products that pass; blocks on the index.
    pub(crate) fn ids(&self) -> Result<Vec<ProductId>, IndexError> {
        match &self.filter {
            Some(filter) => self.snapshot.ids(filter),
            None => self.snapshot.ids(&self.snapshot.all(None)?),
        }
    }
}

/// The products that a search by meaning may find, and those of them that match.
#[derive(Clone)]
pub(crate) struct Within {
    pub(crate) scope: Scope,
    /// Those match whose similarity is at least this.
    pub(crate) floor: f32,
    /// What the numbers of a query say is no matter of meaning: those match that have all of them.
    pub(crate) understood: Option<Arc<UnderstoodQuery>>,
}

impl Within {
    pub(crate) fn all_of(scope: &Scope) -> Self {
        Self {
            scope: scope.clone(),
            floor: f32::NEG_INFINITY,
            understood: None,
        }
    }

    /// The hits that may be found; blocks on the index.
    pub(crate) fn near(&self, hits: Vec<Hit>) -> Result<Near, IndexError> {
        if !self.scope.is_built {
            // An index that is being built cannot tell which products there are.
            return Ok(Near {
                hits,
                floor: self.floor,
                ..Near::default()
            });
        }
        let with_numbers = match &self.understood {
            Some(understood) => understood.with_numbers(&self.scope.snapshot)?,
            None => None,
        };
        self.scope.near(hits, self.floor, with_numbers.as_ref())
    }
}

/// Products near in meaning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Near {
    /// Nearest first.
    pub(crate) hits: Vec<Hit>,
    /// Where the snapshot has each of the hits; empty while the index is being built.
    pub(crate) places: Vec<DocAddress>,
    /// Where those are that are near enough, and how near, whatever the filter; nearest first.
    pub(super) enough: Vec<(DocAddress, f32)>,
    /// The similarity from which a hit is near enough to match.
    pub(crate) floor: f32,
    /// The products that match by their meaning.
    pub(crate) matched: Matched,
}

/// The products that match by their meaning.
#[derive(Clone, Debug)]
pub(crate) struct NearEnough {
    pub(crate) matched: Matched,
    /// The similarity from which a hit is near enough.
    pub(crate) floor: f32,
}

impl Near {
    /// Beside products with all words of a query, what lacks some of them is near only if it is nearer than the
    /// `share` of them that are farthest: otherwise "gaming mouse" finds wrist rests. The filter has no say in
    /// that. Blocks on the index.
    pub(crate) fn beside(&self, with_words: &DocSets, share: f64, scope: &Scope) -> NearEnough {
        let with = self.enough.iter().filter(|(at, _)| has(with_words, *at));
        let similarities: Vec<f32> = with.map(|(_, score)| *score).collect();
        if similarities.len() < WITH_WORDS_MIN {
            return self.as_found();
        }
        let last = similarities.len() - 1;
        let floor = similarities[last - (last as f64 * share) as usize];
        NearEnough {
            matched: scope.matched(&self.enough, floor),
            floor,
        }
    }

    /// What matches by its meaning where no words are asked for.
    pub(crate) fn as_found(&self) -> NearEnough {
        NearEnough {
            matched: self.matched.clone(),
            floor: self.floor,
        }
    }

    /// The hits that match by their meaning, and where they are.
    pub(crate) fn near_enough(
        &self,
        enough: &NearEnough,
    ) -> impl Iterator<Item = (&ProductId, DocAddress)> {
        let near = self.hits.iter().zip(&self.places);
        let near = near.filter(|(_, at)| enough.matched.has(**at));
        near.map(|(hit, at)| (&hit.product_id, *at))
    }

    /// The hits that match by their meaning or by words, with their ranks.
    pub(crate) fn matching(
        &self,
        enough: &NearEnough,
        by_words: Option<&Matched>,
    ) -> Vec<(usize, Hit)> {
        let matches = |rank: usize, hit: &Hit| match self.places.get(rank - 1) {
            Some(at) => enough.matched.has(*at) || by_words.is_some_and(|words| words.has(*at)),
            None => hit.score >= enough.floor,
        };
        let hits = (1..).zip(&self.hits);
        hits.filter(|(rank, hit)| matches(*rank, hit))
            .map(|(rank, hit)| (rank, hit.clone()))
            .collect()
    }
}

fn has(docs: &DocSets, at: DocAddress) -> bool {
    docs.contains(at.segment_ord as usize, at.doc_id)
}
