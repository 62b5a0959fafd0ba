//! The counts in Postgres: one place for all replicas, beside the generations of the read model, so that
//! a rebuild leaves them alone.

mod views;
mod searches;

pub(super) use self::searches::{
    QueryRow, add_searches, forget_searches, latency, most_frequent_queries, positions,
    suggestible_queries, totals,
};
pub(super) use self::views::{count_views, forget_views, most_viewed};
