//! What deployments call: migrations and roles ahead of a start, the health of a service, the keys of those
//! who may use it, and the webhooks of those who are told of events.

pub(crate) mod backup;
pub(crate) mod database;
pub(crate) mod webhooks;
pub(crate) mod keys;
pub(crate) mod migrate;
mod roles;
pub(crate) mod probe;
