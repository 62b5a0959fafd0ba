//! What a search by words finds.

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::sets::doc_sets::DocSets;

/// A product found. Scores are comparable within one answer of one source, and only there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) product_id: ProductId,
    pub(crate) score: f32,
}

/// A product that matches a query by its words or identifiers. Lower tiers come first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeywordHit {
    pub(crate) product_id: ProductId,
    pub(crate) score: f32,
    /// 0: the query is an identifier of it; 1: it has one that is part of the query; 2: it has all
    /// words; 3: any.
    pub(crate) tier: u8,
}

/// What the words and identifiers of a query find, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeywordHits {
    pub(crate) hits: Vec<KeywordHit>,
    /// All that match, whatever the limit.
    pub(crate) total: u64,
    /// The same as a set.
    pub(crate) matched: Arc<DocSets>,
}
