//! Files of rejected rows: their reasons for programs, and the rows themselves to be mended.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use client_kit::feed::{Mistake, Original, REPORT_COLUMNS};
use client_kit::import::Rejection;
use serde::Serialize;
use serde_json::{Map, Value};

const LINE: &str = REPORT_COLUMNS[0];
const ERROR: &str = REPORT_COLUMNS[1];
const ROW: &str = REPORT_COLUMNS[2];

/// A file that is written row by row. The first error is kept until the end.
pub(super) struct Output {
    pub(super) name: String,
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

#[derive(Serialize)]
struct Reason<'r> {
    line: u64,
    id: &'r str,
    field: &'r str,
    reason: &'r str,
}

/// Rejected rows as they stand in the feed.
pub(super) struct Rows {
    pub(super) output: Output,
    /// The columns of the feed, once they are known; a feed of objects has none.
    header: Option<Vec<String>>,
    rows: u64,
}

impl Output {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::create(path).with_context(|| format!("cannot write {name}"))?;
        Ok(Self {
            name,
            file: BufWriter::new(file),
            failed: None,
        })
    }

    /// Writes why a row was rejected.
    pub(super) fn reason(&mut self, Rejection { line, mistake, .. }: &Rejection) {
        let Mistake { id, field, reason } = mistake;
        let row = Reason {
            line: *line,
            id,
            field,
            reason,
        };
        self.json(&row);
    }

    fn json(&mut self, row: &impl Serialize) {
        let text = serde_json::to_string(row).map_err(io::Error::from);
        let written = text.and_then(|text| writeln!(self.file, "{text}"));
        self.failed = self.failed.take().or(written.err());
    }

    fn cells(&mut self, cells: &[&str]) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let record = writer.write_record(cells).map_err(io::Error::from);
        let line = record.and_then(|()| writer.into_inner().map_err(|err| err.into_error()));
        let written = line.and_then(|line| self.file.write_all(&line));
        self.failed = self.failed.take().or(written.err());
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let result = self.failed.take().map_or_else(|| self.file.flush(), Err);
        result.with_context(|| format!("cannot write {}", self.name))
    }
}

impl Rows {
    pub(super) fn create(path: &Path, header: Option<Vec<String>>) -> anyhow::Result<Self> {
        Ok(Self {
            output: Output::create(path)?,
            header,
            rows: 0,
        })
    }

    pub(super) fn add(&mut self, rejection: &Rejection) {
        let line = rejection.line.to_string();
        let Mistake { field, reason, .. } = &rejection.mistake;
        let error = match &**field {
            "" => reason.clone(),
            field => format!("{field}: {reason}"),
        };
        self.rows += 1;
        let Some(header) = &self.header else {
            return self.output.json(&object(rejection, &error));
        };
        if self.rows == 1 {
            let names = header.iter().map(String::as_str).chain(REPORT_COLUMNS);
            self.output.cells(&names.collect::<Vec<_>>());
        }
        let mut row = vec![""; header.len()];
        let mut text = "";
        match &rejection.original {
            Some(Original::Cells(cells)) => {
                for (cell, original) in row.iter_mut().zip(cells) {
                    *cell = original;
                }
            }
            Some(Original::Text(original) | Original::Object(original)) => text = original,
            None => {}
        }
        row.extend([line.as_str(), &error, text]);
        self.output.cells(&row);
    }
}

/// A row of a feed of objects, with what is wrong with it.
fn object(rejection: &Rejection, error: &str) -> Map<String, Value> {
    let mut members = match &rejection.original {
        Some(Original::Object(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(Original::Text(text)) => {
            let text = Value::from(text.as_str());
            Map::from_iter([(ROW.to_owned(), text)])
        }
        Some(Original::Cells(_)) | None => Map::new(),
    };
    members.insert(LINE.to_owned(), Value::from(rejection.line));
    members.insert(ERROR.to_owned(), Value::from(error));
    members
}
