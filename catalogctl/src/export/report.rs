//! Shows an export to its operator: progress, the summary, and what is left out.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use client_kit::export::Retrying;
use client_kit::{Meter, output};
use serde::Serialize;

use crate::export::partial::State;
use crate::export::proof::Proof;

/// What an export came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    file: Option<String>,
    position: i64,
    /// The products in the file.
    pub(crate) products: u64,
    /// How many were left out, by what they lack.
    left_out: BTreeMap<String, u64>,
    /// How many have something else than in the catalog, by what it is.
    adapted: BTreeMap<String, u64>,
    bytes: u64,
    seconds: f64,
    /// Counts the products of this run.
    products_per_second: f64,
    /// The digest of all products that were read, with their versions.
    digest: String,
    pub(crate) proof: Proof,
    #[serde(skip)]
    pub(crate) resumable: bool,
}

impl Summary {
    /// The summary of what is in the file; `now` counts the products of this run.
    pub(crate) fn new(file: Option<&Path>, state: &State, started: Instant, now: u64) -> Self {
        let seconds = started.elapsed().as_secs_f64();
        Self {
            file: file.map(|file| file.display().to_string()),
            position: state.position,
            products: state.products,
            left_out: state.left_out.clone(),
            adapted: state.adapted.clone(),
            bytes: state.bytes,
            seconds: (seconds * 1000.0).round() / 1000.0,
            products_per_second: (now as f64 / seconds.max(0.001)).round(),
            digest: state.digest.clone(),
            proof: Proof::Incomplete,
            resumable: false,
        }
    }

    fn lines(&self) -> Vec<String> {
        let Self {
            position,
            products,
            bytes,
            seconds,
            products_per_second,
            digest,
            ..
        } = self;
        let proof = match &self.proof {
            Proof::Partial => format!("digest {digest} of what was chosen"),
            Proof::Incomplete => "not complete".to_owned(),
            Proof::Equal => format!("digest {digest}, that of the log"),
            Proof::Different(log) => format!(
                "digest {digest}, but that of the log is {log}: is this an older release of the tool?"
            ),
            Proof::Unknown(why) => {
                format!("digest {digest}, not compared with that of the log ({why})")
            }
        };
        let file = self.file.as_deref().unwrap_or("standard output");
        let mut lines = vec![format!(
            "{products} products at position {position} in {seconds:.1} s ({products_per_second} \
             products/s), {bytes} bytes to {file}; {proof}"
        )];
        if !self.left_out.is_empty() {
            let total: u64 = self.left_out.values().sum();
            let reasons = counts(&self.left_out);
            lines.push(format!("{total} products are left out: {reasons}"));
        }
        if !self.adapted.is_empty() {
            let ways = counts(&self.adapted);
            lines.push(format!("to fit the form, products have: {ways}"));
        }
        lines
    }
}

fn counts(of: &BTreeMap<String, u64>) -> String {
    let counts = of.iter().map(|(what, count)| format!("{count} {what}"));
    counts.collect::<Vec<_>>().join(", ")
}

pub(crate) struct Report {
    meter: Meter,
    started: Instant,
    /// The products that an earlier run had written.
    before: u64,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            meter: Meter::new("exporting"),
            started: Instant::now(),
            before: 0,
        }
    }

    pub(crate) fn goes_on(&mut self, state: &State) {
        self.before = state.products;
        let State {
            position, products, ..
        } = state;
        let text = format!("goes on at position {position} behind {products} products");
        self.meter.line(&text);
    }

    /// The first pass of a table.
    pub(crate) fn columns(&mut self, looked_at: u64, total: u64) {
        let known = (total > 0).then_some(total * 2);
        let text = format!("{looked_at} products looked at for their attributes");
        self.meter.set(looked_at, known, &text);
    }

    pub(crate) fn progress(&mut self, state: &State, total: u64) {
        let now = state.products - self.before;
        let rate = now as f64 / self.started.elapsed().as_secs_f64();
        let text = format!("{} products, {rate:.0} products/s", state.products);
        let (done, known) = match (total, state.columns.is_empty()) {
            (0, _) => (state.looked_at, None),
            (total, true) => (state.looked_at, Some(total)),
            // The second pass.
            (total, false) => (total + state.looked_at, Some(total * 2)),
        };
        self.meter.set(done, known, &text);
    }

    pub(crate) fn retrying(&self, lost: &Retrying) {
        if lost.attempt == 1 {
            let why = &lost.why;
            self.meter
                .line(&format!("trying again from where it was: {why}"));
        }
    }

    /// Prints the summary: to standard error, as people read it, or as JSON.
    pub(crate) fn finish(
        &self,
        summary: &Summary,
        json: bool,
        to_stdout: bool,
    ) -> anyhow::Result<()> {
        self.meter.clear();
        match (json, to_stdout) {
            (true, false) => return output::json(summary),
            (true, true) => eprintln!("{}", serde_json::to_string(summary)?),
            (false, _) => summary.lines().iter().for_each(|line| eprintln!("{line}")),
        }
        Ok(())
    }
}
