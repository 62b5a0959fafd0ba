//! Product feeds as rows: JSON Lines, JSON arrays and CSV, plain or gzipped, from a file or a pipe.
//! Invariant: memory is bounded by one row of at most [`ROW_BYTES_MAX`], however long the feed is,
//! and a row that cannot be read does not end the feed.

mod row;
mod error;
mod source;
mod values;
mod prices;
mod survey;
mod mapping;
mod columns;
mod draft;
mod exact;
mod json;
mod csv;

pub use crate::feed::error::FeedError;
pub(crate) use crate::feed::exact::{CellKind, TypedColumn, escaped, json_of};
pub use crate::feed::mapping::{Field, Mapping, MappingArgs};
pub use crate::feed::row::{Mistake, Original, ROW_BYTES_MAX, Row, Rows};
pub use crate::feed::source::{Format, Notes, Progress, Source};

/// Reads the rows of a feed, in order; an error is the last item. Without a format, the extension
/// of the file name decides, else the first character of the text.
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
