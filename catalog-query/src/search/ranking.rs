//! How the hits of several legs become one order.

pub(super) mod fusion;
pub(super) mod ranked_hit;
pub(super) mod profile;
