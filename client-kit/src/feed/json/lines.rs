//! JSON Lines: one object a line, or several; blank lines are skipped.
//! Invariant: whatever is wrong with a line, the next one is read.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use crate::feed::bounded_line;
use crate::feed::error::FeedError;
use crate::feed::json::row;
use crate::feed::row::{ROW_BYTES_MAX, RawRow, Unread};

pub(super) struct Lines<R> {
    reader: R,
    line: u64,
    text: Vec<u8>,
    has_content: bool,
    /// The objects on the line behind its first one.
    more: VecDeque<Vec<u8>>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            line: 0,
            text: Vec::new(),
            has_content: false,
            more: VecDeque::new(),
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
        if let Some(text) = self.more.pop_front() {
            return Some(Ok(row_of(self.line, &text)));
        }
        loop {
            match self.advance() {
                Ok(true) if self.text.trim_ascii().is_empty() => {}
                Ok(true) => {
                    self.has_content = true;
                    // Lines that were cut out of an array have its commas.
                    let text = self.text.trim_ascii_end();
                    let text = text.strip_suffix(b",").unwrap_or(&self.text);
                    let read = row_of(self.line, text);
                    if read.columns.is_ok() || text.len() > ROW_BYTES_MAX {
                        return Some(Ok(read));
                    }
                    match row::cut(text).as_deref() {
                        Some([first, more @ ..]) if !more.is_empty() => {
                            self.more = more.iter().map(|object| object.to_vec()).collect();
                            return Some(Ok(row_of(self.line, first)));
                        }
                        _ => return Some(Ok(read)),
                    }
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

fn row_of(line: u64, text: &[u8]) -> RawRow {
    let columns = row::object(text).map_err(|mistake| Unread::new(mistake, text));
    RawRow { line, columns }
}
