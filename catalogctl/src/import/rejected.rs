//! Files of rejected rows: their reasons for programs, and the rows themselves to be mended.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use client_kit::feed::{Mistake, Original};
use client_kit::import::Rejection;
use serde::Serialize;
use serde_json::{Map, Value};

/// The columns that the report adds. An import leaves them out, so that it reads the report again.
const ADDED: [&str; 3] = ["import_line", "import_error", "import_row"];

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
        let quoted = cells.iter().map(|cell| quoted(cell));
        let line = quoted.collect::<Vec<_>>().join(",");
        let written = writeln!(self.file, "{line}");
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
            let names = header.iter().map(String::as_str).chain(ADDED);
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
            Map::from_iter([("import_row".to_owned(), text)])
        }
        Some(Original::Cells(_)) | None => Map::new(),
    };
    members.insert("import_line".to_owned(), Value::from(rejection.line));
    members.insert("import_error".to_owned(), Value::from(error));
    members
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r', ';', '\t']) || cell.trim() != cell {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
