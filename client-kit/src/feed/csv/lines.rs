//! The lines of a text, some of which may be read again: what an unclosed quote swallowed.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use crate::feed::bounded_line;

/// A line with the line break at its end.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) text: Vec<u8>,
    /// Whether the line is longer than a row may be. The text is its beginning.
    pub(super) is_cut: bool,
}

pub(super) struct Lines<R> {
    reader: R,
    end: u8,
    number: u64,
    /// The lines that are read again, in order.
    again: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    /// `beginning` shows whether lines end with a carriage return alone.
    pub(super) fn new(reader: R, beginning: &[u8]) -> Self {
        let has_only_returns = beginning.contains(&b'\r') && !beginning.contains(&b'\n');
        Self {
            reader,
            end: if has_only_returns { b'\r' } else { b'\n' },
            number: 0,
            again: VecDeque::new(),
        }
    }

    /// The number of the last line that was read.
    pub(super) fn number(&self) -> u64 {
        self.again
            .front()
            .map_or(self.number, |line| line.number - 1)
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.again.pop_front() {
            return Ok(Some(line));
        }
        let mut text = Vec::new();
        let is_cut = bounded_line::read(&mut self.reader, self.end, &mut text)?;
        if text.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line {
            number: self.number,
            text,
            is_cut,
        }))
    }

    /// Reads these lines, which follow each other, again.
    pub(super) fn read_again(&mut self, lines: impl DoubleEndedIterator<Item = Line>) {
        for line in lines.rev() {
            self.again.push_front(line);
        }
    }
}
