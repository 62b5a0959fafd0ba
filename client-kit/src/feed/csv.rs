//! CSV with a header row (RFC 4180, with any separator). A record whose quotes break the rules, or take in rows
//! where a field has one line, is rejected, and reading goes on at the line after its first one: what an unclosed
//! quote swallowed are rows too.

mod swallowed;
mod lines;
mod cells;
mod dialect;
mod reported;
mod hint;

use std::io::{self, BufRead};

use crate::feed::columns::{Columns, LineBreaks};
use crate::feed::csv::cells::{Cells, Progress, without_end};
use crate::feed::csv::lines::{Line, Lines};
use crate::feed::csv::reported::Reported;
use crate::feed::csv::swallowed::{RowShape, broken_cell};
use crate::feed::error::{FeedError, with_hint};
use crate::feed::mapping::{Field, Mapping};
use crate::feed::row::{Cell, Mistake, Original, ROW_BYTES_MAX, Row};
use crate::feed::source::Source;
use crate::feed::survey::Survey;
use crate::feed::values;

/// The most bytes and lines of a record. Where a quote that is not closed takes in more, each line behind it
/// is read again.
const RECORD_BYTES_MAX: usize = ROW_BYTES_MAX;
const RECORD_LINES_MAX: usize = 1_000;
/// From how many columns on a line inside of a header is told from a row: a name may have one separator in it.
const HEADER_COLUMNS_MIN: usize = 3;
pub(super) use crate::feed::csv::dialect::lines_before_header;

pub(super) struct Records {
    lines: Lines<Box<dyn BufRead + Send>>,
    separator: Vec<u8>,
    columns: Columns,
    shape: RowShape,
    /// Where rows are that an earlier import reported.
    reported: Option<Reported>,
    cells: Cells,
}

/// A record as its lines, taken apart as far as its quotes allow.
struct Record {
    lines: Vec<Line>,
    /// Why its quotes do not end; None for a whole record.
    broken: Option<String>,
}

impl Records {
    /// Opens a table. One that can be read twice is looked through first, so that a column is one thing in
    /// all rows.
    pub(super) fn new(source: Source, mut mapping: Mapping) -> Result<Self, FeedError> {
        if !mapping.checks_header {
            return Self::open(source, mapping);
        }
        if let Some(again) = source.again() {
            let notes = Self::open(again, mapping.clone())?.survey(&mut mapping)?;
            for note in notes {
                source.notes().add(note);
            }
        }
        Self::open(source, mapping)
    }

    /// Looks at all cells, and settles in the mapping what they show.
    fn survey(mut self, mapping: &mut Mapping) -> Result<Vec<String>, FeedError> {
        let mut survey = Survey::new(&self.columns);
        if !survey.is_needed() {
            return Ok(Vec::new());
        }
        let mut left = mapping.look_rows.unwrap_or(usize::MAX);
        while let Some(record) = self.advance().map_err(|source| self.unreadable(source))? {
            if left == 0 {
                break;
            }
            left -= 1;
            let line = record.lines.first().map_or(0, |first| first.number);
            self.cells.trim(self.columns.names().len());
            let cells = &self.cells.cells;
            if record.broken.is_some()
                || cells.len() != self.columns.names().len()
                || self.cell_with_rows(&record.lines).is_some()
            {
                self.lines.read_again(record.lines.into_iter().skip(1));
                continue;
            }
            let texts = cells
                .iter()
                .map(|cell| values::text_of(str::from_utf8(cell).unwrap_or_default()));
            survey.add(line, texts);
        }
        Ok(survey.settle(&self.columns, mapping))
    }

    fn unreadable(&self, source: io::Error) -> FeedError {
        let line = self.lines.number();
        FeedError::Read { line, source }
    }

