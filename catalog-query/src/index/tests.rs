//! Tests of the whole index, on real files.

pub(crate) mod support;
pub(super) mod keyword_index;
mod crash;
mod facets;
mod lists;
