//! JSON Lines: one object a line; blank lines are skipped.
//! Invariant: whatever is wrong with a line, the next one is read.

use std::io::{self, BufRead, Read as _};

use crate::feed::error::FeedError;
use crate::feed::json::text::parse;
use crate::feed::row::{ROW_BYTES_MAX, RawRow};

pub(super) struct Lines<R> {
    reader: R,
    line: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
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
    type Item = Result<RawRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) if self.text.trim_ascii().is_empty() => {}
                Ok(true) => {
                    // Lines that were cut out of an array have its commas.
                    let text = self.text.trim_ascii_end();
                    let text = text.strip_suffix(b",").unwrap_or(&self.text);
                    return Some(Ok(RawRow {
                        line: self.line,
                        columns: parse(text),
                    }));
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
