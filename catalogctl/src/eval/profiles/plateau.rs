//! Chooses among profiles: not the best one, which is the luckiest too, but the centre of those
//! that the queries cannot tell from it.

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::Clusters;

/// Rounding must not decide what is within the noise.
const ROUNDING: f64 = 1e-12;

/// The value of every profile on every query.
pub(super) struct Scores {
    /// The values of a profile, in the order of the queries.
    pub(super) values: Vec<Vec<f64>>,
    pub(super) clusters: Clusters,
}

impl Scores {
    /// The mean of a profile on some queries.
    pub(super) fn mean(&self, profile: usize, queries: &[usize]) -> f64 {
        let values = queries.iter().map(|query| self.values[profile][*query]);
        values.sum::<f64>() / queries.len() as f64
    }

    /// The mean difference of two profiles and its standard error. Queries of one cluster count as
    /// one witness (the cluster-robust estimate of Liang and Zeger 1986).
    fn difference(&self, one: usize, other: usize, queries: &[usize]) -> (f64, f64) {
        let differences = queries.iter().map(|query| {
            let value = |profile: usize| self.values[profile][*query];
            (*query, value(one) - value(other))
        });
        let groups = self.clusters.grouped(differences);
        let count = queries.len() as f64;
        let mean = groups.iter().flatten().sum::<f64>() / count;
        let deviations = groups.iter().map(|group| {
            let deviation: f64 = group.iter().map(|value| value - mean).sum();
            deviation * deviation
        });
        let witnesses = groups.len() as f64;
        let correction = witnesses / (witnesses - 1.0).max(1.0);
        (mean, (correction * deviations.sum::<f64>()).sqrt() / count)
    }
}

/// What is chosen on some queries; profiles are given by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) best: usize,
    /// The profiles that are no more than one standard error of their difference below the best
    /// one, which is one of them.
    pub(super) plateau: Vec<usize>,
    /// The profile of the plateau with the least sum of distances to the others there; of several,
    /// the one with the highest mean.
    pub(super) centre: usize,
}

impl Choice {
    /// Chooses on some queries; there must be a profile.
    pub(super) fn on(scores: &Scores, queries: &[usize], distances: &Distances) -> Self {
        let means: Vec<f64> = (0..scores.values.len())
            .map(|profile| scores.mean(profile, queries))
            .collect();
        let mut order: Vec<usize> = (0..means.len()).collect();
        order.sort_by(|a, b| means[*b].total_cmp(&means[*a]));
        let best = order[0];
        let in_noise = |profile: &usize| {
            let (mean, error) = scores.difference(best, *profile, queries);
            mean <= error + ROUNDING
        };
        let plateau: Vec<usize> = order.into_iter().filter(in_noise).collect();
        let spread = |profile: usize| -> f64 {
            let others = plateau
                .iter()
                .map(|other| distances.between(profile, *other));
            others.sum()
        };
        let least = plateau
            .iter()
            .map(|one| spread(*one))
            .fold(f64::INFINITY, f64::min);
        // The plateau is in the order of the means.
        let centre = plateau.iter().find(|one| spread(**one) <= least + ROUNDING);
        Self {
            best,
            centre: centre.copied().unwrap_or(best),
            plateau,
        }
    }
}

/// Where the profiles lie in the space of the parameters in which they differ.
#[derive(Debug)]
pub(super) struct Distances {
    /// The names of those parameters.
    pub(super) parameters: Vec<String>,
    /// The places of the profiles, each parameter from 0 (the least value) to 1.
    places: Vec<Vec<f64>>,
}

