//! Spreadsheets: the first row with content behind those to skip is the header, every row below it a product.
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
mod other;

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use catalog_events::Currency;

use crate::feed::columns::header_at;
use crate::feed::error::FeedError;
use crate::feed::row::Mistake;
pub(super) use crate::feed::sheet::cell::SheetCell;
use crate::feed::sheet::currencies::Shown;
use crate::feed::sheet::workbook::{Rows, SheetRow, Told};
use crate::feed::source::{Content, Source, Workbook};
use crate::feed::values;

/// The name of the threads that read spreadsheets. A panic there is told as an error.
pub const THREAD: &str = "spreadsheet";

/// How many rows are read ahead.
const AHEAD_ROWS_MAX: usize = 64;

/// How many rows are looked through for a header.
const LOOK_ROWS_MAX: usize = 20;

/// The rows of a sheet, below its header.
pub(super) struct Table {
    rows: Receiver<Result<SheetRow, String>>,
    /// Rows that were looked at and are read next.
    ahead: VecDeque<Result<SheetRow, String>>,
    name: String,
    /// The number of the header's row.
    line: u64,
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
    /// Opens a sheet whose header is behind so many rows.
    pub(super) fn new(source: Source, skip: u64) -> Result<Self, FeedError> {
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
        let mut table = Self {
            rows,
            ahead: VecDeque::new(),
            name: name.clone(),
            line: 0,
            columns: Vec::new(),
            currencies,
        };
        table.find_header(skip).map_err(refused)?;
        Ok(table)
    }

    /// Reads up to the first row with content behind so many rows.
    fn find_header(&mut self, skip: u64) -> Result<(), String> {
        loop {
            match self.advance() {
                Some(Ok(row)) if row.line <= skip => {}
                Some(Ok(header)) if header.is_cut => {
                    return Err("a header that is longer than a row may be".to_owned());
                }
                Some(Ok(header)) => {
                    self.line = header.line;
                    self.columns = texts_of(&header);
                    return Ok(());
                }
                Some(Err(reason)) => return Err(reason),
                None if skip > 0 => {
                    return Err(format!(
                        "a spreadsheet without content behind {skip} rows: --skip fewer"
                    ));
                }
                None => return Err("a spreadsheet without content".to_owned()),
            }
        }
    }

    /// The number of a row below that looks like the header instead. All rows are read all the same.
    pub(super) fn header_below(&mut self, id: &str) -> Option<u64> {
        while self.ahead.len() + 1 < LOOK_ROWS_MAX {
            match self.rows.recv() {
                Ok(row) => self.ahead.push_back(row),
                Err(_) => break,
            }
        }
        let below = self.ahead.iter().map_while(|row| row.as_ref().ok());
        let (mut lines, mut texts) = (vec![self.line], vec![self.columns.clone()]);
        for row in below {
            lines.push(row.line);
            texts.push(texts_of(row));
        }
        let place = header_at(&texts, id).filter(|place| *place > 0)?;
        lines.get(place).copied()
    }

    /// Takes the row with this number for the header.
    pub(super) fn skip_to(&mut self, line: u64) -> Result<(), FeedError> {
        let skipped = self.find_header(line - 1);
        skipped.map_err(|reason| FeedError::Refused {
            name: self.name.clone(),
            reason,
        })
    }

    fn advance(&mut self) -> Option<Result<SheetRow, String>> {
        match self.ahead.pop_front() {
            Some(row) => Some(row),
            None => self.rows.recv().ok(),
        }
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

fn texts_of(row: &SheetRow) -> Vec<String> {
    let width = row.cells.last().map_or(0, |(column, _)| column + 1);
    let mut columns = vec![String::new(); width];
    for (column, cell) in &row.cells {
        cell.text.trim().clone_into(&mut columns[*column]);
    }
    columns
}

/// Names the sheet whose header fits, among the others of a workbook. `open` opens it by the name of a sheet.
pub(super) fn fitting_sheet(
    open: impl Fn(Option<&str>) -> Option<Source>,
    skip: u64,
    fits: impl Fn(&[String]) -> bool,
) -> Option<String> {
    let names = other::names_in(open(None)?);
    let has_it = |name: &&String| {
        let table = open(Some(name)).and_then(|source| Table::new(source, skip).ok());
        table.is_some_and(|table| fits(&table.columns))
    };
    let found = names.iter().find(has_it)?;
    let word = values::shell_word(found);
    Some(format!(
        "the sheet {found:?} has it: --sheet {word} reads it (there are {})",
        values::listed(&names)
    ))
}

impl Iterator for Table {
    type Item = Result<TableRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.advance()? {
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
