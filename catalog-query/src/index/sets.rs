//! Sets of documents: filters, facet counts, and pages sorted by a column.

pub(super) mod snapshot_queries;
pub(super) mod facet_choice;
pub(super) mod facets;
pub(super) mod open_columns;
pub(super) mod facet_values;
pub(super) mod resolution;
pub(super) mod filter;
pub(super) mod price;
pub(super) mod sorting;
pub(super) mod product_ids;
pub(super) mod doc_sets;
