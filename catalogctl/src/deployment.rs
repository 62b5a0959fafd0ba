//! What deployments call: migrations and roles ahead of a start, the health of a service, and the keys of
//! those who may use it.

pub(crate) mod keys;
pub(crate) mod migrate;
mod roles;
pub(crate) mod probe;
