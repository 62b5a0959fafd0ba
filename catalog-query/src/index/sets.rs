//! Sets of documents: who passes a filter, how many have what, and pages in the order of a column.

pub(super) mod snapshot_queries;
pub(super) mod facets;
pub(super) mod filter;
pub(super) mod sorting;
pub(super) mod product_ids;
pub(super) mod doc_sets;
