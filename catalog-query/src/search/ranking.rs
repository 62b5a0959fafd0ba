//! Makes one order of the hits of several legs.

pub(super) mod fusion;
pub(super) mod meant_kind;
pub(super) mod ranked_hit;
pub(super) mod listing;
pub(super) mod profile;
