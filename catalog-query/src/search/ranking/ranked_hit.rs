//! A product of an answer, with everything that its place is computed from.

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::TIER_ALL_WORDS;

/// The tier of all hits but those by an identifier, where hits by meaning are fused in: whether a
/// product has all words of the query does not matter there.
pub(crate) const TIER_OTHERS: u8 = TIER_ALL_WORDS;

/// A product of an answer, with everything that its place is computed from. Hits are ordered by
/// tier, lowest first, then by score, highest first, then by id. Those with a pinned place are then
/// moved to it, lowest place first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RankedHit {
    pub(crate) product_id: ProductId,
    pub(crate) tier: u8,
    /// The sum of what the legs contribute, times `kind`, `popularity` and `boost`.
    pub(crate) score: f64,
    pub(crate) keyword: Option<LegRank>,
    pub(crate) vector: Option<LegRank>,
    /// The factor of the kind that the query means; 1 for a product of that kind.
    pub(crate) kind: f64,
    /// The factor for views; 1 for a product without any.
    pub(crate) popularity: f64,
    /// The factor of the rules; 1 for a product that none boosts or buries.
    pub(crate) boost: f64,
    /// The place that a rule pins the product to, counted from 1.
    pub(crate) pinned_place: Option<usize>,
    /// The rules that moved it, as `id@version`.
    pub(crate) rules: Vec<Arc<str>>,
}

impl RankedHit {
    /// A hit that no leg has found.
    pub(crate) fn new(id: &ProductId) -> Self {
        Self {
            product_id: id.clone(),
            tier: TIER_OTHERS,
            score: 0.0,
            keyword: None,
            vector: None,
            kind: 1.0,
            popularity: 1.0,
            boost: 1.0,
            pinned_place: None,
            rules: Vec::new(),
        }
    }
}

/// The rank of a product in one leg, and what it contributes to the score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LegRank {
    /// Counted from 1. 0 in the leg by meaning stands for a product without a vector, which gets
    /// what the hits by words around it get on average.
    pub(crate) rank: usize,
    /// The BM25 score or the cosine similarity.
    pub(crate) score: f32,
    pub(crate) weight: f64,
    /// `weight / (rank_constant + rank)`; in the leg by meaning, the rank is divided by the share of
    /// the products that have a vector.
    pub(crate) contribution: f64,
}
