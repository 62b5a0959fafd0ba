//! Routes that search.

pub(crate) mod find;
pub(crate) mod posted;
pub(crate) mod instant;
mod tree;
pub(crate) mod facets;
pub(crate) mod filter;
