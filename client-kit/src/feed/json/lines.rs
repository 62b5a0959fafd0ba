//! JSON Lines: one object a line; blank lines are skipped.
//! Invariant: whatever is wrong with a line, the next one is read.

use std::io::{self, BufRead};

use crate::feed::bounded_line;
use crate::feed::error::FeedError;
use crate::feed::json::text::parse;
use crate::feed::row::{RawRow, Unread};

pub(super) struct Lines<R> {
    reader: R,
    line: u64,
    text: Vec<u8>,
    has_content: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            line: 0,
            text: Vec::new(),
            has_content: false,
        }
    }

    /// Reads the next line into `text`; false at the end of the feed.
    fn advance(&mut self) -> io::Result<bool> {
        bounded_line::read(&mut self.reader, b'\n', &mut self.text)?;
        let has_line = !self.text.is_empty();
        self.line += u64::from(has_line);
        Ok(has_line)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<RawRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) if self.text.trim_ascii().is_empty() => {}
                Ok(true) => {
                    self.has_content = true;
                    // Lines that were cut out of an array have its commas.
                    let text = self.text.trim_ascii_end();
                    let text = text.strip_suffix(b",").unwrap_or(&self.text);
                    return Some(Ok(RawRow {
                        line: self.line,
                        columns: parse(text).map_err(|mistake| Unread::new(mistake, text)),
                    }));
                }
                Ok(false) => {
                    let is_blank = !std::mem::replace(&mut self.has_content, true);
                    return (is_blank && self.line > 0).then(|| Err(FeedError::blank()));
                }
                Err(source) => {
                    let line = self.line;
                    return Some(Err(FeedError::Read { line, source }));
                }
            }
        }
    }
}
