//! How long an old secret stays good beside the new one.

use time::Duration;

use crate::domain::Violation;

const GRACE_S_MAX: i64 = 30 * 24 * 3_600;

/// The time that a rotation states.
pub(super) fn grace(seconds: i64) -> Result<Duration, Vec<Violation>> {
    if (0..=GRACE_S_MAX).contains(&seconds) {
        Ok(Duration::seconds(seconds))
    } else {
        let reason = format!("is not within 0 and {GRACE_S_MAX}");
        Err(vec![Violation::new("grace_seconds", reason)])
    }
}
