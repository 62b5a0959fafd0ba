//! Product feeds as rows, from a file, a pipe or a URL: JSON, CSV, XML and spreadsheets, plain or packed,
//! in any encoding.
//! Invariant: memory is bounded by one row of at most [`ROW_BYTES_MAX`], however long the feed is,
//! and a row that cannot be read does not end the feed.

mod row;
mod error;
mod source;
mod form;
mod values;
mod mapping;
mod draft;
mod json;
mod csv;
mod xml;
mod sheet;

pub use crate::feed::error::FeedError;
pub use crate::feed::form::{Encoding, FormArgs, Format, Preset};
pub use crate::feed::mapping::{Field, Mapping, MappingArgs};
pub use crate::feed::row::{Mistake, ROW_BYTES_MAX, Row, Rows};
pub use crate::feed::source::{Notes, Progress, Source};

use crate::feed::form::Kind;
use crate::feed::row::RawRow;
use crate::feed::sheet::{Table, TableRow};

/// Reads the rows of a feed, in order; an error is the last item. Without a format, the content and
/// the file name decide.
pub fn rows(
    source: Source,
    format: Option<Format>,
    mut mapping: Mapping,
) -> Result<Rows, FeedError> {
    let progress = source.progress();
    let format = format.or(source.form().format);
    let kind = form::kind(
        format,
        source.is_workbook(),
        source.file_names(),
        source.peeked(),
    );
    if let Some(preset) = source.form().preset {
        preset.map_columns(&mut mapping);
    }
    Ok(match kind {
        Kind::Json => {
            let objects = json::objects(source, format, &mapping);
            until_error(
                objects.map(move |row| Ok(product(row?, &mapping))),
                progress,
            )
        }
        Kind::Xml => {
            let objects = xml::Objects::new(source, &mapping)?;
            until_error(
                objects.map(move |row| Ok(product(row?, &mapping))),
                progress,
            )
        }
        Kind::Csv => until_error(csv::Records::new(source, mapping)?, progress),
        Kind::Sheet => {
            let table = Table::new(source)?.check(&mapping)?;
            let columns = table.columns().to_vec();
            let rows = table.map(move |row| Ok(table_product(row?, &columns, &mapping)));
            until_error(rows, progress)
        }
    })
}

fn product(row: RawRow, mapping: &Mapping) -> Row {
    Row {
        line: row.line,
        parsed: row
            .columns
            .and_then(|columns| draft::from_json(columns, mapping)),
    }
}

fn table_product(row: TableRow, columns: &[String], mapping: &Mapping) -> Row {
    let parsed = row.cells.and_then(|cells| {
        let named = columns.iter().zip(&cells);
        let named: Vec<_> = named
            .map(|(name, cell)| (name.as_str(), cell.as_str()))
            .collect();
        draft::from_cells(&named, mapping)
    });
    Row {
        line: row.line,
        parsed,
    }
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
