//! Reads the cells of a workbook and gathers them into rows.

use std::fmt::Display;
use std::fs::File;
use std::io::BufReader;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use calamine::{
    Cell, CellErrorType, Data, DataRef, Ods, Range, Reader, SheetType, SheetVisible, Xls, Xlsb,
    Xlsx,
};

use crate::feed::row::ROW_BYTES_MAX;
use crate::feed::sheet::cell::{self, SheetCell};
use crate::feed::sheet::currencies::{self, Shown};
use crate::feed::source::{Notes, Workbook};

const SHEETS_SHOWN_MAX: usize = 20;
/// The most columns of a sheet, as Excel has them.
const COLUMNS_MAX: usize = 16_384;

/// A row with content: its number, and its cells with the indices of their columns, in order.
pub(super) struct SheetRow {
    pub(super) line: u64,
    pub(super) cells: Vec<(usize, SheetCell)>,
    /// Whether it is longer than a row may be. The cells are some of them.
    pub(super) is_cut: bool,
}

pub(super) type Rows = SyncSender<Result<SheetRow, String>>;
type Stored = BufReader<File>;

/// Where is told what a workbook has.
#[derive(Clone, Copy)]
pub(super) struct Told<'t> {
    pub(super) rows: &'t Rows,
    pub(super) notes: &'t Notes,
    pub(super) currencies: &'t Mutex<Shown>,
}

/// Sends the rows of a sheet, or why there are none.
pub(super) fn read(file: File, kind: Workbook, chosen: Option<&str>, told: Told<'_>) {
    let Told {
        rows,
        notes,
        currencies,
    } = told;
    let again = file.try_clone().map_err(damaged);
    let result = Book::open(file, kind).and_then(|mut book| {
        let name = choose(&mut book, chosen, notes)?;
        *currencies.lock().unwrap_or_else(PoisonError::into_inner) =
            currencies::shown(&again?, kind, &name);
        let mut gather = Gather {
            rows,
            notes,
            row: None,
            bytes: 0,
            has_errors: false,
            is_wide: false,
        };
        book.cells(&name, &mut |row, column, cell| {
            gather.add(row, column, cell)
        })?;
        if gather.is_wide {
            return Err(damaged(format!("a cell is right of column {COLUMNS_MAX}")));
        }
        gather.finish();
        Ok(())
    });
    if let Err(reason) = result {
        // The receiver is gone where nobody reads on.
        let _ = rows.send(Err(reason));
    }
}

/// The cells of one row after the other.
struct Gather<'r> {
    rows: &'r Rows,
    notes: &'r Notes,
    row: Option<SheetRow>,
    /// The memory that the row takes.
    bytes: usize,
    has_errors: bool,
    /// Whether a cell is where no sheet has one.
    is_wide: bool,
}

impl Gather<'_> {
    /// Adds a cell; false where nobody reads on.
    fn add(&mut self, line: u64, column: usize, cell: Result<SheetCell, CellErrorType>) -> bool {
        let cell = cell.unwrap_or_else(|error| {
            if !self.has_errors {
                self.has_errors = true;
                self.notes.add(format!(
                    "cells with an error such as {error} in row {line} are read as empty"
                ));
            }
            SheetCell::default()
        });
        if cell.text.is_empty() {
            return true;
        }
        if column >= COLUMNS_MAX {
            self.is_wide = true;
            return false;
        }
        if self.row.as_ref().is_some_and(|row| row.line != line) && !self.finish() {
            return false;
        }
        let row = self.row.get_or_insert_with(|| SheetRow {
            line,
            cells: Vec::new(),
            is_cut: false,
        });
        self.bytes += cell.text.len();
        row.is_cut |= self.bytes > ROW_BYTES_MAX || row.cells.len() > COLUMNS_MAX;
        if !row.is_cut {
            row.cells.push((column, cell));
        }
        true
    }

    fn finish(&mut self) -> bool {
        self.bytes = 0;
        self.row.take().is_none_or(|mut row| {
            row.cells.sort_by_key(|(column, _)| *column);
            self.rows.send(Ok(row)).is_ok()
        })
    }
}

/// Takes a cell by its row, from 1, and its column, from 0; false ends the reading.
type Sink<'s> = &'s mut dyn FnMut(u64, usize, Result<SheetCell, CellErrorType>) -> bool;

