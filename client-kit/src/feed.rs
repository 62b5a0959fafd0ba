//! Product feeds as rows, from a file, a pipe or a URL: JSON, CSV, XML and spreadsheets, plain or packed,
//! in any encoding.
//! Invariant: memory is bounded by one row of at most [`ROW_BYTES_MAX`], however long the feed is,
//! and a row that cannot be read does not end the feed.

mod row;
mod error;
mod source;
mod form;
mod values;
mod prices;
mod survey;
mod mapping;
mod columns;
mod draft;
mod exact;
mod json;
mod bounded_line;
mod csv;
mod xml;
mod sheet;

pub use crate::feed::error::FeedError;
pub(crate) use crate::feed::exact::{CellKind, TypedColumn, escaped, json_of};
pub use crate::feed::form::{Encoding, FormArgs, Format, Preset};
pub use crate::feed::mapping::{Field, Mapping, MappingArgs};
pub use crate::feed::row::{Mistake, Original, ROW_BYTES_MAX, Row, Rows};
pub use crate::feed::source::{Notes, Progress, Source};
pub use crate::feed::values::REPORT_COLUMNS;

use crate::feed::columns::Columns;
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
    match (source.form().preset, kind) {
        (Some(Preset::Shopify), Kind::Json | Kind::Xml) => {
            return Err(FeedError::Mapping(
                "the preset shopify reads the table that Shopify exports, a CSV or a spreadsheet"
                    .to_owned(),
            ));
        }
        (preset, _) => preset
            .into_iter()
            .for_each(|one| one.map_columns(&mut mapping)),
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
            let (notes, preset) = (source.notes(), source.form().preset);
            let mut table = Table::new(source)?;
            let columns = Columns::new(table.columns().to_vec(), mapping, preset, &notes);
            let mut columns = columns.map_err(FeedError::Mapping)?;
            progress.tell_header(columns.names());
            let rows = std::iter::from_fn(move || {
                let row = table.next();
                if row.is_none() {
                    columns.end();
                }
                row.map(|row| Ok(cells(row?, &mut columns)))
            });
            until_error(rows, progress)
        }
    })
}

fn product(row: RawRow, mapping: &Mapping) -> Row {
    match row.columns {
        Ok(columns) => draft::from_json(row.line, columns, mapping),
        Err(mistake) => Row::rejected(row.line, mistake),
    }
}

fn cells(row: TableRow, columns: &mut Columns) -> Row {
    match row.cells {
        Ok(cells) => {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            columns.row(row.line, &cells)
        }
        Err(mistake) => Row::rejected(row.line, mistake),
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
