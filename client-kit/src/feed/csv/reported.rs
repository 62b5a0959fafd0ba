//! Rows that an earlier import could not take apart and reported as a text. Once the text is mended it is a row
//! of the feed that it comes from.

use crate::feed::csv::cells::{Cells, Progress};
use crate::feed::values::REPORT_COLUMNS;

/// What may have separated the cells of that feed, besides what separates those of the report.
const SEPARATORS: [&[u8]; 4] = [b",", b";", b"\t", b"|"];

/// Where a report has the texts of rows, and where the columns of the feed.
pub(super) struct Reported {
    text: usize,
    columns: Vec<usize>,
}

impl Reported {
    /// The places in a header; none where it is no report's.
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let [_, _, row] = REPORT_COLUMNS;
        let is_of_feed = |name: &str| !REPORT_COLUMNS.contains(&name);
        let places = names.iter().enumerate();
        let columns = places.filter(|(_, name)| is_of_feed(name));
        Some(Self {
            text: names.iter().position(|name| name == row)?,
            columns: columns.map(|(place, _)| place).collect(),
        })
    }

    /// The cells of a row that has nothing but its text, one for each column of the report; none for a row with
    /// cells. The error tells what is still wrong with the text.
    pub(super) fn cells(
        &self,
        cells: &[&str],
        separator: &[u8],
    ) -> Option<Result<Vec<String>, String>> {
        let text = cells.get(self.text)?.trim();
        let is_empty = |place: &usize| cells.get(*place).is_none_or(|cell| cell.trim().is_empty());
        if text.is_empty() || !self.columns.iter().all(is_empty) {
            return None;
        }
        let separators = std::iter::once(separator).chain(SEPARATORS);
        let mut cuts = separators.map(|separator| cut(text, separator));
        let is_whole = |cut: &Vec<String>| cut.len() == self.columns.len();
        let found = cuts.find_map(|cut| cut.ok().filter(is_whole));
        let Some(found) = found else {
            return Some(Err(self.flaw(text, separator)));
        };
        let mut row = vec![String::new(); cells.len()];
        for (place, cell) in self.columns.iter().zip(found) {
            row[*place] = cell;
        }
        Some(Ok(row))
    }

    fn flaw(&self, text: &str, separator: &[u8]) -> String {
        let separators = std::iter::once(separator).chain(SEPARATORS);
        let mut cuts = separators.map(|separator| cut(text, separator));
        match cuts.find_map(Result::err) {
            Some(reason) => format!("import_row: {reason}"),
            None => format!(
                "import_row is no row of the {} columns: mend it, or write its values into them",
                self.columns.len()
            ),
        }
    }
}

/// Cuts a text into its cells. The error is what is wrong with its quotes.
fn cut(text: &str, separator: &[u8]) -> Result<Vec<String>, String> {
    let mut cells = Cells::default();
    let mut ended = false;
    for line in text.split_inclusive('\n') {
        if ended {
            return Err("has another row behind the first".to_owned());
        }
        match cells.add(line.as_bytes(), separator) {
            Progress::Open => {}
            Progress::Complete => ended = true,
            Progress::Broken(reason) => {
                return Err(format!(
                    "the quote of value {} {reason}",
                    cells.column() + 1
                ));
            }
        }
    }
    if !ended {
        return Err(format!(
            "the quote of value {} is never closed",
            cells.column() + 1
        ));
    }
    let cells = cells.cells.iter();
    Ok(cells
        .map(|cell| String::from_utf8_lossy(cell).into_owned())
        .collect())
}
