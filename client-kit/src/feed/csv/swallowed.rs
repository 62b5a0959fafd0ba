//! Rows that a quote has taken in: one that nobody closes ends at the next quote, which may stand lines later
//! in another row, and then breaks no rule.

use crate::feed::columns::Columns;
use crate::feed::csv::cells::{Cells, Progress};
use crate::feed::csv::lines::Line;
use crate::feed::mapping::Field;

/// What a line of a table looks like that is a row by itself.
#[derive(Debug)]
pub(super) struct RowShape {
    columns: usize,
    id: Option<usize>,
    price: Option<usize>,
}

impl RowShape {
    /// The rows of a table with these columns.
    pub(super) fn of(columns: &Columns) -> Self {
        Self {
            columns: columns.names().len(),
            id: columns.place(Field::Id),
            price: columns.place(Field::Price),
        }
    }

    /// Rows of so many cells, of which nothing else is known.
    pub(super) fn of_cells(columns: usize) -> Self {
        Self {
            columns,
            id: None,
            price: None,
        }
    }

    /// How many of the lines behind the first one of a record look like rows. None do where the first one is no
    /// row without its quote: a text of several lines ends before the cells behind it.
    pub(super) fn count(&self, lines: &[Line], separator: &[u8]) -> usize {
        let Some((first, taken_in)) = lines.split_first().filter(|(_, rest)| !rest.is_empty())
        else {
            return 0;
        };
        if !self.fits(&first.text, separator) {
            return 0;
        }
        let rows = taken_in
            .iter()
            .filter(|line| self.fits(&line.text, separator));
        rows.count()
    }

    /// A row has a cell for each column, one word for an id, and digits in its price where there is any.
    fn fits(&self, line: &[u8], separator: &[u8]) -> bool {
        let mut cells = Cells::default();
        match cells.add(line, separator) {
            Progress::Complete => {}
            Progress::Open => cells.end_at_separators(separator),
            Progress::Broken(_) => return false,
        }
        cells.trim(self.columns);
        let cell = |place: Option<usize>| Some(cells.cells.get(place?)?.trim_ascii());
        let is_word = |text: &[u8]| !text.is_empty() && !text.contains(&b' ');
        let is_price = |text: &[u8]| text.is_empty() || text.iter().any(u8::is_ascii_digit);
        cells.cells.len() == self.columns
            && cell(self.id).is_none_or(is_word)
            && cell(self.price).is_none_or(is_price)
    }
}

/// The place of the first cell with a line break in its text, of those that pass.
pub(super) fn broken_cell(cells: &[Vec<u8>], passes: impl Fn(usize) -> bool) -> Option<usize> {
    let mut cells = cells.iter().enumerate();
    let found = cells.find(|(place, cell)| {
        let text = cell.trim_ascii();
        let has_break = text.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        has_break && passes(*place)
    });
    found.map(|(place, _)| place)
}
