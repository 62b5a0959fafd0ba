//! Routes of operators: who may do what, who is told of events, and how the projections are.

pub(crate) mod api_keys;
pub(crate) mod webhooks;
pub(crate) mod status;
pub(crate) mod proofs;
pub(crate) mod rebuilds;
pub(crate) mod parked;
pub(crate) mod synonyms;
mod steps;
