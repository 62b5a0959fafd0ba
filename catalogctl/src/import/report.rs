//! Shows an import to its operator: progress, rejected rows, the summary.

use std::collections::BTreeMap;
use std::time::Instant;

use catalog_proto::v1::ImportPreview;
use client_kit::feed::{Mistake, Notes, Progress};
use client_kit::import::{Changed, Notice, Rejection, Summary};
use client_kit::{Meter, output};
use serde::Serialize;

use crate::import::args::ImportArgs;
use crate::import::rejected::{Output, Rows};

const SHOWN_MAX: u64 = 20;

pub(super) struct Report {
    meter: Meter,
    feed: Progress,
    notes: Notes,
    /// The notes that were shown.
    told: Vec<String>,
    started: Instant,
    shown: u64,
    shown_warnings: u64,
    rejects: Option<Output>,
    rows: Option<Rows>,
    json: bool,
    /// How many products would change each field.
    changed: BTreeMap<String, u64>,
}

/// The summary for programs.
#[derive(Serialize)]
pub(super) struct WithNotes<'r> {
    #[serde(flatten)]
    pub(super) summary: &'r Summary,
    /// The products that were deleted because the feed does not have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deleted: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) notes: &'r [String],
}

impl Report {
    pub(super) fn new(feed: Progress, notes: Notes, args: &ImportArgs) -> anyhow::Result<Self> {
        let rejects = args.rejects.as_deref().map(Output::create);
        let rows = args.report.as_deref();
        let rows = rows.map(|path| Rows::create(path, feed.header()));
        let mut report = Self {
            meter: Meter::new("importing"),
            feed,
            notes,
            told: Vec::new(),
            started: Instant::now(),
            shown: 0,
            shown_warnings: 0,
            rejects: rejects.transpose()?,
            rows: rows.transpose()?,
            json: args.json,
            changed: BTreeMap::new(),
        };
        report.tell();
        Ok(report)
    }

    /// Shows what was found out about the feed since the last time.
    fn tell(&mut self) {
        for note in self.notes.take() {
            self.meter.line(&format!("note: {}", output::plain(&note)));
            self.told.push(note);
        }
    }

    pub(super) fn notice(&mut self, notice: &Notice<'_>) {
        self.tell();
        match notice {
            Notice::Progress(summary) => {
                let rate = summary.rows as f64 / self.started.elapsed().as_secs_f64();
                let text = format!("{} rows, {rate:.0} rows/s", summary.rows);
                self.meter
                    .set(self.feed.of_rows(summary.rows), self.feed.total(), &text);
            }
            Notice::Rejected(rejection) => {
                if let Some(rejects) = &mut self.rejects {
                    rejects.reason(rejection);
                }
                if let Some(rows) = &mut self.rows {
                    rows.add(rejection);
                }
                self.shown += 1;
                if self.shown <= SHOWN_MAX {
                    self.meter.line(&show(rejection));
                }
            }
            Notice::Warning(warning) => {
                self.shown_warnings += 1;
                if self.shown_warnings <= SHOWN_MAX {
                    self.meter.line(&format!("warning: {}", show(warning)));
                }
            }
            Notice::Preview(line, preview) => self.preview(*line, preview),
            Notice::Retrying { why, attempt: 1 } => {
                self.meter
                    .line(&format!("trying again what has no answer yet: {why}"));
            }
            Notice::Retrying { .. } | Notice::Answered(_) => {}
        }
    }

    fn preview(&mut self, line: u64, preview: &ImportPreview) {
        let changed = Changed::of(line, preview);
        for name in changed.names() {
            *self.changed.entry(name.to_owned()).or_default() += 1;
        }
        self.meter.clear();
        // What standard output does not take is the end of the report, and no reason to stop.
        let _ = if self.json {
            output::json(&changed)
        } else {
            output::line(&changed.text()).map_err(anyhow::Error::from)
        };
    }

    /// Tells where the rejected rows are, or how many were not shown; gives all notes.
    pub(super) fn finish(mut self, summary: &Summary) -> anyhow::Result<Vec<String>> {
        self.tell();
        self.meter.clear();
        let hidden = |shown: u64| shown.saturating_sub(SHOWN_MAX);
        match (hidden(self.shown), hidden(self.shown_warnings)) {
            (0, 0) => {}
            (0, warnings) => eprintln!("and {warnings} more warnings"),
            (mistakes, warnings) => {
                eprintln!("and {mistakes} more mistakes, {warnings} more warnings");
            }
        }
        if !self.changed.is_empty() {
            let counts = self.changed.iter();
            let counts = counts.map(|(field, products)| format!("{field} {products}"));
            let counts: Vec<_> = counts.collect();
            eprintln!("products by field: {}", output::plain(&counts.join(", ")));
        }
        if summary.rejected > 0 {
            if let Some(rows) = &self.rows {
                eprintln!("the rejected rows are in {}", rows.output.name);
            }
            if let Some(rejects) = &self.rejects {
                eprintln!("the reasons of rejected rows are in {}", rejects.name);
            }
            if self.rows.is_none() && self.rejects.is_none() && hidden(self.shown) > 0 {
                eprintln!("--report FILE keeps all rejected rows, to be mended");
            }
        }
        self.rejects.take().map_or(Ok(()), Output::finish)?;
        self.rows
            .take()
            .map_or(Ok(()), |rows| rows.output.finish())?;
        Ok(self.told)
    }
}

fn show(Rejection { line, mistake, .. }: &Rejection) -> String {
    let Mistake { id, field, reason } = mistake;
    let mut text = format!("line {line}");
    if !id.is_empty() {
        text.push_str(&format!(", product {id}"));
    }
    if !field.is_empty() {
        text.push_str(&format!(", {field}"));
    }
    output::plain(&format!("{text}: {reason}"))
}

pub(super) fn summary(summary: &Summary, args: &ImportArgs) -> String {
    let Summary {
        rows,
        created,
        updated,
        unchanged,
        rejected,
        left_out,
        warnings,
        seconds,
        rows_per_second,
        consistency_token: _,
    } = summary;
    let pace = format!("in {seconds:.1} s ({rows_per_second} rows/s)");
    let warned = match warnings {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        warnings => format!(", {warnings} warnings"),
    };
    let left_out = match left_out {
        0 => String::new(),
        rows => format!(", {rows} left out"),
    };
    if args.check {
        format!("{rows} rows read, {rejected} rejected{left_out}{warned} {pace}; nothing was sent")
    } else if args.dry_run {
        format!(
            "{rows} rows: {created} would be created, {updated} updated, {unchanged} unchanged, \
             {rejected} rejected{left_out}{warned} {pace}; nothing was changed"
        )
    } else {
        format!(
            "{rows} rows: {created} created, {updated} updated, {unchanged} unchanged, {rejected} \
             rejected{left_out}{warned} {pace}"
        )
    }
}
