//! Shows an import to its operator: progress, rejected rows, the summary.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use client_kit::feed::{Mistake, Notes, Progress};
use client_kit::import::{Notice, Rejection, Summary};
use client_kit::{Meter, output};
use serde::Serialize;

const SHOWN_MAX: u64 = 20;

pub(super) struct Report {
    meter: Meter,
    feed: Progress,
    notes: Notes,
    /// The notes that were shown.
    told: Vec<String>,
    started: Instant,
    shown: u64,
    rejects: Option<Rejects>,
}

struct Rejects {
    name: String,
    file: BufWriter<File>,
    failed: Option<std::io::Error>,
}

/// The summary for programs.
#[derive(Serialize)]
pub(super) struct WithNotes<'r> {
    #[serde(flatten)]
    pub(super) summary: &'r Summary,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) notes: &'r [String],
}

#[derive(Serialize)]
struct RejectedRow<'r> {
    line: u64,
    id: &'r str,
    field: &'r str,
    reason: &'r str,
}

impl Report {
    pub(super) fn new(
        feed: Progress,
        notes: Notes,
        rejects: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut report = Self {
            meter: Meter::new("importing"),
            feed,
            notes,
            told: Vec::new(),
            started: Instant::now(),
            shown: 0,
            rejects: rejects.map(Rejects::create).transpose()?,
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
                    rejects.write(rejection);
                }
                self.shown += 1;
                if self.shown <= SHOWN_MAX {
                    self.meter.line(&show(rejection));
                }
            }
            Notice::Retrying { why, attempt: 1 } => {
                self.meter
                    .line(&format!("trying again what has no answer yet: {why}"));
            }
            Notice::Retrying { .. } => {}
        }
    }

    /// Tells where the rejected rows are, or how many were not shown; gives all notes.
    pub(super) fn finish(mut self, summary: &Summary) -> anyhow::Result<Vec<String>> {
        self.tell();
        self.meter.clear();
        let hidden = self.shown.saturating_sub(SHOWN_MAX);
        match &self.rejects {
            Some(rejects) if summary.rejected > 0 => {
                eprintln!("the rejected rows are in {}", rejects.name);
            }
            None if hidden > 0 => {
                eprintln!("and {hidden} more mistakes: --rejects FILE keeps them all");
            }
            _ => {}
        }
        self.rejects.take().map_or(Ok(()), Rejects::finish)?;
        Ok(self.told)
    }
}

impl Rejects {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::create(path).with_context(|| format!("cannot write {name}"))?;
        Ok(Self {
            name,
            file: BufWriter::new(file),
            failed: None,
        })
    }

    fn write(&mut self, Rejection { line, mistake }: &Rejection) {
        let Mistake { id, field, reason } = mistake;
        let row = RejectedRow {
            line: *line,
            id,
            field,
            reason,
        };
        let written = serde_json::to_writer(&mut self.file, &row)
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"));
        if let Err(err) = written {
            self.failed.get_or_insert(err);
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let result = self.failed.take().map_or_else(|| self.file.flush(), Err);
        result.with_context(|| format!("cannot write {}", self.name))
    }
}

fn show(Rejection { line, mistake }: &Rejection) -> String {
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

pub(super) fn summary(summary: &Summary, dry_run: bool) -> String {
    let Summary {
        rows,
        created,
        updated,
        unchanged,
        rejected,
        seconds,
        rows_per_second,
    } = summary;
    let pace = format!("in {seconds:.1} s ({rows_per_second} rows/s)");
    if dry_run {
        format!("{rows} rows read, {rejected} rejected {pace}; nothing was sent")
    } else {
        format!(
            "{rows} rows: {created} created, {updated} updated, {unchanged} unchanged, {rejected} \
             rejected {pace}"
        )
    }
}
