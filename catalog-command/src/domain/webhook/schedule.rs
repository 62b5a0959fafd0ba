//! When a delivery that failed is tried again.

use std::str::FromStr;
use std::time::Duration;

/// The most waits: more would be a mistake.
const WAITS_MAX: usize = 100;

/// The waits between the attempts of one delivery. After the last of them has failed, nothing is tried any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule(Vec<Duration>);

impl Schedule {
    /// How long to wait after so many attempts have failed; none after the last one. `jitter` is from 0 to 1:
    /// waits differ by a tenth, so that what failed together is not tried together.
    pub(crate) fn wait_after(&self, attempts: u32, jitter: f64) -> Option<Duration> {
        let wait = self
            .0
            .get(usize::try_from(attempts).ok()?.checked_sub(1)?)?;
        Some(wait.mul_f64(0.95 + jitter.clamp(0.0, 1.0) / 10.0))
    }

    /// How long to wait before an endpoint that fails altogether is asked again: the first wait, then the
    /// second for as long as it fails, so that it is found soon after it has come back.
    pub(crate) fn probe_wait(&self, probes: u32) -> Duration {
        let place = if probes <= 1 { 0 } else { 1 };
        let last = self.0.len() - 1;
        self.0[place.min(last)]
    }
}

/// A list of milliseconds with commas.
impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let waits: Result<Vec<u64>, _> = text.split(',').map(|ms| ms.trim().parse()).collect();
        match waits {
            Ok(waits) if waits.len() <= WAITS_MAX => {
                Ok(Self(waits.into_iter().map(Duration::from_millis).collect()))
            }
            _ => Err(format!(
                "must be 1 to {WAITS_MAX} numbers of milliseconds with commas, such as 5000,300000"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_come_in_their_order_and_end() {
        let schedule: Schedule = "1000, 2000,4000".parse().expect("valid");
        let wait = |attempts| schedule.wait_after(attempts, 0.5);
        assert_eq!(wait(1), Some(Duration::from_secs(1)));
        assert_eq!(wait(3), Some(Duration::from_secs(4)));
        assert_eq!((wait(0), wait(4)), (None, None));
        assert_eq!(
            schedule.wait_after(1, 0.0),
            Some(Duration::from_millis(950))
        );
        let probes = [1, 2, 9].map(|probes| schedule.probe_wait(probes).as_secs());
        assert_eq!(probes, [1, 2, 2]);
        let single: Schedule = "7".parse().expect("valid");
        assert_eq!(single.probe_wait(5), Duration::from_millis(7));
        for bad in ["", "x", "1,", "-1"] {
            assert!(bad.parse::<Schedule>().is_err(), "{bad}");
        }
    }
}
