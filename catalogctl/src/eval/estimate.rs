//! Estimates a mean, and within which bounds it can be trusted.

/// How many resamples are drawn; ten thousand would move the bounds only in the third decimal.
const RESAMPLES: usize = 2_000;

/// A mean with its confidence interval: where it would lie 95 % of the time with other queries of
/// the same kind.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { mean, low, high } = self;
        write!(f, "{mean:.4}  (95 %: {low:.4} to {high:.4})")
    }
}

/// Estimates a mean by the bootstrap: the values are drawn again, with replacement, from a fixed
/// seed. There is none without values.
pub(super) fn estimate(values: &[f64]) -> Option<Estimate> {
    estimate_of_groups(&values.iter().map(|value| vec![*value]).collect::<Vec<_>>())
}

/// Estimates the mean of values of which those of a group resemble each other: whole groups are
/// drawn, so that ten of a kind are not taken for ten that agree.
pub(super) fn estimate_of_groups(groups: &[Vec<f64>]) -> Option<Estimate> {
    let sums: Vec<(f64, usize)> = groups
        .iter()
        .filter(|group| !group.is_empty())
        .map(|group| (group.iter().sum(), group.len()))
        .collect();
    if sums.is_empty() {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(1);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| mean((0..sums.len()).map(|_| sums[random.usize(..sums.len())])))
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
    Some(Estimate {
        mean: mean(sums.iter().copied()),
        low: at(0.025),
        high: at(0.975),
    })
}

/// The mean of all values of some groups, given as their sum and number.
fn mean(sums: impl Iterator<Item = (f64, usize)>) -> f64 {
    let (sum, count) = sums.fold((0.0, 0), |(sum, count), (more, number)| {
        (sum + more, count + number)
    });
    sum / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_mean_and_narrows_with_the_number_of_queries() {
        assert_eq!(estimate(&[]), None);
        let sure = estimate(&[0.5; 20]).unwrap();
        assert_eq!((sure.mean, sure.low, sure.high), (0.5, 0.5, 0.5));
        let width = |count: usize| {
            let values: Vec<f64> = (0..count).map(|n| (n % 2) as f64).collect();
            let estimate = estimate(&values).unwrap();
            assert!(estimate.low < estimate.mean && estimate.mean < estimate.high);
            estimate.high - estimate.low
        };
        assert!(width(400) < width(40));
    }

    #[test]
    fn values_of_a_group_count_each_and_are_drawn_together() {
        let groups = [vec![1.0, 1.0, 1.0], vec![0.0], vec![]];
        let grouped = estimate_of_groups(&groups).unwrap();
        assert_eq!(grouped.mean, 0.75);
        assert_eq!((grouped.low, grouped.high), (0.0, 1.0));
        let alike = |copies: usize| {
            let group = |n: usize| vec![(n % 2) as f64; copies];
            let groups: Vec<Vec<f64>> = (0..40).map(group).collect();
            let Estimate { low, high, .. } = estimate_of_groups(&groups).unwrap();
            high - low
        };
        assert_eq!(alike(1), alike(10), "copies add no confidence");
        assert_eq!(estimate_of_groups(&[vec![]]), None);
    }
}