impl Distances {
    /// A parameter that a profile lacks counts as 0.
    pub(super) fn of<'a>(profiles: impl Iterator<Item = &'a BTreeMap<String, f64>>) -> Self {
        let profiles: Vec<&BTreeMap<String, f64>> = profiles.collect();
        let names: BTreeSet<&String> = profiles.iter().flat_map(|profile| profile.keys()).collect();
        let mut parameters = Vec::new();
        let mut places = vec![Vec::new(); profiles.len()];
        for name in names {
            let values = profiles
                .iter()
                .map(|profile| profile.get(name).copied().unwrap_or(0.0));
            let least = values.clone().fold(f64::INFINITY, f64::min);
            let width = values.clone().fold(f64::NEG_INFINITY, f64::max) - least;
            if width > 0.0 {
                parameters.push(name.clone());
                for (place, value) in places.iter_mut().zip(values) {
                    place.push((value - least) / width);
                }
            }
        }
        Self { parameters, places }
    }

    fn between(&self, one: usize, other: usize) -> f64 {
        let both = self.places[one].iter().zip(&self.places[other]);
        both.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(values: &[&[(&str, f64)]]) -> Vec<BTreeMap<String, f64>> {
        let named = |profile: &&[(&str, f64)]| {
            let pairs = profile
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value));
            pairs.collect()
        };
        values.iter().map(named).collect()
    }

    fn scores(values: &[&[f64]], queries: &[&str]) -> Scores {
        Scores {
            values: values.iter().map(|profile| profile.to_vec()).collect(),
            clusters: Clusters::of(queries),
        }
    }

    #[test]
    fn only_parameters_that_differ_span_the_space_and_each_spans_one() {
        let profiles = parameters(&[
            &[("w", 0.2), ("depth", 100.0), ("same", 5.0)],
            &[("w", 0.3), ("depth", 200.0), ("same", 5.0)],
            &[("w", 0.4), ("depth", 100.0), ("same", 5.0)],
        ]);
        let distances = Distances::of(profiles.iter());
        assert_eq!(distances.parameters, ["depth", "w"]);
        let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} {other}");
        close(distances.between(0, 2), 1.0);
        close(distances.between(0, 1), 1.25_f64.sqrt());
        close(distances.between(1, 1), 0.0);
    }

    /// Differences of the first two profiles are 0.2, 0.2 and -0.1: their mean is 0.1 and their
    /// deviations 0.1, 0.1 and -0.2, so that the error is sqrt(3/2 · 0.06) / 3 = 0.1.
    #[test]
    fn the_error_of_a_difference_counts_clusters_as_witnesses() {
        let values: [&[f64]; 2] = [&[0.5, 0.5, 0.2], &[0.3, 0.3, 0.3]];
        let apart = scores(&values, &["tv", "fan", "radio"]);
        let (mean, error) = apart.difference(0, 1, &[0, 1, 2]);
        assert!(
            (mean - 0.1).abs() < 1e-12 && (error - 0.1).abs() < 1e-12,
            "{mean} {error}"
        );
        // Two witnesses: the deviations are 0.1 + 0.1 and -0.2, the error sqrt(2 · 0.08) / 3.
        let alike = scores(&values, &["a fan", "fan", "radio"]);
        let (mean, error) = alike.difference(0, 1, &[0, 1, 2]);
        assert!(
            (mean - 0.1).abs() < 1e-12 && (error - 0.4 / 3.0).abs() < 1e-12,
            "{error}"
        );
    }

    #[test]
    fn the_centre_of_the_plateau_is_chosen_and_not_its_best_point() {
        let queries = ["tv", "fan", "radio", "printer"];
        let profiles: Vec<Vec<(&str, f64)>> = [0.1, 0.2, 0.3, 0.4, 0.9]
            .map(|weight| vec![("w", weight)])
            .into();
        let profiles: Vec<&[(&str, f64)]> = profiles.iter().map(Vec::as_slice).collect();
        let distances = Distances::of(parameters(&profiles).iter());
        let scores = scores(
            &[
                &[0.5, 0.7, 0.6, 0.6], // 0.6, with differences as large as they are different
                &[0.6, 0.6, 0.7, 0.5],
                &[0.7, 0.5, 0.5, 0.7],
                &[0.8, 0.6, 0.6, 0.5], // 0.625, the best
                &[0.7, 0.5, 0.5, 0.4], // 0.525, worse everywhere
            ],
            &queries,
        );
        let choice = Choice::on(&scores, &[0, 1, 2, 3], &distances);
        assert_eq!(choice.best, 3);
        assert_eq!(choice.plateau, [3, 0, 1, 2]);
        // The sums of distances are least for 0.2 and 0.3: the first of them in the order
        // of the means.
        assert_eq!(choice.centre, 1);
        let elsewhere = Choice::on(&scores, &[2], &distances);
        assert_eq!((elsewhere.best, elsewhere.plateau), (1, vec![1]));
    }
}
