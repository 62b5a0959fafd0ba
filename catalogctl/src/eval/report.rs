//! The report of an evaluation, for people and for a later comparison.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, estimate};
use super::measures::Measures;

const WORST_QUERIES: usize = 10;

/// A saved run: the measures of every query, by strategy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) strategies: BTreeMap<String, BTreeMap<String, Measured>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    /// The query as it was sent, where that is not how it stands in the judgments.
    #[serde(default, alias = "mistyped", skip_serializing_if = "Option::is_none")]
    pub(super) typed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) corrected: Option<String>,
    pub(super) ndcg_at_10: Option<f64>,
    /// None in runs that an older version saved, too.
    #[serde(default)]
    pub(super) judged_ndcg_at_10: Option<f64>,
    pub(super) recall_at_50: Option<f64>,
    pub(super) reciprocal_rank: Option<f64>,
    pub(super) judged_at_10: f64,
}

impl Measured {
    pub(super) fn new(measures: &Measures) -> Self {
        Self {
            typed: None,
            corrected: None,
            ndcg_at_10: measures.ndcg,
            judged_ndcg_at_10: measures.condensed_ndcg,
            recall_at_50: measures.recall,
            reciprocal_rank: measures.reciprocal_rank,
            judged_at_10: measures.judged,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    strategies: BTreeMap<String, Summary>,
}

#[derive(Debug, Serialize)]
struct Summary {
    queries: usize,
    ndcg_at_10: Option<Estimate>,
    /// NDCG@10 over judged hits only.
    judged_ndcg_at_10: Option<Estimate>,
    recall_at_50: Option<Estimate>,
    mrr: Option<Estimate>,
    judged_at_10: Option<Estimate>,
    worst: Vec<Worst>,
    /// The change of NDCG@10 since the saved run, over the queries that both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Estimate>,
    /// The same over judged hits only.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged_difference: Option<Estimate>,
}

#[derive(Debug, Serialize)]
struct Worst {
    query: String,
    ndcg_at_10: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    typed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected: Option<String>,
}

impl Report {
    pub(super) fn of(run: &Run, saved: Option<&Run>) -> Self {
        let summaries = run.strategies.iter().map(|(strategy, queries)| {
            let before = saved.and_then(|saved| saved.strategies.get(strategy));
            (strategy.clone(), summary(queries, before))
        });
        Self {
            strategies: summaries.collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (strategy, summary) in &self.strategies {
            let _ = writeln!(text, "{strategy}, {} queries", summary.queries);
            for (name, estimate) in [
                ("NDCG@10", summary.ndcg_at_10),
                ("NDCG@10 over judged hits", summary.judged_ndcg_at_10),
                ("judged@10", summary.judged_at_10),
                ("recall@50", summary.recall_at_50),
                ("MRR", summary.mrr),
                ("NDCG@10 against the saved run", summary.difference),
                (
                    "NDCG@10 over judged hits against the saved run",
                    summary.judged_difference,
                ),
            ] {
                if let Some(estimate) = estimate {
                    let _ = writeln!(text, "  {name}  {estimate}");
                }
            }
            let _ = writeln!(text, "  worst by NDCG@10:");
            for worst in &summary.worst {
                let _ = write!(text, "    {:.3}  {}", worst.ndcg_at_10, worst.query);
                if let Some(typed) = &worst.typed {
                    let _ = write!(text, ", typed {typed:?}");
                }
                if let Some(corrected) = &worst.corrected {
                    let _ = write!(text, ", corrected to {corrected:?}");
                }
                text.push('\n');
            }
        }
        text
    }
}

fn summary(
    queries: &BTreeMap<String, Measured>,
    before: Option<&BTreeMap<String, Measured>>,
) -> Summary {
    let of = |value: fn(&Measured) -> Option<f64>| {
        let values: Vec<f64> = queries.values().filter_map(value).collect();
        estimate(&values)
    };
    let difference = |value: fn(&Measured) -> Option<f64>| {
        let before = before?;
        let pairs = queries.iter().filter_map(|(query, now)| {
            let before = before.get(query)?;
            Some(value(now)? - value(before)?)
        });
        estimate(&pairs.collect::<Vec<f64>>())
    };
    let mut worst: Vec<Worst> = queries
        .iter()
        .filter_map(|(query, measured)| {
            Some(Worst {
                query: query.clone(),
                ndcg_at_10: measured.ndcg_at_10?,
                typed: measured.typed.clone(),
                corrected: measured.corrected.clone(),
            })
        })
        .collect();
    worst.sort_by(|a, b| a.ndcg_at_10.total_cmp(&b.ndcg_at_10));
    worst.truncate(WORST_QUERIES);
    Summary {
        queries: queries.len(),
        ndcg_at_10: of(|measured| measured.ndcg_at_10),
        judged_ndcg_at_10: of(|measured| measured.judged_ndcg_at_10),
        recall_at_50: of(|measured| measured.recall_at_50),
        mrr: of(|measured| measured.reciprocal_rank),
        judged_at_10: of(|measured| Some(measured.judged_at_10)),
        worst,
        difference: difference(|measured| measured.ndcg_at_10),
        judged_difference: difference(|measured| measured.judged_ndcg_at_10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[(&str, Option<f64>)]) -> Run {
        let measured = |ndcg: Option<f64>| Measured {
            typed: None,
            corrected: None,
            ndcg_at_10: ndcg,
            judged_ndcg_at_10: ndcg,
            recall_at_50: ndcg,
            reciprocal_rank: ndcg,
            judged_at_10: 1.0,
        };
        let queries = values
            .iter()
            .map(|(query, ndcg)| ((*query).to_owned(), measured(*ndcg)));
        Run {
            strategies: [("hybrid".to_owned(), queries.collect())].into(),
        }
    }

    #[test]
    fn compares_what_both_runs_have() {
        let before = run(&[("a", Some(0.5)), ("b", Some(0.5)), ("gone", Some(1.0))]);
        let saved: Run = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        let now = run(&[
            ("a", Some(0.75)),
            ("b", Some(0.75)),
            ("new", Some(0.0)),
            ("n", None),
        ]);
        let report = Report::of(&now, Some(&saved));
        let summary = &report.strategies["hybrid"];
        let difference = summary.difference.expect("both");
        assert_eq!((difference.mean, difference.low), (0.25, 0.25));
        assert_eq!(
            (summary.queries, summary.ndcg_at_10.unwrap().mean),
            (4, 0.5)
        );
        let worst: Vec<&str> = summary
            .worst
            .iter()
            .map(|worst| worst.query.as_str())
            .collect();
        assert_eq!(worst, ["new", "a", "b"]);
        let text = report.text();
        assert!(text.contains("against the saved run  0.2500"), "{text}");
        assert!(
            Report::of(&now, None).strategies["hybrid"]
                .difference
                .is_none()
        );
    }

    #[test]
    fn a_run_that_an_older_version_saved_is_compared_with_in_what_it_has() {
        let saved = r#"{"strategies": {"hybrid": {"a": {"mistyped": "q", "ndcg_at_10": 0.5,
            "recall_at_50": 1.0, "reciprocal_rank": 1.0, "judged_at_10": 0.5}}}}"#;
        let saved: Run = serde_json::from_str(saved).expect("readable");
        let old = &saved.strategies["hybrid"]["a"];
        assert_eq!(old.typed.as_deref(), Some("q"));
        assert_eq!(old.judged_ndcg_at_10, None);
        let report = Report::of(&run(&[("a", Some(0.75))]), Some(&saved));
        let summary = &report.strategies["hybrid"];
        assert_eq!(summary.difference.expect("both").mean, 0.25);
        assert_eq!(summary.judged_difference, None);
        let text = report.text();
        assert!(text.contains("NDCG@10 over judged hits  0.7500"), "{text}");
    }
}
