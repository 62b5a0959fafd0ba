//! A text of JSON: where its values end, and what they are.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use crate::feed::error::FeedError;
use crate::feed::row::{Mistake, ROW_BYTES_MAX};

/// The longest name of a member that is read, in bytes.
const NAME_BYTES_MAX: usize = 4096;

/// Reads an object.
pub(super) fn parse(row: &[u8]) -> Result<Map<String, Value>, Mistake> {
    if row.len() > ROW_BYTES_MAX {
        return Err(Mistake::too_long());
    }
    let text =
        str::from_utf8(row.trim_ascii_end()).map_err(|err| Mistake::not_utf8(err.valid_up_to()))?;
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

/// True where every bracket of a line is closed, and no more than that.
pub(super) fn is_balanced(line: &[u8]) -> bool {
    let mut nesting = Nesting::default();
    for byte in line {
        nesting.step(*byte);
    }
    nesting.depth == 0 && !nesting.in_string
}

/// How deep in strings and brackets a scan is.
#[derive(Default)]
pub(super) struct Nesting {
    pub(super) depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Looks at the next byte; true where it is outside of strings.
    pub(super) fn step(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        true
    }

    /// The index in this chunk of the comma or bracket that ends an element, if it is there.
    fn end_of_element(&mut self, chunk: &[u8], bracket: u8) -> Option<usize> {
        for (index, byte) in chunk.iter().enumerate() {
            let is_outer = self.depth == 0 && !self.in_string;
            if is_outer && (*byte == b',' || *byte == bracket) {
                return Some(index);
            }
            self.step(*byte);
        }
        None
    }
}

/// A reader that counts lines, and takes back what was read ahead.
pub(super) struct Text<R> {
    reader: R,
    returned: Vec<u8>,
    taken: usize,
    /// The line of the next byte.
    pub(super) line: u64,
}

impl<R: BufRead> Text<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            returned: Vec::new(),
            taken: 0,
            line: 1,
        }
    }

    pub(super) fn fill(&mut self) -> Result<&[u8], FeedError> {
        let line = self.line;
        self.fill_buf()
            .map_err(|source| FeedError::Read { line, source })
    }

    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.returned.len() {
            return Ok(&self.returned[self.taken..]);
        }
        self.reader.fill_buf()
    }

    /// Goes past bytes of the last `fill`, of which `lines` are line breaks.
    pub(super) fn consume(&mut self, bytes: usize, lines: u64) {
        self.line += lines;
        if self.taken < self.returned.len() {
            self.taken += bytes;
        } else {
            self.reader.consume(bytes);
        }
    }

    /// Goes back to `line`, where `text` begins.
    pub(super) fn give_back(&mut self, mut text: Vec<u8>, line: u64) {
        text.extend_from_slice(&self.returned[self.taken..]);
        self.returned = text;
        self.taken = 0;
        self.line = line;
    }

    /// Skips blanks and tells the byte after them, without consuming it.
    pub(super) fn next_byte(&mut self) -> Result<Option<u8>, FeedError> {
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blanks = chunk.iter().take_while(|byte| byte.is_ascii_whitespace());
            let blank = blanks.count();
            let lines = newlines(&chunk[..blank]);
            let found = chunk.get(blank).copied();
            self.consume(blank, lines);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Reads the name of a member and the colon behind it. What exceeds the limit on its size is dropped.
    pub(super) fn take_name(&mut self) -> Result<String, FeedError> {
        let mut name = Vec::new();
        let mut nesting = Nesting::default();
        if self.next_byte()? != Some(b'"') {
            return Err(self.syntax("expected the name of a member"));
        }
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Err(self.syntax("the name of a member is not closed"));
            }
            let colon = chunk
                .iter()
                .position(|byte| nesting.step(*byte) && *byte == b':');
            let used = colon.map_or(chunk.len(), |at| at + 1);
            let part = &chunk[..colon.unwrap_or(chunk.len())];
            let room = NAME_BYTES_MAX.saturating_sub(name.len());
            name.extend_from_slice(&part[..part.len().min(room)]);
            let lines = newlines(&chunk[..used]);
            self.consume(used, lines);
            if colon.is_some() {
                let text = name.trim_ascii();
                return serde_json::from_slice(text)
                    .map_err(|_| self.syntax("expected the name of a member and a colon"));
            }
        }
    }

    /// Reads up to the comma or bracket that ends the element. What exceeds the size limit is
    /// dropped.
    pub(super) fn take_element(
        &mut self,
        element: &mut Vec<u8>,
        bracket: u8,
    ) -> Result<(), FeedError> {
        element.clear();
        let start = self.line;
        let mut nesting = Nesting::default();
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                self.line = start;
                return Err(self.syntax("the element that starts here is not closed"));
            }
            let end = nesting.end_of_element(chunk, bracket);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = (ROW_BYTES_MAX + 1).saturating_sub(element.len());
            element.extend_from_slice(&part[..part.len().min(room)]);
            let (used, lines) = (part.len(), newlines(part));
            self.consume(used, lines);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// Skips the rest of the `depth` objects around the place.
    pub(super) fn skip_objects(&mut self, depth: usize) -> Result<(), FeedError> {
        let mut nesting = Nesting {
            depth,
            ..Nesting::default()
        };
        while nesting.depth > 0 {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Err(self
                    .syntax("the object around the products is not closed: the feed was cut off"));
            }
            let end = chunk.iter().position(|byte| {
                nesting.step(*byte);
                nesting.depth == 0
            });
            let used = end.map_or(chunk.len(), |end| end + 1);
            let lines = newlines(&chunk[..used]);
            self.consume(used, lines);
        }
        Ok(())
    }

    pub(super) fn syntax(&self, reason: &str) -> FeedError {
        FeedError::Syntax {
            line: self.line,
            reason: reason.to_owned(),
        }
    }
}

pub(super) fn newlines(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
