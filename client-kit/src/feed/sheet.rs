//! Spreadsheets: the first row with content is the header, every row below it a product.
//! Invariant: what is read at a time is bounded by the limits on the size of the file and of what is
//! packed in it; the rows of an xlsx are read one after the other.

mod workbook;
mod cell;
mod limits;
mod opendocument;
mod compound;
mod biff;
mod size;
mod format;
mod currencies;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use catalog_events::Currency;

use crate::feed::error::FeedError;
use crate::feed::row::Mistake;
pub(super) use crate::feed::sheet::cell::SheetCell;
use crate::feed::sheet::currencies::Shown;
use crate::feed::sheet::workbook::{Rows, SheetRow, Told};
use crate::feed::source::{Content, Source, Workbook};

/// The name of the threads that read spreadsheets. A panic there is told as an error.
pub const THREAD: &str = "spreadsheet";

/// How many rows are read ahead.
const AHEAD_ROWS_MAX: usize = 64;

/// The rows of a sheet, below its header.
pub(super) struct Table {
    rows: Receiver<Result<SheetRow, String>>,
    name: String,
    columns: Vec<String>,
    currencies: Currencies,
}

/// The currencies that number cells are shown in, once the first row is there.
type Currencies = Arc<Mutex<Shown>>;

/// A row with a cell for each column.
pub(super) struct TableRow {
    pub(super) line: u64,
    pub(super) cells: Result<Vec<SheetCell>, Mistake>,
}

impl Table {
    pub(super) fn new(source: Source) -> Result<Self, FeedError> {
        let name = source.name().to_owned();
        let (notes, chosen) = (source.notes(), source.form().sheet.clone());
        let refused = |reason| FeedError::Refused {
            name: name.clone(),
            reason,
        };
        let (file, kind): (File, Workbook) = match source.into_content() {
            Content::Workbook(file, kind) => (file, kind),
            Content::Text(_) => {
                return Err(refused(
                    "a text and no spreadsheet: --format csv, json or xml reads it".to_owned(),
                ));
            }
        };
        limits::check(&file, kind).map_err(refused)?;
        // The reader of a workbook borrows from it, so both live on a thread of their own. It ends
        // with the receiver.
        let (sender, rows) = sync_channel(AHEAD_ROWS_MAX);
        let currencies = Currencies::default();
        let found = Arc::clone(&currencies);
        let read = move || {
            guarded(&sender, || {
                let told = Told {
                    rows: &sender,
                    notes: &notes,
                    currencies: &found,
                };
                workbook::read(file, kind, chosen.as_deref(), told)
            })
        };
        let thread = Builder::new().name(THREAD.to_owned()).spawn(read);
        thread.map_err(|err| refused(format!("no thread to read it on: {err}")))?;
        let columns = match rows.recv() {
            Ok(Ok(header)) if header.is_cut => {
                return Err(refused(
                    "a header that is longer than a row may be".to_owned(),
                ));
            }
            Ok(Ok(header)) => header_of(header),
            Ok(Err(reason)) => return Err(refused(reason)),
            Err(_) => return Err(refused("a spreadsheet without content".to_owned())),
        };
        Ok(Self {
            rows,
            name,
            columns,
            currencies,
        })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The currencies that the number cells of a column are shown in.
    pub(super) fn currencies(&self, column: usize) -> Vec<Currency> {
        let shown = self.currencies.lock();
        let shown = shown.unwrap_or_else(PoisonError::into_inner);
        shown.get(&column).cloned().unwrap_or_default()
    }
}

/// Says so where reading breaks off: a sheet must not seem to end there.
fn guarded(rows: &Rows, read: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(read)).is_err() {
        // The receiver is gone where nobody reads on.
        let _ = rows.send(Err(workbook::damaged("it is damaged")));
    }
}

fn header_of(row: SheetRow) -> Vec<String> {
    let width = row.cells.last().map_or(0, |(column, _)| column + 1);
    let mut columns = vec![String::new(); width];
    for (column, cell) in row.cells {
        cell.text.trim().clone_into(&mut columns[column]);
    }
    columns
}

impl Iterator for Table {
    type Item = Result<TableRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.rows.recv().ok()? {
            Ok(row) => row,
            Err(reason) => {
                let name = self.name.clone();
                return Some(Err(FeedError::Refused { name, reason }));
            }
        };
        let cells = if row.is_cut {
            Err(Mistake::too_long())
        } else {
            let mut cells = vec![SheetCell::default(); self.columns.len()];
            for (column, cell) in row.cells {
                if let Some(place) = cells.get_mut(column) {
                    *place = cell;
                }
            }
            Ok(cells)
        };
        Some(Ok(TableRow {
            line: row.line,
            cells,
        }))
    }
}
