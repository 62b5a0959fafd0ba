//! CSV with a header row (RFC 4180, and the semicolons and tabs that spreadsheets write).

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use catalog_proto::v1::ProductInput;
use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use crate::feed::draft;
use crate::feed::error::FeedError;
use crate::feed::mapping::Mapping;
use crate::feed::row::{Mistake, ROW_BYTES_MAX, Row};
use crate::feed::source::Source;

pub(super) struct Records {
    reader: Reader<Metered<Box<dyn BufRead + Send>>>,
    columns: Vec<String>,
    mapping: Mapping,
    record: ByteRecord,
}

impl Records {
    pub(super) fn new(source: Source, mapping: Mapping) -> Result<Self, FeedError> {
        let delimiter = delimiter(source.peeked());
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(Trim::Headers)
            .from_reader(Metered::new(source.into_reader()));
        let header = reader.headers().map_err(|err| broken(1, err))?;
        let columns: Vec<_> = header.iter().map(str::to_owned).collect();
        mapping.check_header(&columns).map_err(FeedError::Mapping)?;
        Ok(Self {
            reader,
            columns,
            mapping,
            record: ByteRecord::new(),
        })
    }

    fn parse(&self) -> Result<ProductInput, Mistake> {
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            return Err(Mistake::row(format!(
                "{found} values, but the header has {expected} columns"
            )));
        }
        let mut values = Vec::with_capacity(expected);
        for (value, column) in self.record.iter().zip(&self.columns) {
            let value = str::from_utf8(value)
                .map_err(|_| Mistake::row(format!("column {column:?} is not UTF-8")))?;
            values.push((column.as_str(), value));
        }
        draft::from_cells(&values, &self.mapping)
    }
}

impl Iterator for Records {
    type Item = Result<Row, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.reader.get_mut().left = ROW_BYTES_MAX;
        let before = self.reader.position().byte();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(err) => return Some(Err(broken(self.reader.get_mut().line_at(before), err))),
        }
        let start = self.record.position().map_or(before, csv::Position::byte);
        let line = self.reader.get_mut().line_at(start);
        let parsed = self.parse();
        Some(Ok(Row { line, parsed }))
    }
}

/// The delimiter that occurs most often in the header line, outside of quotes.
fn delimiter(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let unquoted = || header.split(|byte| *byte == b'"').step_by(2).flatten();
    let count = |delimiter: &u8| unquoted().filter(|byte| *byte == delimiter).count();
    // `max_by_key` takes the last of equals: the comma.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b',')
}

fn broken(line: u64, err: csv::Error) -> FeedError {
    let reason = err.to_string();
    match err.into_kind() {
        csv::ErrorKind::Io(source) => FeedError::Read { line, source },
        _ => FeedError::Syntax { line, reason },
    }
}

/// A reader that counts lines, and ends a feed whose row does not end, for instance because a quote
/// is not closed. The parser itself takes the line breaks before a row for the beginning of that
/// row.
struct Metered<R> {
    inner: R,
    left: usize,
    read: u64,
    line: u64,
    /// The line breaks that were read and not yet counted: their offset, and whether they start a
    /// line.
    breaks: VecDeque<(u64, bool)>,
}

impl<R> Metered<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            left: ROW_BYTES_MAX,
            read: 0,
            line: 1,
            breaks: VecDeque::new(),
        }
    }

    /// The number of the line in which the text at `start` begins, past any line breaks there;
    /// `start` never decreases.
    fn line_at(&mut self, mut start: u64) -> u64 {
        while let Some(&(place, starts_line)) = self.breaks.front().filter(|next| next.0 <= start) {
            start = start.max(place + 1);
            self.line += u64::from(starts_line);
            self.breaks.pop_front();
        }
        self.line
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(format!(
                "the row that starts there is longer than {ROW_BYTES_MAX} bytes: is a quote not closed?"
            )));
        }
        let bytes = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(bytes);
        let breaks = buffer[..bytes]
            .iter()
            .zip(self.read..)
            .filter_map(|(byte, place)| {
                matches!(byte, b'\r' | b'\n').then_some((place, *byte == b'\n'))
            });
        self.breaks.extend(breaks);
        self.read += bytes as u64;
        Ok(bytes)
    }
}
