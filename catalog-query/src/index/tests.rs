//! The index as a whole, on real files.

pub(crate) mod support;
pub(super) mod keyword_index;
mod crash;
