//! The report of a comparison of profiles.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::candidates::Candidate;
use super::clusters::Clusters;
use super::cross_validation::Validation;
use super::plateau::Distances;
use super::values::Value;
use crate::eval::estimate::{Estimate, estimate_of_groups};
use crate::search::Strategy;

const PROFILES_SHOWN: usize = 10;

/// What is reported of a strategy.
pub(super) struct Compared<'a> {
    pub(super) strategy: Strategy,
    pub(super) candidates: &'a [Candidate],
    pub(super) distances: &'a Distances,
    pub(super) validation: &'a Validation,
    pub(super) clusters: &'a Clusters,
    /// The values of every profile, in the order of the queries.
    pub(super) runs: Vec<Vec<Value>>,
    /// Those of the profile to compare with.
    pub(super) default: Vec<Value>,
    /// The name of that profile; empty for the one that the service takes by itself.
    pub(super) default_name: &'a str,
}

#[derive(Debug, Serialize)]
pub(in crate::eval) struct Report {
    queries: usize,
    clusters: usize,
    largest_cluster: usize,
    folds: usize,
    seed: u64,
    strategies: BTreeMap<&'static str, Summary>,
}

#[derive(Debug, Serialize)]
struct Summary {
    /// All profiles, the best first, on the queries they may have been fitted to.
    profiles: Vec<Profile>,
    folds: Vec<FoldSummary>,
    /// What a choice is worth on queries that it was not made on.
    unseen: Figures,
    /// The profile to compare with, on the same queries.
    default: Figures,
    /// Its name; absent for the one that the service takes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_name: Option<String>,
    /// What the choice has more than that profile.
    difference: Figures,
    /// Whether all profiles measure the same on every query: they differ in nothing that the
    /// strategy uses.
    alike: bool,
    /// The parameters in which the profiles differ.
    parameters: Vec<String>,
    best: String,
    plateau: Vec<String>,
    /// The choice on all queries, and its parameters.
    centre: String,
    centre_parameters: BTreeMap<String, f64>,
}

/// NDCG@10, raw and over judged hits only.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    ndcg_at_10: Option<Estimate>,
    judged_ndcg_at_10: Option<Estimate>,
}

#[derive(Debug, Serialize)]
struct Profile {
    name: String,
    ndcg_at_10: f64,
    judged_ndcg_at_10: f64,
}

#[derive(Debug, Serialize)]
struct FoldSummary {
    /// The queries that were held back.
    queries: usize,
    /// How many profiles could not be told from the best one on the others.
    plateau: usize,
    chosen: String,
    /// The means of what was chosen on the queries that were held back.
    ndcg_at_10: f64,
    judged_ndcg_at_10: f64,
}

impl Report {
    pub(super) fn new(clusters: &Clusters, folds: usize, seed: u64) -> Self {
        Self {
            queries: clusters.queries(),
            clusters: clusters.count(),
            largest_cluster: clusters.largest(),
            folds,
            seed,
            strategies: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, compared: &Compared<'_>) {
        let summary = compared.summary();
        self.strategies.insert(compared.strategy.name(), summary);
    }

    pub(in crate::eval) fn text(&self) -> String {
        let Self {
            queries,
            clusters,
            largest_cluster,
            folds,
            seed,
            strategies,
        } = self;
        let mut text = format!(
            "{queries} queries in {clusters} clusters, the largest of {largest_cluster}; {folds} folds \
             by seed {seed}\n"
        );
        for (strategy, summary) in strategies {
            let _ = writeln!(text, "{strategy}, {} profiles", summary.profiles.len());
            summary.write(&mut text);
        }
        text
    }
}

impl Compared<'_> {
    fn summary(&self) -> Summary {
        let name = |profile: usize| self.candidates[profile].name.clone();
        let all = 0..self.default.len();
        let mut profiles: Vec<Profile> = (0..self.candidates.len())
            .map(|profile| Profile {
                name: name(profile),
                ndcg_at_10: mean(self.runs[profile].iter().map(|value| value.raw)),
                judged_ndcg_at_10: mean(self.runs[profile].iter().map(|value| value.judged)),
            })
            .collect();
        profiles.sort_by(|a, b| b.ndcg_at_10.total_cmp(&a.ndcg_at_10));
        let folds = self.validation.folds.iter().map(|fold| {
            let chosen = fold.choice.centre;
            let values = fold.queries.iter().map(|query| self.runs[chosen][*query]);
            FoldSummary {
                queries: fold.queries.len(),
                plateau: fold.choice.plateau.len(),
                chosen: name(chosen),
                ndcg_at_10: mean(values.clone().map(|value| value.raw)),
                judged_ndcg_at_10: mean(values.map(|value| value.judged)),
            }
        });
        let outer: Vec<(usize, Value)> = self
            .validation
            .outer()
            .map(|(query, profile)| (query, self.runs[profile][query]))
            .collect();
        let default = |query: usize| self.default[query];
        let gained = outer.iter().map(|(query, value)| {
            let default = default(*query);
            let gained = Value {
                raw: value.raw - default.raw,
                judged: value.judged - default.judged,
            };
            (*query, gained)
        });
        let overall = &self.validation.overall;
        let centre = &self.candidates[overall.centre];
        let differing = self.distances.parameters.iter();
        let centre_parameters = differing.filter_map(|name| {
            let value = centre.parameters().get(name)?;
            Some((name.clone(), *value))
        });
        Summary {
            profiles,
            folds: folds.collect(),
            unseen: self.figures(outer.iter().copied()),
            default: self.figures(all.map(|query| (query, default(query)))),
            default_name: Some(self.default_name.to_owned()).filter(|name| !name.is_empty()),
            alike: self.runs.windows(2).all(|pair| pair[0] == pair[1]),
            difference: self.figures(gained),
            parameters: self.distances.parameters.clone(),
            best: name(overall.best),
            plateau: overall.plateau.iter().map(|one| name(*one)).collect(),
            centre: centre.name.clone(),
            centre_parameters: centre_parameters.collect(),
        }
    }

