//! Times in buckets that grow by a tenth, so that percentiles of any number of searches are known
//! within 5 % from a few counts.

use std::collections::BTreeMap;

/// The upper bound of bucket 0, in milliseconds.
const FIRST_MS: f64 = 0.01;
const GROWTH: f64 = 1.1;
/// The last bucket begins at about a minute.
const BUCKET_MAX: i16 = 164;

/// The bucket of a time.
pub(super) fn bucket(ms: f64) -> i16 {
    if ms <= FIRST_MS || ms.is_nan() {
        return 0;
    }
    let place = ((ms / FIRST_MS).ln() / GROWTH.ln()).ceil();
    place.min(f64::from(BUCKET_MAX)) as i16
}

/// The middle of a bucket, in milliseconds.
fn middle(bucket: i16) -> f64 {
    FIRST_MS * GROWTH.powf(f64::from(bucket) - 0.5)
}

/// Counts by bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency(BTreeMap<i16, i64>);

impl Latency {
    pub(super) fn add(&mut self, bucket: i16, count: i64) {
        *self.0.entry(bucket).or_default() += count;
    }

    pub(super) fn count(&self) -> i64 {
        self.0.values().sum()
    }

    /// The time that this share of the searches took at most, in milliseconds; 0 without any.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let wanted = ((self.count() as f64 * share).ceil() as i64).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.0 {
            seen += count;
            if seen >= wanted {
                return middle(*bucket);
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_five_percent() {
        let mut latency = Latency::default();
        let mut times: Vec<f64> = (1..=1_000).map(|n| f64::from(n * n) / 1_000.0).collect();
        for ms in &times {
            latency.add(bucket(*ms), 1);
        }
        times.sort_by(f64::total_cmp);
        for (share, exact) in [(0.5, times[499]), (0.95, times[949]), (0.999, times[998])] {
            let found = latency.quantile(share);
            assert!(
                (found / exact - 1.0).abs() <= 0.05,
                "{share}: {found} for {exact}"
            );
        }
        assert_eq!(latency.count(), 1_000);
    }

    #[test]
    fn odd_times_have_a_bucket() {
        assert_eq!(Latency::default().quantile(0.5), 0.0);
        for (ms, expected) in [
            (-1.0, 0),
            (f64::NAN, 0),
            (0.0, 0),
            (f64::INFINITY, BUCKET_MAX),
        ] {
            assert_eq!(bucket(ms), expected, "{ms}");
        }
        assert!(middle(BUCKET_MAX) > 55_000.0);
    }
}
