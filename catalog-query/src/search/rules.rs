//! The search rules: synonyms and curations, ready to be applied to a query.

pub(super) mod rule_set;
pub(super) mod synonyms;
pub(super) mod curation;
