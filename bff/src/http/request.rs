//! The parts of a request that handlers take.

pub(crate) mod body;
pub(crate) mod params;
pub(crate) mod principal;
pub(crate) mod version;
pub(crate) mod consistency;
pub(crate) mod idempotency;
