//! The result of a check: the invariants that were broken, and how much there was to check.

use serde::Serialize;

/// A broken invariant, and the calls that show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Violation {
    /// The name of the invariant, `I1` to `I8`.
    pub(super) invariant: &'static str,
    pub(super) text: String,
    pub(super) calls: Vec<u64>,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self {
            invariant,
            text: text.into(),
            calls: Vec::new(),
        }
    }

    pub(super) fn of_calls(mut self, calls: impl IntoIterator<Item = u64>) -> Self {
        self.calls.extend(calls);
        self
    }
}

/// How many calls of each kind were checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) writes_ok: u64,
    pub(super) writes_unknown: u64,
    pub(super) writes_failed: u64,
    /// The reads with a token whose answer did not say that it is stale; each of them was checked.
    pub(super) token_reads: u64,
    pub(super) stale_answers: u64,
}
