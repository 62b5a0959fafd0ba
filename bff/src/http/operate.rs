//! Routes of operators: who may do what, and who is told of events.

pub(crate) mod api_keys;
pub(crate) mod webhooks;
