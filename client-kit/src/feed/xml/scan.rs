//! Cuts XML into tokens without understanding what is inside them.
//! Invariant: a `<` outside of comments and CDATA always begins a new token, so that no mistake in
//! a tag hides the tags after it, and a token keeps at most [`ROW_BYTES_MAX`] bytes.

use std::io::{self, BufRead};

use crate::feed::row::ROW_BYTES_MAX;

/// A piece of XML, whose text is [`Scanner::token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Start,
    /// A start tag that is an end tag too: `<a/>`.
    Empty,
    End,
    /// Text, CDATA, comments and processing instructions, and a `<` that begins no tag.
    Other,
    /// A document type, with what is inside its brackets.
    Doctype,
    EndOfFeed,
}

pub(super) struct Scanner<R> {
    reader: R,
    /// The line of the next byte.
    line: u64,
    token: Vec<u8>,
    is_cut: bool,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            line: 1,
            token: Vec::new(),
            is_cut: false,
        }
    }

    /// The line where the next token starts.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    /// True where the token was longer than what is kept of it.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The name in a start or end tag.
    pub(super) fn name(&self) -> String {
        let inside = self.token.trim_ascii_start();
        let inside = inside.strip_prefix(b"<").unwrap_or(inside);
        let inside = inside.strip_prefix(b"/").unwrap_or(inside);
        let end = inside.iter().position(|byte| ends_name(*byte));
        String::from_utf8_lossy(&inside[..end.unwrap_or(inside.len())]).into_owned()
    }

    pub(super) fn next(&mut self) -> io::Result<Token> {
        self.token.clear();
        self.is_cut = false;
        match self.peek()? {
            None => Ok(Token::EndOfFeed),
            Some(b'<') => self.markup(),
            Some(_) => {
                self.take_before(|byte| byte == b'<')?;
                Ok(Token::Other)
            }
        }
    }

    fn markup(&mut self) -> io::Result<Token> {
        self.take_byte()?;
        match self.peek()? {
            Some(b'!') => self.declaration(),
            Some(b'?') => {
                self.take_through(b'?', 1)?;
                Ok(Token::Other)
            }
            Some(byte) if byte == b'/' || starts_name(byte) => self.tag(),
            _ => Ok(Token::Other),
        }
    }

    fn tag(&mut self) -> io::Result<Token> {
        let mut quote = None;
        self.take_before(|byte| match (quote, byte) {
            (_, b'<') | (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                false
            }
            (Some(open), _) => {
                quote = quote.filter(|_| open != byte);
                false
            }
            _ => false,
        })?;
        if self.peek()? != Some(b'>') {
            return Ok(Token::Other);
        }
        self.take_byte()?;
        Ok(match &*self.token {
            [b'<', b'/', ..] => Token::End,
            [.., b'/', b'>'] => Token::Empty,
            _ => Token::Start,
        })
    }

    fn declaration(&mut self) -> io::Result<Token> {
        self.take_byte()?;
        match self.peek()? {
            Some(b'-') => {
                self.take_byte()?;
                if self.peek()? == Some(b'-') {
                    self.take_byte()?;
                    self.take_through(b'-', 2)?;
                }
                Ok(Token::Other)
            }
            Some(b'[') => {
                self.take_through(b']', 2)?;
                Ok(Token::Other)
            }
            _ => {
                let mut in_brackets = false;
                self.take_before(|byte| {
                    in_brackets = byte == b'[' || (in_brackets && byte != b']');
                    byte == b'>' && !in_brackets
                })?;
                self.take_byte()?;
                Ok(Token::Doctype)
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    /// Takes one byte, if there is one.
    fn take_byte(&mut self) -> io::Result<()> {
        self.take(|_| Some(End::After))
    }

    fn take_before(&mut self, mut ends: impl FnMut(u8) -> bool) -> io::Result<()> {
        self.take(|byte| ends(byte).then_some(End::Before))
    }

    /// Takes up to and with a `>` behind `count` times `mark`, as in `-->`.
    fn take_through(&mut self, mark: u8, count: usize) -> io::Result<()> {
        let mut seen = 0;
        self.take(|byte| {
            let ends = byte == b'>' && seen >= count;
            seen = if byte == mark { seen + 1 } else { 0 };
            ends.then_some(End::After)
        })
    }

    /// Takes bytes until `end` says so, or all that are left.
    fn take(&mut self, mut end: impl FnMut(u8) -> Option<End>) -> io::Result<()> {
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let mut ends = (0..).zip(chunk).filter_map(|(place, byte)| {
                end(*byte).map(|end| place + usize::from(end == End::After))
            });
            let end = ends.next();
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = ROW_BYTES_MAX.saturating_sub(self.token.len());
            self.token.extend_from_slice(&part[..part.len().min(room)]);
            self.is_cut |= part.len() > room;
            self.line += part
                .iter()
                .map(|byte| u64::from(*byte == b'\n'))
                .sum::<u64>();
            let used = part.len();
            self.reader.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// Where a piece ends: before the byte at hand, or after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Before,
    After,
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>')
}
