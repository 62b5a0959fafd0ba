//! Tells whether a thread has its core to itself. Where it has not, somebody else wants to work: threads
//! that are there for idle cores alone then rest.

use std::time::Duration;

/// A thread is held up when it waited for a core for more than a fifth of the time that it ran. What a
/// machine does beside its work makes it wait for a tenth.
const WAITED_SHARE_MAX: u32 = 5;
/// A thread that was held up rests for so many times the time that it ran: looking again whether a core
/// is idle takes an eighth of one at most.
const REST: u32 = 8;
const REST_MAX: Duration = Duration::from_secs(5);

/// How long a thread has run, and has waited for a core, since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scheduled {
    ran: Duration,
    waited: Duration,
}

impl Scheduled {
    /// The times of the thread that asks; none on systems that do not tell.
    pub(super) fn now() -> Self {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let mut nanos = told.split(' ').map(|number| {
            let nanos = number.parse().unwrap_or_default();
            Duration::from_nanos(nanos)
        });
        Self {
            ran: nanos.next().unwrap_or_default(),
            waited: nanos.next().unwrap_or_default(),
        }
    }

    /// How long the thread should rest after what it did since `before`; None where it had its core to
    /// itself.
    pub(super) fn rest(self, before: Self) -> Option<Duration> {
        let ran = self.ran.saturating_sub(before.ran);
        let waited = self.waited.saturating_sub(before.waited);
        (waited * WAITED_SHARE_MAX > ran).then(|| (ran * REST).min(REST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ran: u64, waited: u64) -> Option<Duration> {
        let before = Scheduled {
            ran: Duration::from_millis(10),
            waited: Duration::from_millis(2),
        };
        let now = Scheduled {
            ran: before.ran + Duration::from_millis(ran),
            waited: before.waited + Duration::from_millis(waited),
        };
        now.rest(before)
    }

    #[test]
    fn who_waits_for_a_core_rests() {
        assert_eq!(after(100, 0), None);
        assert_eq!(after(100, 20), None);
        assert_eq!(after(100, 21), Some(Duration::from_millis(800)));
        assert_eq!(after(900, 400), Some(REST_MAX));
        assert_eq!(after(0, 0), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_knows_that_it_ran() {
        let before = Scheduled::now();
        let mut sum = 0_u64;
        while Scheduled::now().ran == before.ran {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(Scheduled::now().ran > before.ran);
    }
}
