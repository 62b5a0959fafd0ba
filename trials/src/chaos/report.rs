//! Reports a run: a line for each schedule, the evidence of what went wrong, and a summary.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use client_kit::output;
use serde_json::json;

use crate::chaos::history::{Entry, Event};
use crate::chaos::trial::Verdict;
use crate::chaos::violation::{Counts, Violation};

/// The most violations shown of one schedule; more of the same say no more.
const VIOLATIONS_SHOWN_MAX: usize = 10;
const LINES_SHOWN_MAX: usize = 12;

pub(super) struct Report {
    file: Option<File>,
    path: PathBuf,
    first_seed: u64,
    schedules: u64,
    failed: Vec<u64>,
    counts: Counts,
    lags: Vec<Duration>,
    /// The number of violations by invariant.
    violations: BTreeMap<&'static str, u64>,
    errors: BTreeMap<String, u64>,
}

impl Report {
    /// Opens a report. Without a path, a file in the temporary folder is written once something is
    /// wrong.
    pub(super) fn open(path: Option<PathBuf>, first_seed: u64) -> anyhow::Result<Self> {
        let unless_told = || std::env::temp_dir().join(format!("catalog-chaos-{first_seed}.jsonl"));
        let file = path.as_ref().map(File::create).transpose();
        Ok(Self {
            file: file.context("cannot write the report")?,
            path: path.unwrap_or_else(unless_told),
            first_seed,
            schedules: 0,
            failed: Vec::new(),
            counts: Counts::default(),
            lags: Vec::new(),
            violations: BTreeMap::new(),
            errors: BTreeMap::new(),
        })
    }

    pub(super) fn is_clean(&self) -> bool {
        self.failed.is_empty()
    }

    /// Adds a verdict and returns what to print of it.
    pub(super) fn add(&mut self, verdict: &Verdict) -> anyhow::Result<String> {
        self.schedules += 1;
        self.lags.extend(verdict.lag_over);
        self.sum(&verdict.counts);
        for violation in &verdict.violations {
            *self.violations.entry(violation.invariant).or_default() += 1;
        }
        let failures = verdict
            .history
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::Fail { failure } | Event::Unknown { failure } => Some(failure),
                _ => None,
            });
        for failure in failures {
            let kind = format!("{:?}", failure.kind).to_lowercase();
            *self.errors.entry(kind).or_default() += 1;
        }
        self.write(verdict)?;
        let mut text = line(verdict);
        if !verdict.violations.is_empty() {
            self.failed.push(verdict.schedule.seed);
            text.push_str(&evidence(verdict));
            let _ = write!(text, "\n  all of it is in {}", self.path.display());
        }
        Ok(text)
    }

    fn sum(&mut self, counts: &Counts) {
        self.counts.writes_ok += counts.writes_ok;
        self.counts.writes_unknown += counts.writes_unknown;
        self.counts.writes_failed += counts.writes_failed;
        self.counts.token_reads += counts.token_reads;
        self.counts.stale_answers += counts.stale_answers;
    }

    fn write(&mut self, verdict: &Verdict) -> anyhow::Result<()> {
        let failed = !verdict.violations.is_empty();
        if self.file.is_none() && failed {
            self.file = Some(File::create(&self.path).context("cannot write the report")?);
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let summary = json!({
            "seed": verdict.schedule.seed,
            "schedule": verdict.schedule.to_string(),
            "counts": verdict.counts,
            "lag_over_ms": verdict.lag_over.map(|lag| lag.as_millis() as u64),
            "took_ms": verdict.took.as_millis() as u64,
            "violations": verdict.violations,
            "logs": verdict.logs,
        });
        writeln!(file, "{summary}")?;
        if failed {
            for entry in &verdict.history {
                writeln!(file, "{entry}")?;
            }
        }
        Ok(file.flush()?)
    }

    pub(super) fn summary(&self) -> String {
        let Counts {
            writes_ok,
            writes_unknown,
            writes_failed,
            token_reads,
            stale_answers,
        } = self.counts;
        let last = self
            .first_seed
            .wrapping_add(self.schedules.saturating_sub(1));
        let mut text = format!(
            "{} schedules, seeds {} to {last}\n\
             writes: {writes_ok} acknowledged, {writes_unknown} unknown, {writes_failed} refused\n\
             reads with a token: {token_reads} checked, {stale_answers} said that they are stale\n",
            self.schedules, self.first_seed
        );
        let mut lags = self.lags.clone();
        lags.sort_unstable();
        if let (Some(median), Some(max)) = (lags.get(lags.len() / 2), lags.last()) {
            let (median, max) = (median.as_secs_f64(), max.as_secs_f64());
            let _ = writeln!(
                text,
                "lag 0 after healing: median {median:.1} s, at most {max:.1} s"
            );
        }
        let errors: Vec<String> = self
            .errors
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        let _ = writeln!(text, "errors that clients saw: {}", errors.join(", "));
        if self.is_clean() {
            text.push_str("no violation");
        } else {
            let violations = self.violations.iter();
            let kinds: Vec<String> = violations.map(|(kind, n)| format!("{kind} {n}")).collect();
            let _ = write!(
                text,
                "VIOLATIONS: {}; seeds {:?}",
                kinds.join(", "),
                self.failed
            );
        }
        text
    }
}

fn line(verdict: &Verdict) -> String {
    let Counts {
        writes_ok,
        writes_unknown,
        writes_failed,
        token_reads,
        stale_answers,
    } = verdict.counts;
    let lag = match verdict.lag_over {
        Some(lag) => format!("lag 0 after {:.1} s", lag.as_secs_f64()),
        None => "lag stays".to_owned(),
    };
    let word = if verdict.violations.is_empty() {
        "ok"
    } else {
        "FAILED"
    };
    format!(
        "seed {} | {} | writes {writes_ok} ok {writes_unknown} unknown {writes_failed} refused | \
         token reads {token_reads}, {stale_answers} stale | {lag} | {word} ({:.1} s)",
        verdict.schedule.seed,
        verdict.schedule,
        verdict.took.as_secs_f64()
    )
}

fn evidence(verdict: &Verdict) -> String {
    let mut text = String::new();
    for violation in verdict.violations.iter().take(VIOLATIONS_SHOWN_MAX) {
        let Violation {
            invariant,
            text: what,
            calls,
        } = violation;
        let _ = write!(text, "\n  {invariant}: {what}");
        let concerned = |entry: &&Entry| calls.contains(&entry.call);
        let lines = verdict.history.iter().filter(concerned);
        for entry in lines.take(LINES_SHOWN_MAX) {
            let _ = write!(text, "\n      {entry}");
        }
    }
    let more = verdict
        .violations
        .len()
        .saturating_sub(VIOLATIONS_SHOWN_MAX);
    if more > 0 {
        let _ = write!(text, "\n  and {more} more");
    }
    let strikes = |entry: &&Entry| matches!(entry.event, Event::Nemesis { .. });
    for entry in verdict.history.iter().filter(strikes) {
        let _ = write!(text, "\n  {entry}");
    }
    for line in verdict.logs.lines() {
        let _ = write!(text, "\n  {}", output::plain(line));
    }
    text
}
