//! How the hits of several legs become one order.

pub(super) mod fusion;
pub(super) mod profile;
