//! What deployments call: migrations ahead of a start, and the health of a service.

pub(crate) mod migrate;
pub(crate) mod probe;