    fn figures(&self, values: impl Iterator<Item = (usize, Value)>) -> Figures {
        let values: Vec<(usize, Value)> = values.collect();
        let estimate = |value: fn(&Value) -> f64| {
            let values = values
                .iter()
                .map(|(query, of_query)| (*query, value(of_query)));
            estimate_of_groups(&self.clusters.grouped(values))
        };
        Figures {
            ndcg_at_10: estimate(|value| value.raw),
            judged_ndcg_at_10: estimate(|value| value.judged),
        }
    }
}

impl Summary {
    fn write(&self, text: &mut String) {
        if self.alike {
            let note = "  all measure the same: they differ in nothing that this strategy uses";
            let _ = writeln!(text, "{note}");
        }
        let _ = writeln!(
            text,
            "  profile by profile, NDCG@10 raw and over judged hits:"
        );
        for profile in self.profiles.iter().take(PROFILES_SHOWN) {
            let (raw, judged) = (profile.ndcg_at_10, profile.judged_ndcg_at_10);
            let _ = writeln!(text, "    {raw:.4}  {judged:.4}  {}", profile.name);
        }
        let _ = writeln!(
            text,
            "  chosen without the queries of a fold, and measured on them:"
        );
        for fold in &self.folds {
            let _ = writeln!(
                text,
                "    {:.4}  {:.4}  {:>3} queries  {} of a plateau of {}",
                fold.ndcg_at_10, fold.judged_ndcg_at_10, fold.queries, fold.chosen, fold.plateau
            );
        }
        let own = "the service's own profile";
        for (name, figures) in [
            ("chosen, on unseen queries", self.unseen),
            (self.default_name.as_deref().unwrap_or(own), self.default),
            ("difference", self.difference),
        ] {
            let both = [
                ("NDCG@10", figures.ndcg_at_10),
                ("over judged hits", figures.judged_ndcg_at_10),
            ];
            for (measure, estimate) in both {
                if let Some(estimate) = estimate {
                    let _ = writeln!(text, "  {name:<26} {measure:<17} {estimate}");
                }
            }
        }
        let _ = writeln!(
            text,
            "  plateau over all queries: {} of {} profiles around {} (the best point is {})",
            self.plateau.len(),
            self.profiles.len(),
            self.centre,
            self.best
        );
        for (name, value) in &self.centre_parameters {
            let _ = writeln!(text, "    {name} = {value}");
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::plateau::Scores;
    use super::*;

    fn values(raw: &[f64]) -> Vec<Value> {
        let value = |raw: &f64| Value {
            raw: *raw,
            judged: 1.0,
        };
        raw.iter().map(value).collect()
    }

    /// The second profile is better by 0.25 on every query, so that every fold chooses it.
    #[test]
    fn a_profile_that_is_better_everywhere_is_worth_the_same_on_unseen_queries() {
        let clusters = Clusters::of(&["tv", "fan", "radio", "laptop fan"]);
        let runs = vec![
            values(&[0.5, 0.25, 0.75, 0.5]),
            values(&[0.75, 0.5, 1.0, 0.75]),
        ];
        let raw = |run: &Vec<Value>| run.iter().map(|value| value.raw).collect();
        let scores = Scores {
            values: runs.iter().map(raw).collect(),
            clusters: clusters.clone(),
        };
        let candidates = [
            Candidate::new("old", &[("w", 0.2), ("k", 1.0)]),
            Candidate::new("new", &[("w", 0.4), ("k", 1.0)]),
        ];
        let distances = Distances::of(candidates.iter().map(Candidate::parameters));
        let folds = clusters.folds(2, 1);
        let validation = Validation::of(&scores, &folds, &distances);
        let mut report = Report::new(&clusters, folds.len(), 1);
        report.add(&Compared {
            strategy: Strategy::Hybrid,
            candidates: &candidates,
            distances: &distances,
            validation: &validation,
            clusters: &clusters,
            default: runs[0].clone(),
            default_name: "old",
            runs,
        });
        assert_eq!(
            (report.queries, report.clusters, report.largest_cluster),
            (4, 3, 2)
        );
        let summary = &report.strategies["hybrid"];
        let mean = |figures: Figures| figures.ndcg_at_10.expect("some").mean;
        assert_eq!(mean(summary.unseen), 0.75);
        assert_eq!(mean(summary.default), 0.5);
        let gained = summary.difference.ndcg_at_10.expect("some");
        assert_eq!((gained.low, gained.mean, gained.high), (0.25, 0.25, 0.25));
        assert_eq!(summary.plateau, ["new"]);
        assert!(!summary.alike);
        assert_eq!(summary.centre_parameters, [("w".to_owned(), 0.4)].into());
        assert!(summary.folds.iter().all(|fold| fold.chosen == "new"));
        let text = report.text();
        assert!(
            text.contains("1 of 2 profiles around new (the best point is new)"),
            "{text}"
        );
        assert!(text.contains("  old "), "{text}");
        assert!(
            text.starts_with("4 queries in 3 clusters, the largest of 2; 2 folds"),
            "{text}"
        );
    }
}
