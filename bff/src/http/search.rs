//! Routes that search.

pub(crate) mod find;
pub(crate) mod facets;
pub(crate) mod filter;