enum Book {
    Xlsx(Box<Xlsx<Stored>>),
    Xlsb(Box<Xlsb<Stored>>),
    Xls(Box<Xls<Stored>>),
    Ods(Box<Ods<Stored>>),
}

impl Book {
    fn open(file: File, kind: Workbook) -> Result<Self, String> {
        let file = BufReader::new(file);
        Ok(match kind {
            Workbook::Xlsx => Self::Xlsx(Box::new(Xlsx::new(file).map_err(damaged)?)),
            Workbook::Xlsb => Self::Xlsb(Box::new(Xlsb::new(file).map_err(damaged)?)),
            Workbook::Xls => Self::Xls(Box::new(Xls::new(file).map_err(damaged)?)),
            Workbook::Ods => Self::Ods(Box::new(Ods::new(file).map_err(damaged)?)),
        })
    }

    /// The visible sheets with cells, in order.
    fn sheets(&self) -> Vec<String> {
        let sheets = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xlsb(book) => book.sheets_metadata(),
            Self::Xls(book) => book.sheets_metadata(),
            Self::Ods(book) => book.sheets_metadata(),
        };
        let is_table = |sheet: &&calamine::Sheet| {
            sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
        };
        sheets
            .iter()
            .filter(is_table)
            .map(|sheet| sheet.name.clone())
            .collect()
    }

    fn cells(&mut self, name: &str, sink: Sink<'_>) -> Result<(), String> {
        match self {
            Self::Xlsx(book) => {
                let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
                each(|| cells.next_cell(), sink)
            }
            Self::Xlsb(book) => {
                let mut cells = book.worksheet_cells_reader(name).map_err(damaged)?;
                each(|| cells.next_cell(), sink)
            }
            Self::Xls(book) => {
                all_of(&book.worksheet_range(name).map_err(damaged)?, sink);
                Ok(())
            }
            Self::Ods(book) => {
                all_of(&book.worksheet_range(name).map_err(damaged)?, sink);
                Ok(())
            }
        }
    }

    fn is_empty(&mut self, name: &str) -> Result<bool, String> {
        let mut is_empty = true;
        self.cells(name, &mut |_, _, cell| {
            is_empty = cell.is_ok_and(|cell| cell.text.is_empty());
            is_empty
        })?;
        Ok(is_empty)
    }
}

/// Hands over cells that are read one after the other.
fn each<'b, E: Display>(
    mut next: impl FnMut() -> Result<Option<Cell<DataRef<'b>>>, E>,
    sink: Sink<'_>,
) -> Result<(), String> {
    while let Some(cell) = next().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let line = u64::from(row) + 1;
        if !sink(line, column as usize, cell::read(cell.get_value())) {
            break;
        }
    }
    Ok(())
}

fn all_of(range: &Range<Data>, sink: Sink<'_>) {
    let (row, column) = range.start().unwrap_or_default();
    for (cell_row, cell_column, value) in range.used_cells() {
        let line = u64::from(row) + cell_row as u64 + 1;
        if !sink(line, column as usize + cell_column, cell::read_owned(value)) {
            break;
        }
    }
}

/// The sheet that is named, by its name or number, else the first with content.
fn choose(book: &mut Book, chosen: Option<&str>, notes: &Notes) -> Result<String, String> {
    let sheets = book.sheets();
    if let Some(chosen) = chosen {
        let number = chosen
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let by_number = number.and_then(|index| sheets.get(index));
        let by_name = sheets.iter().find(|name| *name == chosen);
        return by_name.or(by_number).cloned().ok_or_else(|| {
            format!(
                "there is no sheet {chosen:?}: --sheet takes a name or a number of {}",
                list(&sheets)
            )
        });
    }
    let mut filled = Vec::new();
    for name in sheets {
        if !book.is_empty(&name)? {
            filled.push(name);
        }
    }
    let first = filled.first().cloned();
    if let (Some(first), true) = (&first, filled.len() > 1) {
        notes.add(format!(
            "products are read from the sheet {first}: --sheet NAME reads another of {}",
            list(&filled)
        ));
    }
    first.ok_or_else(|| "a spreadsheet without content".to_owned())
}

fn list(names: &[String]) -> String {
    let shown = names.iter().take(SHEETS_SHOWN_MAX).cloned();
    shown.collect::<Vec<_>>().join(", ")
}

pub(super) fn damaged(err: impl Display) -> String {
    format!("the spreadsheet cannot be read: {err}; save it anew, or as CSV")
}
