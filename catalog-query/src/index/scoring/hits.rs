//! The results of a search by words.

use std::sync::Arc;

use catalog_events::ProductId;
use tantivy::DocAddress;

use crate::index::sets::doc_sets::DocSets;

/// A product found. Scores are comparable only within one answer of one source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) product_id: ProductId,
    pub(crate) score: f32,
}

impl Hit {
    /// Sorts hits by their scores, equal ones by product.
    pub(crate) fn sort_nearest_first(hits: &mut [Hit]) {
        hits.sort_by(|a, b| {
            let nearest = b.score.total_cmp(&a.score);
            nearest.then_with(|| a.product_id.cmp(&b.product_id))
        });
    }
}

/// A product that matches a query by its words or identifiers. Lower tiers come first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeywordHit {
    pub(crate) product_id: ProductId,
    pub(crate) score: f32,
    /// 0 if the query is an identifier of the product; 1 if a part of the query is one; 2 if the
    /// product has all words; 3 if it has some, or only the beginning of the last one.
    pub(crate) tier: u8,
}

/// The products that match for one reason, in no order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matched {
    /// Those that pass the filter of the search.
    pub(crate) passing: Arc<DocSets>,
    /// All, whatever the filter: facets leave out a part of it.
    pub(crate) all: Arc<DocSets>,
}

impl Matched {
    pub(crate) fn of(all: DocSets, filter: Option<&DocSets>) -> Self {
        let all = Arc::new(all);
        let passing = match filter {
            None => Arc::clone(&all),
            Some(filter) => {
                let mut passing = DocSets::clone(&all);
                passing.intersect(filter);
                Arc::new(passing)
            }
        };
        Self { passing, all }
    }

    pub(crate) fn has(&self, at: DocAddress) -> bool {
        self.passing.contains(at.segment_ord as usize, at.doc_id)
    }
}

/// The products that the words and identifiers of a query find, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeywordHits {
    pub(crate) hits: Vec<KeywordHit>,
    /// Where the snapshot has each hit.
    pub(crate) places: Vec<DocAddress>,
    /// The number of matches, regardless of the limit.
    pub(crate) total: u64,
    pub(crate) matched: Matched,
    /// The numbers of the words that were dropped, because no product has them with the others.
    pub(crate) relaxed: Vec<usize>,
}
