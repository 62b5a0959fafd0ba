//! JSON Lines, and JSON arrays cut into their elements without parsing the whole.
//! Invariant: only the element at hand is in memory, and its depth is checked by the parser.

use std::io::{self, BufRead, Read as _};

use serde_json::{Map, Value};

use crate::feed::draft;
use crate::feed::error::FeedError;
use crate::feed::mapping::Mapping;
use crate::feed::row::{Mistake, Original, ROW_BYTES_MAX, Row};

/// A feed with one object a line; blank lines are skipped.
pub(super) struct Lines<R> {
    reader: R,
    mapping: Mapping,
    line: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, mapping: Mapping) -> Self {
        Self {
            reader,
            mapping,
            line: 0,
            text: Vec::new(),
        }
    }

    /// Reads the next line into `text`; false at the end of the feed.
    fn advance(&mut self) -> io::Result<bool> {
        self.text.clear();
        let limit = ROW_BYTES_MAX as u64 + 1;
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.text)?;
        self.line += u64::from(read > 0);
        if self.text.len() > ROW_BYTES_MAX && !self.text.ends_with(b"\n") {
            skip_line(&mut self.reader)?;
        }
        Ok(read > 0)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Row, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) if self.text.trim_ascii().is_empty() => {}
                Ok(true) => {
                    return Some(Ok(row(self.line, &self.text, &self.mapping)));
                }
                Ok(false) => return None,
                Err(source) => {
                    let line = self.line;
                    return Some(Err(FeedError::Read { line, source }));
                }
            }
        }
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(chunk.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn row(line: u64, text: &[u8], mapping: &Mapping) -> Row {
    if text.len() > ROW_BYTES_MAX {
        return Row::rejected(line, Mistake::too_long());
    }
    match parse(text) {
        Ok(object) => draft::from_json(line, object, mapping),
        Err(mistake) => Row {
            original: mapping
                .keeps_originals
                .then(|| Original::Text(String::from_utf8_lossy(text.trim_ascii()).into_owned())),
            ..Row::rejected(line, mistake)
        },
    }
}

fn parse(row: &[u8]) -> Result<Map<String, Value>, Mistake> {
    let text = str::from_utf8(row.trim_ascii_end()).map_err(|err| {
        Mistake::row(format!(
            "not UTF-8 from byte {} of the row",
            err.valid_up_to() + 1
        ))
    })?;
    // `str::parse` is compiled, and optimised, inside serde_json.
    match text.parse() {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => Err(Mistake::row("expected a JSON object, found an array")),
        Ok(_) => Err(Mistake::row("expected a JSON object, found a single value")),
        Err(err) => {
            let text = err.to_string();
            let reason = text
                .rsplit_once(" at line ")
                .map_or(&*text, |(reason, _)| reason);
            let column = err.column();
            Err(Mistake::row(format!(
                "no valid JSON: {reason} (column {column})"
            )))
        }
    }
}

/// A feed that is one array, read element by element.
pub(super) struct Array<R> {
    reader: R,
    mapping: Mapping,
    state: State,
    line: u64,
    element: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    First,
    Between,
}

impl<R: BufRead> Array<R> {
    pub(super) fn new(reader: R, mapping: Mapping) -> Self {
        Self {
            reader,
            mapping,
            state: State::Before,
            line: 1,
            element: Vec::new(),
        }
    }

    /// Reads the next element into `element` and tells the line where it starts; none at the end of
    /// the array.
    fn advance(&mut self) -> Result<Option<u64>, FeedError> {
        if self.state == State::Before {
            self.expect(b'[', "expected an array: [")?;
            self.state = State::First;
        }
        let first = self.state == State::First;
        match self.next_byte()? {
            Some(b']') => return self.finish(),
            Some(b',') if !first => {
                self.reader.consume(1);
                if self.next_byte()? == Some(b']') {
                    return self.finish();
                }
            }
            Some(_) if first => {}
            Some(_) => return Err(self.syntax("expected , or ] after an element")),
            None => return Err(self.syntax("the array is not closed")),
        }
        self.state = State::Between;
        let start = self.line;
        self.take_element()?;
        Ok(Some(start))
    }

    fn expect(&mut self, byte: u8, otherwise: &str) -> Result<(), FeedError> {
        if self.next_byte()? != Some(byte) {
            return Err(self.syntax(otherwise));
        }
        self.reader.consume(1);
        Ok(())
    }

    fn finish(&mut self) -> Result<Option<u64>, FeedError> {
        self.reader.consume(1);
        match self.next_byte()? {
            None => Ok(None),
            Some(_) => Err(self.syntax("there is more text after the end of the array")),
        }
    }

    /// Skips blanks and tells the byte after them, without consuming it.
    fn next_byte(&mut self) -> Result<Option<u8>, FeedError> {
        loop {
            let line = self.line;
            let chunk = self
                .reader
                .fill_buf()
                .map_err(|source| FeedError::Read { line, source })?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blanks = chunk.iter().take_while(|byte| byte.is_ascii_whitespace());
            let blank = blanks.count();
            self.line += newlines(&chunk[..blank]);
            let found = chunk.get(blank).copied();
            self.reader.consume(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Reads up to the comma or bracket that ends the element. What exceeds the size limit is
    /// dropped.
    fn take_element(&mut self) -> Result<(), FeedError> {
        self.element.clear();
        let start = self.line;
        let mut nesting = Nesting::default();
        loop {
            let chunk = self.reader.fill_buf().map_err(|source| FeedError::Read {
                line: start,
                source,
            })?;
            if chunk.is_empty() {
                self.line = start;
                return Err(self.syntax("the element that starts here is not closed"));
            }
            let end = nesting.end_of_element(chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = (ROW_BYTES_MAX + 1).saturating_sub(self.element.len());
            self.element
                .extend_from_slice(&part[..part.len().min(room)]);
            self.line += newlines(part);
            let used = part.len();
            self.reader.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn syntax(&self, reason: &str) -> FeedError {
        FeedError::Syntax {
            line: self.line,
            reason: reason.to_owned(),
        }
    }
}

impl<R: BufRead> Iterator for Array<R> {
    type Item = Result<Row, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.advance() {
            Ok(line) => line?,
            Err(err) => return Some(Err(err)),
        };
        Some(Ok(row(line, &self.element, &self.mapping)))
    }
}

fn newlines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// How deep in strings and brackets a scan is.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// The index in this chunk of the comma or bracket that ends the element, if it is there.
    fn end_of_element(&mut self, chunk: &[u8]) -> Option<usize> {
        for (index, byte) in chunk.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b']' if self.depth == 0 => return Some(index),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }
}
