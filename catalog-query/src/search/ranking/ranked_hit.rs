//! A product of an answer with all that its place is computed from.

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::TIER_ALL_WORDS;

/// Tier of what is found by words in general, or by meaning.
pub(crate) const TIER_OTHERS: u8 = TIER_ALL_WORDS;

/// A product of an answer, with all that its place is computed from: products with a lower tier come
/// first, then those with the higher score, then by id; those with a pinned place are then moved to
/// it, the lowest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RankedHit {
    pub(crate) product_id: ProductId,
    pub(crate) tier: u8,
    /// The sum of what the legs contribute, times `popularity`, times `boost`.
    pub(crate) score: f64,
    pub(crate) keyword: Option<LegRank>,
    pub(crate) vector: Option<LegRank>,
    /// 1 for one that nobody views.
    pub(crate) popularity: f64,
    /// 1 for one that no rule boosts or buries.
    pub(crate) boost: f64,
    /// From 1.
    pub(crate) pinned_place: Option<usize>,
    /// Those that moved it, as `id@version`.
    pub(crate) rules: Vec<Arc<str>>,
}

impl RankedHit {
    /// Found by nothing.
    pub(crate) fn new(id: &ProductId) -> Self {
        Self {
            product_id: id.clone(),
            tier: TIER_OTHERS,
            score: 0.0,
            keyword: None,
            vector: None,
            popularity: 1.0,
            boost: 1.0,
            pinned_place: None,
            rules: Vec::new(),
        }
    }
}

/// `contribution` is `weight / (rank_constant + rank)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LegRank {
    /// From 1.
    pub(crate) rank: usize,
    /// BM25 or cosine.
    pub(crate) score: f32,
    pub(crate) weight: f64,
    pub(crate) contribution: f64,
}
