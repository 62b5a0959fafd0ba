//! Product feeds as rows: JSON Lines, JSON arrays and CSV, plain or gzipped, from a file or a pipe.
//! Invariant: memory is bounded by one row of at most [`ROW_BYTES_MAX`], however long the feed is,
//! and a row that cannot be read does not end the feed.

mod source;
mod json;
mod csv;
mod mapping;
mod draft;
mod values;

use std::io;

use catalog_proto::v1::ProductInput;

pub use crate::feed::mapping::{Field, Mapping, MappingArgs};
pub use crate::feed::source::{Progress, Source};

/// Longer rows are refused; a feed with an unclosed quote would otherwise fill the memory.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// One product of a feed, or why it is none.
#[derive(Debug)]
pub struct Row {
    /// Where the row starts, from 1.
    pub line: u64,
    pub parsed: Result<ProductInput, Mistake>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Empty when it is not known.
    pub id: String,
    /// A field of the product; empty when it is the row as a whole.
    pub field: String,
    pub reason: String,
}

impl Mistake {
    fn row(reason: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            field: String::new(),
            reason: reason.into(),
        }
    }

    fn too_long() -> Self {
        Self::row(format!("the row is longer than {ROW_BYTES_MAX} bytes"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Jsonl,
    /// One JSON array of objects
    Json,
    /// Comma, semicolon or tab separated, with a header row
    Csv,
}

/// Why a feed cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("cannot open {name}")]
    Open {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot read on after line {line}")]
    Read {
        line: u64,
        #[source]
        source: io::Error,
    },
    #[error("{name} is {form}: {cure}")]
    UnknownForm {
        name: String,
        form: &'static str,
        cure: &'static str,
    },
    #[error("line {line}: {reason}")]
    Syntax { line: u64, reason: String },
    #[error("{0}")]
    Mapping(String),
}

pub type Rows = Box<dyn Iterator<Item = Result<Row, FeedError>> + Send>;

/// The rows of a feed, in order; an error is the last item. Without a format, the extension of the
/// file name decides, and where that is silent the first character.
pub fn rows(source: Source, format: Option<Format>, mapping: Mapping) -> Result<Rows, FeedError> {
    let progress = source.progress();
    Ok(match format.unwrap_or_else(|| source.format()) {
        Format::Jsonl => until_error(json::Lines::new(source.into_reader(), mapping), progress),
        Format::Json => until_error(json::Array::new(source.into_reader(), mapping), progress),
        Format::Csv => until_error(csv::Records::new(source, mapping)?, progress),
    })
}

fn until_error(
    rows: impl Iterator<Item = Result<Row, FeedError>> + Send + 'static,
    progress: Progress,
) -> Rows {
    let rows = rows.scan(false, move |failed, row| {
        progress.count_row();
        let before = std::mem::replace(failed, row.is_err());
        (!before).then_some(row)
    });
    Box::new(rows.fuse())
}

#[cfg(test)]
mod tests;
