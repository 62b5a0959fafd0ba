//! How long a search may take.

use std::time::Duration;

use tokio::time::Instant;

/// Extra time for the steps that every answer needs: on a busy machine a late answer is better than
/// none.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// How long a caller waits for the index where nothing else can answer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(1);

/// When the time of a search is up, and how much time it had from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) budget: Duration,
}

impl Deadline {
    pub(crate) fn after(budget: Duration) -> Self {
        Self {
            at: Instant::now() + budget,
            budget,
        }
    }

    /// The deadline of a step that no answer can do without.
    pub(crate) fn with_grace(self) -> Self {
        Self {
            at: self.at + GRACE,
            budget: self.budget + GRACE,
        }
    }
}

/// The microseconds since `started`.
pub(crate) fn micros_since(started: std::time::Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}
