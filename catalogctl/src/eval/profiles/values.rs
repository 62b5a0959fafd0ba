//! What a comparison of profiles looks at.

use crate::eval::report::{Measured, Run};
use crate::search::Strategy;

/// NDCG@10 of one query, raw and over judged hits only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) raw: f64,
    pub(super) judged: f64,
}

/// The values of a strategy, in the order of the queries.
pub(super) fn values(run: &Run, strategy: Strategy) -> Vec<Value> {
    let queries = run.strategies.get(strategy.name()).into_iter().flatten();
    let value = |measured: &Measured| {
        Some(Value {
            raw: measured.ndcg_at_10?,
            judged: measured.judged_ndcg_at_10?,
        })
    };
    queries
        .filter_map(|(_, measured)| value(measured))
        .collect()
}
