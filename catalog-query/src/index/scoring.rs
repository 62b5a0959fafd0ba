//! Which documents match a query, how well, and why.

pub(super) mod explain;
pub(super) mod top_hits;
pub(super) mod hits;
pub(super) mod bm25;
mod constraints;
mod score_window;
pub(super) mod requirement;
pub(super) mod collection_statistics;
pub(super) mod nearest_kind;
mod partial_hits;
pub(super) mod product_kind;
pub(super) mod postings;
pub(super) mod terms;
pub(super) mod weights;
