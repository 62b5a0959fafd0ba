//! The index document of a product: its searched fields, its columns and the signature of its kind.

pub(super) mod contents;
pub(super) mod schema;
pub(super) mod columns;
pub(super) mod values;
pub(super) mod suggestion_terms;
pub(super) mod kind_signature;
pub(super) mod kind_features;
pub(super) mod noise;
pub(super) mod text_options;
