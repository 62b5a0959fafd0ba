//! Measures again and again while the catalog changes, above all while embeddings are computed:
//! hybrid search must not be worse than search by words for it.

use std::collections::BTreeMap;
use std::time::Duration;

use client_kit::output;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::asker::Asker;
use super::judged;
use super::measures::Ratings;
use super::report::{Measured, Run};
use super::typing::Typing;
use crate::endpoints::Endpoints;
use crate::search::Strategy;
use crate::status::Status;

/// What is measured in every round.
pub(super) struct Rounds<'a> {
    pub(super) endpoints: &'a Endpoints,
    pub(super) strategies: &'a [Strategy],
    pub(super) profile: &'a str,
    pub(super) judgments: &'a BTreeMap<String, Ratings>,
    pub(super) typing: Typing,
    pub(super) every: Duration,
    pub(super) json: bool,
}

/// One round, as it is printed.
#[derive(Clone, Debug, Serialize)]
struct Round {
    /// The clock in UTC, as `HH:MM:SS`.
    time: String,
    /// The products that have an embedding, and all that are to have one.
    embedded: u64,
    products: u64,
    /// The mean NDCG@10 by strategy.
    ndcg_at_10: BTreeMap<String, f64>,
    judged_ndcg_at_10: BTreeMap<String, f64>,
    /// What hybrid search has more than search by words, where both are measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    hybrid_minus_keyword: Option<f64>,
    /// Whether every product is searchable by words and by meaning.
    complete: bool,
}

/// What all rounds together show.
#[derive(Debug, Serialize)]
struct Summary {
    rounds: usize,
    /// The round in which hybrid search was the worst beside search by words.
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<Round>,
}

impl Rounds<'_> {
    /// Measures until it is stopped, or until two rounds in turn had the same complete catalog. A
    /// round without an answer is told and left out, but the first must have one.
    pub(super) async fn run(
        &self,
        asker: &mut Asker,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rounds: Vec<Round> = Vec::new();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => break,
            }
            let measured = tokio::select! {
                measured = self.round(asker) => measured,
                () = stop.cancelled() => break,
            };
            match measured {
                Ok(round) => {
                    self.print(&round, || round.text())?;
                    let ended = rounds.last().is_some_and(|before| round.ends(before));
                    rounds.push(round);
                    if ended {
                        break;
                    }
                }
                Err(err) if rounds.is_empty() => return Err(err),
                Err(err) => eprintln!("no round: {err:#}"),
            }
        }
        let summary = Summary::of(&rounds);
        self.print(&summary, || summary.text())
    }

    async fn round(&self, asker: &mut Asker) -> anyhow::Result<Round> {
        let status = Status::ask(self.endpoints).await?;
        let (embedded, waiting) = status.embedded().unwrap_or_default();
        let caught_up = status.lag_without_embeddings() == Some(0);
        let clock = OffsetDateTime::now_utc();
        let run = judged::measure(
            asker,
            self.strategies,
            self.profile,
            self.judgments,
            self.typing,
        )
        .await?;
        let ndcg_at_10 = means(&run, |measured| measured.ndcg_at_10);
        Ok(Round {
            time: format!(
                "{:02}:{:02}:{:02}",
                clock.hour(),
                clock.minute(),
                clock.second()
            ),
            embedded,
            products: embedded + waiting,
            hybrid_minus_keyword: difference(&ndcg_at_10),
            ndcg_at_10,
            judged_ndcg_at_10: means(&run, |measured| measured.judged_ndcg_at_10),
            complete: caught_up && waiting == 0 && embedded > 0,
        })
    }

    fn print<T: Serialize>(&self, value: &T, text: impl Fn() -> String) -> anyhow::Result<()> {
        if self.json {
            output::json(value)
        } else {
            Ok(output::line(&text())?)
        }
    }
}

fn means(run: &Run, value: fn(&Measured) -> Option<f64>) -> BTreeMap<String, f64> {
    let strategies = run.strategies.iter();
    strategies
        .filter_map(|(strategy, queries)| {
            let values: Vec<f64> = queries.values().filter_map(value).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            mean.is_finite().then(|| (strategy.clone(), mean))
        })
        .collect()
}

fn difference(means: &BTreeMap<String, f64>) -> Option<f64> {
    let of = |strategy: Strategy| means.get(strategy.name());
    Some(of(Strategy::Hybrid)? - of(Strategy::Keyword)?)
}

impl Round {
    /// Whether nothing is left to come after this round.
    fn ends(&self, before: &Self) -> bool {
        self.complete && before.complete && self.products == before.products
    }

    fn text(&self) -> String {
        let share = self.embedded as f64 / self.products.max(1) as f64;
        let mut text = format!(
            "{}  embedded {:>5.1} % of {:<7}",
            self.time,
            share * 100.0,
            self.products
        );
        for (strategy, mean) in &self.ndcg_at_10 {
            text += &format!("  {strategy} {mean:.4}");
        }
        if let Some(difference) = self.hybrid_minus_keyword {
            text += &format!("  hybrid - keyword {difference:+.4}");
        }
        text
    }
}

impl Summary {
    fn of(rounds: &[Round]) -> Self {
        let compared = rounds.iter().filter_map(|round| {
            let difference = round.hybrid_minus_keyword?;
            Some((difference, round))
        });
        let least = compared.min_by(|(a, _), (b, _)| a.total_cmp(b));
        Self {
            rounds: rounds.len(),
            least: least.map(|(_, round)| round.clone()),
        }
    }

    fn text(&self) -> String {
        match &self.least {
            Some(round) => format!("least of {} rounds:\n{}", self.rounds, round.text()),
            None => format!("{} rounds", self.rounds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(time: &str, embedded: u64, keyword: f64, hybrid: Option<f64>) -> Round {
        let both = [("keyword", Some(keyword)), ("hybrid", hybrid)];
        let means: BTreeMap<String, f64> = both
            .into_iter()
            .filter_map(|(strategy, mean)| Some((strategy.to_owned(), mean?)))
            .collect();
        Round {
            time: time.to_owned(),
            embedded,
            products: 400,
            hybrid_minus_keyword: difference(&means),
            judged_ndcg_at_10: means.clone(),
            ndcg_at_10: means,
            complete: embedded == 400,
        }
    }

    #[test]
    fn the_worst_round_is_kept() {
        let rounds = [
            round("10:00:00", 0, 0.5, Some(0.5)),
            round("10:00:20", 100, 0.75, Some(0.5)),
            round("10:00:40", 400, 0.75, Some(0.875)),
        ];
        let summary = Summary::of(&rounds);
        assert_eq!(
            summary.text(),
            "least of 3 rounds:\n10:00:20  embedded  25.0 % of 400      hybrid 0.5000  \
             keyword 0.7500  hybrid - keyword -0.2500"
        );
        let alone = Summary::of(&[round("10:00:00", 400, 0.5, None)]);
        assert_eq!(alone.text(), "1 rounds");
    }

    #[test]
    fn it_ends_when_a_complete_catalog_stays_as_it_is() {
        let complete = round("10:00:00", 400, 0.5, None);
        let growing = Round {
            products: 500,
            ..complete.clone()
        };
        assert!(complete.ends(&complete));
        assert!(!complete.ends(&growing));
        assert!(!complete.ends(&round("10:00:00", 100, 0.5, None)));
        assert!(!round("10:00:00", 100, 0.5, None).ends(&complete));
    }
}
