//! What the index keeps of a product: its searched fields, its columns and the signature of its kind.

pub(super) mod document;
pub(super) mod schema;
pub(super) mod columns;
