//! Product feeds as rows, from a file, a pipe or a URL: JSON, CSV, XML and spreadsheets, plain or packed,
//! in any encoding.
//! Invariant: memory is bounded by one row of at most [`ROW_BYTES_MAX`] and by what rows of a product share,
//! however long the feed is, and a row that cannot be read does not end the feed.

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

pub(crate) use crate::feed::columns::{Taken, role};
pub(crate) use crate::feed::draft::Role;
pub use crate::feed::error::FeedError;
pub(crate) use crate::feed::exact::{CellKind, TypedColumn, escaped, json_of};
pub(crate) use crate::feed::form::Kind;
pub use crate::feed::form::{Encoding, FormArgs, Format, Preset};
pub use crate::feed::mapping::{Field, Mapping, MappingArgs};
pub use crate::feed::prices::telling_of_currencies;
pub(crate) use crate::feed::prices::{
    DecimalSign, currency_named, currency_of, is_price, shown_sign,
};
pub use crate::feed::row::{Mistake, Original, ROW_BYTES_MAX, Row, Rows};
pub use crate::feed::sheet::THREAD as SPREADSHEET_THREAD;
pub use crate::feed::source::{Notes, Progress, Source};
pub use crate::feed::values::REPORT_COLUMNS;
pub(crate) use crate::feed::values::{
    attribute_name, flag, gtin_digits, image_address, is_plain_number, shell_word,
};

use crate::feed::columns::{Columns, Unseen};
use crate::feed::csv::lines_before_header;
use crate::feed::error::with_hint;
use crate::feed::row::{Cell, RawRow, Unread};
use crate::feed::sheet::{SheetCell, Table, TableRow, fitting_sheet};

/// A feed whose rows can be read, and what is known of it by then.
pub(crate) struct Opened {
    pub(crate) rows: Rows,
    pub(crate) kind: Kind,
    /// What separates the cells of a CSV.
    pub(crate) separator: Option<String>,
    /// The columns of a table, with what each is for.
    pub(crate) columns: Option<Vec<(String, Role)>>,
    /// The mapping with what a preset adds to it.
    pub(crate) mapping: Mapping,
}

/// Reads the rows of a feed, in order; an error is the last item. Without a format, the content and
/// the file name decide.
pub fn rows(source: Source, format: Option<Format>, mapping: Mapping) -> Result<Rows, FeedError> {
    let opened = open(source, format, mapping).map_err(FeedError::shortened)?;
    Ok(opened.rows)
}

/// Opens a feed to look at it: the header of a table may lack what an import needs.
pub(crate) fn probe(
    source: Source,
    format: Option<Format>,
    mapping: Mapping,
) -> Result<Opened, FeedError> {
    let mapping = mapping.for_a_look().keeping_originals();
    open(source, format, mapping).map_err(FeedError::shortened)
}

fn open(source: Source, format: Option<Format>, mut mapping: Mapping) -> Result<Opened, FeedError> {
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
        // The header of a table tells which columns there are to map.
        (Some(Preset::Google), Kind::Csv | Kind::Sheet) => {}
        (preset, _) => preset
            .into_iter()
            .for_each(|one| one.map_columns(&mut mapping)),
    }
    if kind == Kind::Csv && !mapping.checks_header && mapping.skip == 0 {
        let (delimiter, id) = (mapping.delimiter.as_deref(), mapping.source(Field::Id));
        mapping.skip = lines_before_header(source.peeked(), delimiter, id);
    }
    let known = mapping.clone();
    let opened = |rows, table: Option<&Columns>, separator| Opened {
        rows,
        kind,
        separator,
        columns: table.map(Columns::roles),
        mapping: table.map_or(known, |columns| columns.mapping().clone()),
    };
    Ok(match kind {
        Kind::Json => {
            let notes = source.notes();
            let objects = json::objects(source, format, &mapping);
            let rows = products(objects, mapping, notes);
            opened(until_error(rows, progress), None, None)
        }
        Kind::Xml => {
            let notes = source.notes();
            let objects = xml::Objects::new(source, &mapping)?;
            let rows = products(objects, mapping, notes);
            opened(until_error(rows, progress), None, None)
        }
        Kind::Csv => {
            let records = csv::Records::new(source, mapping)?;
            let separator = String::from_utf8_lossy(records.separator()).into_owned();
            let look = opened(
                Box::new(std::iter::empty()),
                Some(records.columns()),
                Some(separator),
            );
            Opened {
                rows: until_error(records, progress),
                ..look
            }
        }
        Kind::Sheet => {
            let (mut table, mut columns) = sheet(source, mapping)?;
            progress.tell_header(columns.names());
            let look = opened(Box::new(std::iter::empty()), Some(&columns), None);
            let rows = std::iter::from_fn(move || {
                let row = table.next();
                if row.is_none() {
                    columns.end();
                }
                row.map(|row| Ok(cells(row?, &mut columns)))
            });
            Opened {
                rows: until_error(rows, progress),
                ..look
            }
        }
    })
}

