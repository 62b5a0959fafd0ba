//! Compares ranking profiles by nested cross-validation: what a choice is worth is measured on
//! queries that it was not made on.

mod candidates;
mod cross_validation;
mod grid;
mod report;
mod plateau;
mod clusters;
mod values;

use std::collections::BTreeMap;

use client_kit::Meter;

use self::candidates::Candidate;
pub(super) use self::candidates::Source;
use self::clusters::Clusters;
use self::cross_validation::Validation;
pub(super) use self::grid::{Grid, write};
use self::plateau::{Distances, Scores};
use self::report::{Compared, Report};
use self::values::{Value, values};
use super::asker::Asker;
use super::judged;
use super::measures::Ratings;
use super::report::Run;
use super::typing::Typing;
use crate::search::Strategy;

/// What profiles are chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ChosenBy {
    /// NDCG@10, where a product that nobody judged counts as irrelevant
    Raw,
    /// NDCG@10 over judged hits only
    Judged,
    /// The mean of the two
    Both,
}

/// What is compared, and how.
pub(super) struct Profiles<'a> {
    pub(super) source: Source<'a>,
    /// The profile that the choice is compared with; empty for that of the service.
    pub(super) default: &'a str,
    pub(super) strategies: &'a [Strategy],
    pub(super) judgments: &'a BTreeMap<String, Ratings>,
    pub(super) typing: Typing,
    pub(super) by: ChosenBy,
    pub(super) folds: usize,
    pub(super) seed: u64,
}

impl Profiles<'_> {
    pub(super) async fn compare(&self, asker: &mut Asker) -> anyhow::Result<Report> {
        let judgeable = |ratings: &Ratings| ratings.values().any(|rating| *rating > 0);
        let judgments: BTreeMap<String, Ratings> = self
            .judgments
            .iter()
            .filter(|(_, ratings)| judgeable(ratings))
            .map(|(query, ratings)| (query.clone(), ratings.clone()))
            .collect();
        let queries: Vec<&str> = judgments.keys().map(String::as_str).collect();
        let clusters = Clusters::of(&queries);
        anyhow::ensure!(
            clusters.count() >= 2,
            "the queries are all of a kind, so none can be held back to test a choice on"
        );
        let folds = clusters.folds(self.folds, self.seed);
        let names = self.source.names()?;
        // First, so that a service with other profiles is told before long measurements.
        let mut by_strategy = Vec::new();
        for strategy in self.strategies {
            by_strategy.push(self.source.candidates(asker, &names, *strategy).await?);
        }
        let default = self.measure(asker, self.default, &judgments).await?;
        let mut runs = Vec::new();
        let mut meter = Meter::new("measuring");
        for (done, name) in names.iter().enumerate() {
            meter.set(done as u64, Some(names.len() as u64), name);
            runs.push(self.measure(asker, name, &judgments).await?);
        }
        meter.clear();
        let mut report = Report::new(&clusters, folds.len(), self.seed);
        for (strategy, candidates) in self.strategies.iter().zip(&by_strategy) {
            let of_runs = runs.iter().map(|run| values(run, *strategy));
            let scores = Scores {
                values: of_runs.clone().map(|run| self.chosen_by(&run)).collect(),
                clusters: clusters.clone(),
            };
            let distances = Distances::of(candidates.iter().map(Candidate::parameters));
            let validation = Validation::of(&scores, &folds, &distances);
            report.add(&Compared {
                strategy: *strategy,
                candidates,
                distances: &distances,
                validation: &validation,
                clusters: &clusters,
                runs: of_runs.collect(),
                default: values(&default, *strategy),
                default_name: self.default,
            });
        }
        Ok(report)
    }

    async fn measure(
        &self,
        asker: &mut Asker,
        profile: &str,
        judgments: &BTreeMap<String, Ratings>,
    ) -> anyhow::Result<Run> {
        judged::measure(asker, self.strategies, profile, judgments, self.typing).await
    }

    fn chosen_by(&self, values: &[Value]) -> Vec<f64> {
        let chosen = values.iter().map(|value| match self.by {
            ChosenBy::Raw => value.raw,
            ChosenBy::Judged => value.judged,
            ChosenBy::Both => f64::midpoint(value.raw, value.judged),
        });
        chosen.collect()
    }
}
