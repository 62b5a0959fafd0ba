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

/// The products that the words and identifiers of a query find, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeywordHits {
    pub(crate) hits: Vec<KeywordHit>,
    /// Where the snapshot has each hit.
    pub(crate) places: Vec<DocAddress>,
    /// The number of matches, regardless of the limit.
    pub(crate) total: u64,
    /// The set of all matches.
    pub(crate) matched: Arc<DocSets>,
    /// The numbers of the words that were dropped, because no product has them with the others.
    pub(crate) relaxed: Vec<usize>,
}