/// Opens a sheet and settles its columns.
fn sheet(source: Source, mut mapping: Mapping) -> Result<(Table, Columns), FeedError> {
    let (notes, preset) = (source.notes(), source.form().preset);
    let sheets = source.sheets();
    let mut table = Table::new(source, mapping.skip)?;
    let id = mapping.source(Field::Id).to_owned();
    if !mapping.checks_header
        && mapping.skip == 0
        && let Some(line) = table.header_below(&id)
    {
        table.skip_to(line)?;
        mapping.skip = line - 1;
    }
    let settle = |names: &[String], notes: &Notes| {
        Columns::new(names.to_vec(), mapping.clone(), preset, notes)
    };
    let mut columns = settle(table.columns(), &notes).map_err(|reason| {
        let below = table.header_below(&id).map(|line| {
            let before = line - 1;
            format!("row {line} looks like the header: --skip {before} skips what is before it")
        });
        let fits = |names: &[String]| settle(names, &Notes::default()).is_ok();
        let hint = below.or_else(|| fitting_sheet(sheets, mapping.skip, fits));
        FeedError::Mapping(with_hint(reason, hint))
    })?;
    let shown = |column| table.currencies(column);
    let settled = columns.settle_currency(shown, &notes);
    settled.map_err(FeedError::Mapping)?;
    Ok((table, columns))
}

/// Makes products of objects. What options name and no object has is told at the end.
fn products(
    mut objects: impl Iterator<Item = Result<RawRow, FeedError>>,
    mapping: Mapping,
    notes: Notes,
) -> impl Iterator<Item = Result<Row, FeedError>> {
    let mut unseen = Unseen::of(&mapping);
    std::iter::from_fn(move || match objects.next() {
        Some(row) => Some(row.map(|row| {
            if let Ok(columns) = &row.columns {
                unseen.look(columns);
            }
            product(row, &mapping)
        })),
        None => {
            unseen.take().into_iter().for_each(|note| notes.add(note));
            None
        }
    })
}

fn product(row: RawRow, mapping: &Mapping) -> Row {
    match row.columns {
        Ok(columns) => draft::from_json(row.line, columns, mapping),
        Err(Unread { mistake, text }) => {
            let is_kept = mapping.keeps_originals && !text.is_empty();
            Row {
                original: is_kept.then_some(Original::Text(text)),
                ..Row::rejected(row.line, mistake)
            }
        }
    }
}

fn cells(row: TableRow, columns: &mut Columns) -> Row {
    match row.cells {
        Ok(cells) => {
            let cells: Vec<Cell<'_>> = cells.iter().map(SheetCell::borrowed).collect();
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
        let row = row.map(Row::shortened).map_err(FeedError::shortened);
        (!before).then_some(row)
    });
    Box::new(rows.fuse())
}

#[cfg(test)]
pub(crate) mod tests;