    fn open(source: Source, mapping: Mapping) -> Result<Self, FeedError> {
        let beginning = source.peeked().to_vec();
        let (progress, notes, preset) = (source.progress(), source.notes(), source.form().preset);
        let mut lines = Lines::new(source.into_reader(), &beginning);
        let mut cells = Cells::default();
        let Header {
            separator,
            names,
            line,
        } = header(&mut lines, &mut cells, &mapping)?;
        let id = mapping.source(Field::Id).to_owned();
        let columns = Columns::new(names, mapping, preset, &notes).map_err(|reason| {
            let hint = hint::of_header(line, &mut lines, &separator, &id);
            FeedError::Mapping(with_hint(reason, hint))
        })?;
        progress.tell_header(columns.names());
        Ok(Self {
            lines,
            separator,
            shape: RowShape::of(&columns),
            reported: Reported::of(columns.names()),
            columns,
            cells,
        })
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(super) fn separator(&self) -> &[u8] {
        &self.separator
    }

    /// Reads the next record that is not blank.
    fn advance(&mut self) -> io::Result<Option<Record>> {
        loop {
            let record = record(&mut self.lines, &mut self.cells, &self.separator)?;
            let is_blank = |record: &Record| {
                let mut cells = self.cells.cells.iter();
                let is_whole =
                    record.broken.is_none() && !record.lines.iter().any(|line| line.is_cut);
                is_whole && cells.all(|cell| cell.trim_ascii().is_empty())
            };
            match record {
                Some(record) if is_blank(&record) => {}
                other => return Ok(other),
            }
        }
    }

    fn row(&mut self, record: Record) -> Row {
        let line = record.lines.first().map_or(0, |first| first.number);
        if record.lines.first().is_some_and(|first| first.is_cut) {
            return Row::rejected(line, Mistake::too_long());
        }
        let text = || {
            let first = record.lines.first().map_or(&b""[..], |line| &line.text);
            Original::Text(String::from_utf8_lossy(without_end(first)).into_owned())
        };
        let result = match &record.broken {
            Some(reason) => Err(reason.clone()),
            None if record.lines.iter().any(|line| line.is_cut) => Err(Mistake::too_long().reason),
            None => self.parse(line, &record.lines),
        };
        let reason = match result {
            Ok(row) => return row,
            Err(reason) => reason,
        };
        let row = Row {
            original: self.columns.mapping().keeps_originals.then(text),
            ..Row::rejected(line, Mistake::row(reason))
        };
        self.lines.read_again(record.lines.into_iter().skip(1));
        row
    }

    /// Makes a row of the cells. The error is about the record as a whole.
    fn parse(&mut self, line: u64, lines: &[Line]) -> Result<Row, String> {
        let expected = self.columns.names().len();
        self.cells.trim(expected);
        let cells = &self.cells.cells;
        let found = cells.len();
        if found != expected {
            let swallowed = match lines {
                [_] => String::new(),
                lines => format!(
                    ", and its quotes take in the {}: is one of them not closed?",
                    lines_after(lines)
                ),
            };
            return Err(format!(
                "{found} values, but the header has {expected} columns{swallowed}"
            ));
        }
        let mut texts = Vec::with_capacity(expected);
        for (place, cell) in cells.iter().enumerate() {
            match str::from_utf8(cell) {
                Ok(text) => texts.push(values::text_of(text)),
                Err(_) => {
                    let column = self.columns.name(place);
                    return Err(format!(
                        "column {column:?} is not UTF-8: --encoding names another one"
                    ));
                }
            }
        }
        let reported = self.reported.as_ref();
        if let Some(mended) = reported.and_then(|it| it.cells(&texts, &self.separator)) {
            return Ok(self.columns.row(line, &of_texts(&mended?)));
        }
        if lines.len() < 2 {
            return Ok(self.columns.row(line, &of_texts(&texts)));
        }
        let open = |place| open_quote(place, lines, "is not closed in its row");
        if let Some(place) = self.cell_with_rows(lines) {
            return Err(open(place));
        }
        let whole = broken_cell(cells, |_| true).unwrap_or_default();
        let mut row = self.columns.row(line, &of_texts(&texts));
        let taken_in = self.shape.count(lines, &self.separator);
        if taken_in > 0 && row.parsed.is_err() {
            return Err(open(whole));
        }
        if taken_in > 0 && taken_in + 1 == lines.len() {
            row.warn(format!(
                "the quote of value {} takes in the {}, where there seem to be rows: is it not closed?",
                whole + 1,
                lines_after(lines)
            ));
        }
        Ok(row)
    }

    /// The cell of one line that has lines in it which are none of its own.
    fn cell_with_rows(&self, lines: &[Line]) -> Option<usize> {
        if lines.len() < 2 {
            return None;
        }
        let cell_that = |breaks: LineBreaks| {
            let is_so = |place| self.columns.line_breaks(place) == breaks;
            broken_cell(&self.cells.cells, is_so)
        };
        let has_rows = || self.shape.count(lines, &self.separator) > 0;
        let joined = || cell_that(LineBreaks::Joined).filter(|_| has_rows());
        cell_that(LineBreaks::Refused).or_else(joined)
    }
}

impl Iterator for Records {
    type Item = Result<Row, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(None) => {
                self.columns.end();
                None
            }
            Ok(Some(record)) => Some(Ok(self.row(record))),
            Err(source) => Some(Err(self.unreadable(source))),
        }
    }
}

