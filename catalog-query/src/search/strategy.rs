//! The ways to find products: by words, by meaning, or by both.

pub(super) mod factory;
pub(super) mod calibration;
pub(super) mod hybrid;
pub(super) mod vector;
pub(super) mod filtered_vectors;
pub(super) mod keyword;
pub(super) mod similarity_floor;
pub(super) mod ranker;
pub(super) mod search_strategy;
pub(super) mod executor;
pub(super) mod kind;
pub(super) mod scope;
