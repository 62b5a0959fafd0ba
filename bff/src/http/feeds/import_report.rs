//! What became of the rows of an import. As one JSON object it shows the first rows of each kind; as JSON
//! Lines every row is told when its turn comes.

use bytes::Bytes;
use client_kit::feed::Notes;
use client_kit::import::{Changed, Notice, Rejection, Summary};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::http::answer::long::line;
use crate::http::feeds::import_options::in_names_of_parameters;

const REJECTIONS_MAX: usize = 1_000;
const WARNINGS_MAX: usize = 100;
const CHANGES_MAX: usize = 1_000;
const NOTES_MAX: usize = 100;

/// What became of a feed.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct ImportReport {
    /// Whether the feed was read to its end. If not, `problem` tells why, and what the counts say was done:
    /// the same feed may be sent again.
    completed: bool,
    /// The rows that were read: the sum of those below.
    rows: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
    /// Rows that belong to the product of another row.
    left_out: u64,
    warnings: u64,
    seconds: f64,
    rows_per_second: f64,
    /// Every row up to this line was answered.
    reached_line: u64,
    /// Makes a read wait for all of the import.
    #[serde(skip_serializing_if = "String::is_empty")]
    consistency_token: String,
    /// What was found out about the feed.
    notes: Vec<String>,
    /// The first 1,000 rows that were not imported.
    rejected_rows: Vec<ImportRow>,
    /// The first 100 parts of rows that were left out.
    warned_rows: Vec<ImportRow>,
    /// What the first 1,000 rows of a dry run would change.
    #[schema(value_type = Vec<ImportChange>)]
    changes: Vec<Changed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::openapi::problem::Problem>)]
    problem: Option<Value>,
    /// Rows that could not be told, for the client did not read them in time.
    #[serde(skip_serializing_if = "is_zero")]
    untold_rows: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A row, and what is wrong with it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportRow {
    line: u64,
    id: String,
    field: String,
    reason: String,
}

impl ImportRow {
    fn of(rejection: &Rejection) -> Self {
        let mistake = &rejection.mistake;
        Self {
            line: rejection.line,
            id: mistake.id.clone(),
            field: mistake.field.clone(),
            reason: in_names_of_parameters(&mistake.reason),
        }
    }
}

/// What a row of a dry run would change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportChange {
    line: u64,
    id: String,
    /// `create` or `update`.
    change: String,
    fields: Vec<ImportFieldChange>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ImportFieldChange {
    field: String,
    before: Value,
    after: Value,
}

/// One line of an answer in JSON Lines.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'r> {
    Progress {
        #[serde(flatten)]
        summary: &'r Summary,
    },
    Rejected(&'r ImportRow),
    Warning(&'r ImportRow),
    Change(&'r Changed),
    Report(&'r ImportReport),
}

/// Gathers the report while the import runs.
pub(super) struct Gathered {
    report: ImportReport,
    notes: Notes,
    lines: Option<mpsc::Sender<Bytes>>,
}

impl Gathered {
    /// With `lines`, rows are told there instead of kept.
    pub(super) fn new(notes: Notes, lines: Option<mpsc::Sender<Bytes>>) -> Self {
        Self {
            report: ImportReport::default(),
            notes,
            lines,
        }
    }

    pub(super) fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Progress(summary) => {
                self.tell_if_room(&Event::Progress { summary });
            }
            Notice::Rejected(rejection) => {
                let row = ImportRow::of(rejection);
                if self.lines.is_some() {
                    self.tell(&Event::Rejected(&row));
                } else if self.report.rejected_rows.len() < REJECTIONS_MAX {
                    self.report.rejected_rows.push(row);
                }
            }
            Notice::Warning(warning) => {
                let row = ImportRow::of(warning);
                if self.lines.is_some() {
                    self.tell(&Event::Warning(&row));
                } else if self.report.warned_rows.len() < WARNINGS_MAX {
                    self.report.warned_rows.push(row);
                }
            }
            Notice::Preview(line, preview) => {
                if self.lines.is_some() {
                    self.tell(&Event::Change(&Changed::of(*line, preview)));
                } else if self.report.changes.len() < CHANGES_MAX {
                    self.report.changes.push(Changed::of(*line, preview));
                }
            }
            Notice::Answered(line) => self.report.reached_line = *line,
            Notice::Retrying { why, attempt } => {
                tracing::warn!(attempt, "an import tries again: {why}");
            }
        }
    }

    fn tell(&mut self, event: &Event<'_>) {
        if !self.tell_if_room(event) {
            self.report.untold_rows += 1;
        }
    }

    /// An import does not wait for a client that reads slowly.
    fn tell_if_room(&self, event: &Event<'_>) -> bool {
        let Some(lines) = &self.lines else {
            return true;
        };
        lines.try_send(line(event)).is_ok()
    }

    /// The whole report, with the problem that ended the import early.
    pub(super) fn finish(mut self, summary: Summary, problem: Option<Value>) -> ImportReport {
        let notes = self.notes.take().into_iter().take(NOTES_MAX);
        self.report.notes = notes.map(|note| in_names_of_parameters(&note)).collect();
        ImportReport {
            completed: problem.is_none(),
            rows: summary.rows,
            created: summary.created,
            updated: summary.updated,
            unchanged: summary.unchanged,
            rejected: summary.rejected,
            left_out: summary.left_out,
            warnings: summary.warnings,
            seconds: summary.seconds,
            rows_per_second: summary.rows_per_second,
            consistency_token: summary.consistency_token,
            problem,
            ..self.report
        }
    }
}

impl ImportReport {
    /// Whether any row has become a product, or was one already.
    pub(super) fn has_products(&self) -> bool {
        self.created + self.updated + self.unchanged > 0
    }

    /// The last line of an answer in JSON Lines.
    pub(super) fn line(&self) -> Bytes {
        line(&Event::Report(self))
    }
}
