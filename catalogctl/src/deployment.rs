//! What deployments call: migrations ahead of a start, the health of a service, and the keys of those
//! who may use it.

pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod probe;