fn of_texts<T: AsRef<str>>(texts: &[T]) -> Vec<Cell<'_>> {
    let texts = texts.iter().map(AsRef::as_ref);
    texts.map(Cell::of_text).collect()
}

/// Reads the next record into the cells. None at the end of the feed.
fn record<R: BufRead>(
    lines: &mut Lines<R>,
    cells: &mut Cells,
    separator: &[u8],
) -> io::Result<Option<Record>> {
    cells.clear();
    let mut taken: Vec<Line> = Vec::new();
    let mut bytes = 0;
    loop {
        let Some(line) = lines.next()? else {
            let broken =
                (!taken.is_empty()).then(|| open_quote(cells.column(), &taken, "is never closed"));
            return Ok(broken.map(|broken| Record {
                lines: taken,
                broken: Some(broken),
            }));
        };
        let progress = if line.is_cut && taken.is_empty() {
            Progress::Complete
        } else {
            cells.add(&line.text, separator)
        };
        bytes += line.text.len();
        taken.push(line);
        let is_too_long = bytes > RECORD_BYTES_MAX || taken.len() >= RECORD_LINES_MAX;
        let broken = match progress {
            Progress::Open if is_too_long => {
                Some(open_quote(cells.column(), &taken, "is not closed"))
            }
            Progress::Open => continue,
            Progress::Complete => None,
            Progress::Broken(reason) => Some(open_quote(cells.column(), &taken, &reason)),
        };
        return Ok(Some(Record {
            lines: taken,
            broken,
        }));
    }
}

/// What is wrong with the quote of a cell, and how many lines it took in.
fn open_quote(place: usize, lines: &[Line], what: &str) -> String {
    let column = place + 1;
    match lines {
        [] | [_] => format!("the quote of value {column} {what}"),
        lines => format!(
            "the quote of value {column} {what}; it would take in the {}",
            lines_after(lines)
        ),
    }
}

/// The lines behind the first one of a record.
fn lines_after(lines: &[Line]) -> String {
    let last = lines.last().map_or(0, |line| line.number);
    match lines.len() {
        2 => format!("next line, {last}"),
        lines => format!("next {} lines, to line {last}", lines - 1),
    }
}

/// What the header shows.
struct Header {
    separator: Vec<u8>,
    names: Vec<String>,
    /// Its first line.
    line: Line,
}

/// Reads the header: the separator, and the names of the columns.
fn header<R: BufRead>(
    lines: &mut Lines<R>,
    cells: &mut Cells,
    mapping: &Mapping,
) -> Result<Header, FeedError> {
    let read = |source| FeedError::Read { line: 1, source };
    for _ in 0..mapping.skip {
        lines.next().map_err(read)?;
    }
    let mut separator = mapping.delimiter.clone().map(String::into_bytes);
    loop {
        let Some(line) = lines.next().map_err(read)? else {
            return Err(FeedError::Empty(""));
        };
        if without_end(&line.text).trim_ascii().is_empty() {
            continue;
        }
        if let Some(named) = dialect::named(&line.text) {
            separator.get_or_insert(named);
            continue;
        }
        let separator = separator.unwrap_or_else(|| dialect::shown_by(&line.text));
        lines.read_again(std::iter::once(line.clone()));
        let record = record(lines, cells, &separator).map_err(read)?;
        let flaw = record.and_then(|record| header_flaw(record, cells, &separator));
        if let Some(reason) = flaw {
            let reason =
                format!("{reason} (this is the header; --skip LINES skips what is before it)");
            return Err(FeedError::Syntax {
                line: line.number,
                reason,
            });
        }
        let names = cells.cells.iter().map(|name| {
            let name = String::from_utf8_lossy(name);
            values::text_of(&name).trim().to_owned()
        });
        return Ok(Header {
            separator,
            names: names.collect(),
            line,
        });
    }
}

/// Why the quotes of a header do not end, or what they take in that looks like rows.
fn header_flaw(record: Record, cells: &Cells, separator: &[u8]) -> Option<String> {
    let columns = cells.cells.len();
    let place = broken_cell(&cells.cells, |_| true);
    let shape = RowShape::of_cells(columns);
    let takes_in_rows = columns >= HEADER_COLUMNS_MIN && shape.count(&record.lines, separator) > 0;
    let swallowing = place.filter(|_| takes_in_rows);
    record.broken.or_else(|| {
        Some(open_quote(
            swallowing?,
            &record.lines,
            "is not closed in its line",
        ))
    })
}
