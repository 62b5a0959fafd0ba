//! A task that must keep going tells of every failure once, waits ever longer, and starts from the
//! shortest wait again as soon as something works.

use std::time::Duration;

const BACKOFF_MS_MIN: u64 = 50;
const BACKOFF_MS_MAX: u64 = 5_000;
const DOUBLINGS_MAX: u32 = 10;

/// The failure in a row from which on a status shows them: fewer are a database or a broker that
/// restarts.
const LASTING_FROM: u32 = 3;

/// The failures in a row of a task that never gives up: one that follows a log, for instance.
///
/// The loop of the task hands each error to [`Retry::failed`] and waits. A step that got somewhere calls
/// [`Retry::succeeded`], also in the middle of work that goes on for hours:
///
/// ```
/// # async fn follow(retry: &mut service_kit::Retry) -> std::io::Result<()> { Ok(()) }
/// # async fn task(shown: impl Fn(&str)) {
/// let mut retry = service_kit::Retry::new("search rules");
/// loop {
///     if let Err(err) = follow(&mut retry).await {
///         let failure = retry.failed(err);
///         shown(&failure.message);
///         failure.wait().await;
///     }
/// }
/// # }
/// ```
///
/// A task that is to stop drops the loop, waits included, with `tokio::select!`.
#[derive(Debug)]
pub struct Retry {
    task: &'static str,
    failures: u32,
}

/// A failure that has been logged.
#[derive(Debug)]
#[must_use = "wait before the next try"]
pub struct Failure {
    /// The error with all its causes, in one line.
    pub message: String,
    /// How many failures there were in a row, this one included.
    pub in_a_row: u32,
    /// How long to wait before the next try: [`backoff`].
    pub pause: Duration,
}

impl Retry {
    /// No failures yet. `task` is the name that begins each line of the log, as in "search rules: no
    /// connection".
    pub const fn new(task: &'static str) -> Self {
        Self { task, failures: 0 }
    }

    /// Something worked, so that the next failure counts as the first. True when this ends a row of
    /// failures, so that a status no longer has to show them.
    pub fn succeeded(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Counts the failure and logs it with its causes, as a warning.
    pub fn failed(&mut self, err: impl Into<anyhow::Error>) -> Failure {
        self.failures = self.failures.saturating_add(1);
        let (task, failures) = (self.task, self.failures);
        let message = format!("{:#}", err.into());
        tracing::warn!(failures, "{task}: {message}");
        Failure {
            message,
            in_a_row: failures,
            pause: backoff(failures),
        }
    }
}

impl Failure {
    /// Whether failures have gone on for long enough that a status should show them.
    pub fn lasts(&self) -> bool {
        self.in_a_row >= LASTING_FROM
    }

    /// Sleeps for [`Failure::pause`].
    pub async fn wait(self) {
        tokio::time::sleep(self.pause).await;
    }
}

/// How long to wait before try number `attempt` (from 1): 50 ms doubling up to 5 s.
pub fn backoff(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(DOUBLINGS_MAX);
    Duration::from_millis((BACKOFF_MS_MIN << doublings).min(BACKOFF_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read")]
    struct Unreadable(#[source] std::io::Error);

    fn unreadable() -> Unreadable {
        Unreadable(std::io::Error::other("the disk is gone"))
    }

    #[test]
    fn waits_grow_until_something_works() {
        let mut retry = Retry::new("test");
        assert!(!retry.succeeded(), "there was no failure yet");
        for (in_a_row, millis, lasts) in [(1, 50, false), (2, 100, false), (3, 200, true)] {
            let failure = retry.failed(unreadable());
            assert_eq!(failure.message, "cannot read: the disk is gone");
            assert_eq!(failure.in_a_row, in_a_row);
            assert_eq!(failure.pause, Duration::from_millis(millis));
            assert_eq!(failure.lasts(), lasts);
        }
        assert!(retry.succeeded(), "a row of failures ends");
        assert_eq!(retry.failed(unreadable()).in_a_row, 1);
    }

    #[test]
    fn no_wait_is_longer_than_five_seconds() {
        for (attempt, millis) in [(0, 50), (1, 50), (7, 3_200), (8, 5_000), (u32::MAX, 5_000)] {
            assert_eq!(backoff(attempt), Duration::from_millis(millis), "{attempt}");
        }
    }
}
