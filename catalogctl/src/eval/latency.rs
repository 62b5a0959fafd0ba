//! Measures how long searches as you type take, beside searches for whole queries.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::Context as _;
use client_kit::Meter;
use serde::Serialize;

use super::asker::{Asker, Manner};
use super::typing::prefixes;
use crate::search::Strategy;

/// How many products a search returns: as many as a shop shows.
const LIMIT: i32 = 20;
/// How often everything is sent; the first pass warms up and does not count.
const PASSES: usize = 4;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    queries: usize,
    strategies: Vec<Comparison>,
}

/// The times of one strategy.
#[derive(Debug, Serialize)]
struct Comparison {
    strategy: &'static str,
    prefixes: Times,
    whole: Times,
    ratio_p50: f64,
    ratio_p99: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Times {
    searches: usize,
    p50_ms: f64,
    p99_ms: f64,
}

/// Sends every prefix of every query, and after each prefix a whole query in turn, so that both
/// are measured as often and under the same load.
pub(super) async fn measure(
    asker: &mut Asker,
    strategies: &[Strategy],
    profile: &str,
    queries: &[String],
) -> anyhow::Result<Report> {
    let begun: Vec<String> = queries.iter().flat_map(|query| prefixes(query)).collect();
    anyhow::ensure!(!begun.is_empty(), "no query has a prefix of two characters");
    let mut report = Report {
        queries: queries.len(),
        strategies: Vec::new(),
    };
    for strategy in strategies {
        let manner = Manner {
            strategy: *strategy,
            profile: profile.to_owned(),
            limit: LIMIT,
        };
        let (mut of_prefixes, mut of_whole) = (Vec::new(), Vec::new());
        let mut meter = Meter::new("typing");
        for pass in 0..PASSES {
            meter.set(pass as u64, Some(PASSES as u64), strategy.name());
            for (prefix, whole) in begun.iter().zip(queries.iter().cycle()) {
                let times = [
                    time(asker, prefix, &manner).await?,
                    time(asker, whole, &manner).await?,
                ];
                if pass > 0 {
                    of_prefixes.push(times[0]);
                    of_whole.push(times[1]);
                }
            }
        }
        meter.clear();
        let compared = Comparison::of(strategy.name(), of_prefixes, of_whole);
        report
            .strategies
            .push(compared.context("nothing was measured")?);
    }
    Ok(report)
}

/// The milliseconds until the answer is there.
async fn time(asker: &mut Asker, query: &str, manner: &Manner) -> anyhow::Result<f64> {
    let started = Instant::now();
    asker.search(query, manner).await?;
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}

impl Report {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for one in &self.strategies {
            let _ = writeln!(text, "{}, {} queries", one.strategy, self.queries);
            for (name, times) in [("every prefix", one.prefixes), ("whole queries", one.whole)] {
                let Times {
                    searches,
                    p50_ms,
                    p99_ms,
                } = times;
                let _ = writeln!(
                    text,
                    "  {name:<14} p50 {p50_ms:>8.2} ms   p99 {p99_ms:>8.2} ms   {searches} searches"
                );
            }
            let (p50, p99) = (one.ratio_p50, one.ratio_p99);
            let _ = writeln!(text, "  {:<14} p50 {p50:>8.2}      p99 {p99:>8.2}", "ratio");
        }
        text
    }
}

impl Comparison {
    /// Compares the milliseconds of both; none where there are none of either.
    fn of(strategy: &'static str, prefixes: Vec<f64>, whole: Vec<f64>) -> Option<Self> {
        let (prefixes, whole) = (Times::of(prefixes)?, Times::of(whole)?);
        Some(Self {
            strategy,
            prefixes,
            whole,
            ratio_p50: prefixes.p50_ms / whole.p50_ms,
            ratio_p99: prefixes.p99_ms / whole.p99_ms,
        })
    }
}

impl Times {
    fn of(mut millis: Vec<f64>) -> Option<Self> {
        millis.sort_unstable_by(f64::total_cmp);
        let last = millis.len().checked_sub(1)?;
        let at = |share: f64| millis[(last as f64 * share).ceil() as usize];
        Some(Self {
            searches: millis.len(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_ratios_are_of_the_sorted_times() {
        let whole: Vec<f64> = (1..=101).rev().map(f64::from).collect();
        let times = Times::of(whole.clone()).unwrap();
        assert_eq!(
            (times.p50_ms, times.p99_ms, times.searches),
            (51.0, 100.0, 101)
        );
        let prefixes = whole.iter().map(|millis| millis * 2.0).collect();
        let compared = Comparison::of("keyword", prefixes, whole).unwrap();
        assert_eq!((compared.ratio_p50, compared.ratio_p99), (2.0, 2.0));
        assert!(Comparison::of("keyword", vec![1.0], Vec::new()).is_none());
        let report = Report {
            queries: 3,
            strategies: vec![compared],
        };
        let text = report.text();
        assert!(text.contains("p99   200.00 ms   101 searches"), "{text}");
    }
}
