//! Cuts the items out of an XML feed, each as the text of its element.
//! Invariant: an item that is malformed or too long ends with itself, and the next one is found.

use std::io::BufRead;

use crate::feed::error::FeedError;
use crate::feed::row::{Mistake, ROW_BYTES_MAX};
use crate::feed::xml::detect::ItemPath;
use crate::feed::xml::names::Names;
use crate::feed::xml::scan::{Scanner, Token};

/// How deep elements may lie in each other.
pub(super) const DEPTH_MAX: usize = 128;
/// How many elements an error names.
const PATHS_SHOWN_MAX: usize = 12;

pub(super) struct Items<R> {
    scanner: Scanner<R>,
    wanted: ItemPath,
    /// The elements around the place, outside of items.
    path: Vec<String>,
    /// The namespaces that the elements around the items declare.
    names: Names,
    /// True where the tag at hand was read and not looked at: it ended the item before it.
    pending: Option<Token>,
    found: bool,
    /// Elements outside of items, for an error.
    seen: Vec<String>,
}

/// The text of an item and the line where it starts.
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) text: Result<Vec<u8>, Mistake>,
}

impl<R: BufRead> Items<R> {
    pub(super) fn new(reader: R, wanted: ItemPath) -> Self {
        Self {
            scanner: Scanner::new(reader),
            wanted,
            path: Vec::new(),
            names: Names::default(),
            pending: None,
            found: false,
            seen: Vec::new(),
        }
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The next item; none at the end of the feed.
    pub(super) fn next(&mut self) -> Result<Option<Item>, FeedError> {
        loop {
            let line = self.scanner.line();
            let token = match self.pending.take() {
                Some(token) => token,
                None => self.token()?,
            };
            match token {
                Token::Other => {}
                Token::Doctype => self.check_doctype(line)?,
                Token::Start | Token::Empty => {
                    let name = self.scanner.name();
                    if self.wanted.matches(&self.path, &name) {
                        self.found = true;
                        return self.item(line, &name, token).map(Some);
                    }
                    self.enter(line, name, token)?;
                }
                Token::End => {
                    let name = self.scanner.name();
                    if let Some(open) = self.path.iter().rposition(|open| *open == name) {
                        self.path.truncate(open);
                    }
                }
                Token::EndOfFeed => return self.end(line).map(|()| None),
            }
        }
    }

    fn token(&mut self) -> Result<Token, FeedError> {
        let line = self.scanner.line();
        self.scanner
            .next()
            .map_err(|source| FeedError::Read { line, source })
    }

    fn check_doctype(&self, line: u64) -> Result<(), FeedError> {
        let text = self.scanner.token();
        if self.scanner.is_cut() || text.windows(7).any(|part| part == b"!ENTITY") {
            return Err(syntax(
                line,
                "the XML defines entities of its own, which are not read: write their values \
                 instead and remove <!DOCTYPE …>",
            ));
        }
        Ok(())
    }

    fn enter(&mut self, line: u64, name: String, token: Token) -> Result<(), FeedError> {
        let path = self.path.join("/");
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}/{name}")
        };
        if self.seen.len() < PATHS_SHOWN_MAX && !self.found && !self.seen.contains(&path) {
            self.seen.push(path);
        }
        self.names.declare(self.scanner.token());
        if token == Token::Start {
            self.path.push(name);
        }
        if self.path.len() > DEPTH_MAX {
            return Err(syntax(
                line,
                &format!(
                    "the XML has more than {DEPTH_MAX} elements in each other: --item PATH names the element of a product"
                ),
            ));
        }
        Ok(())
    }

    fn end(&self, line: u64) -> Result<(), FeedError> {
        if let Some(open) = self.path.last() {
            return Err(syntax(
                line,
                &format!("the XML ends inside of <{open}>: it was cut off, get it again"),
            ));
        }
        if !self.found {
            return Err(syntax(
                line,
                &format!(
                    "the XML has no element {}: --item PATH names the element of a product; it has {}",
                    self.wanted,
                    self.seen.join(", ")
                ),
            ));
        }
        Ok(())
    }

    /// Reads the item whose start tag is at hand.
    fn item(&mut self, line: u64, name: &str, token: Token) -> Result<Item, FeedError> {
        let mut item = Capture::new(name);
        item.add(&self.scanner);
        let mut token = token;
        if token == Token::Start {
            item.open.push(name.to_owned());
        }
        while !item.open.is_empty() {
            let at = self.scanner.line();
            token = self.token()?;
            let closes = match token {
                Token::EndOfFeed => {
                    return Err(syntax(
                        line,
                        &format!("the element <{name}> that starts here is not closed"),
                    ));
                }
                Token::Start if item.is_next(&self.scanner.name()) => true,
                Token::End => self.ends_parent(&item),
                _ => false,
            };
            if closes {
                self.pending = Some(token);
                let reason = format!("the element <{name}> is not closed before line {at}");
                let text = Err(Mistake::row(reason));
                return Ok(Item { line, text });
            }
            item.step(token, &self.scanner);
        }
        let text = item.finish();
        Ok(Item { line, text })
    }

    /// True where the end tag at hand closes an element around the item.
    fn ends_parent(&self, item: &Capture) -> bool {
        let name = self.scanner.name();
        !item.open.contains(&name) && self.path.contains(&name)
    }
}

/// An item while it is read.
struct Capture {
    name: String,
    text: Vec<u8>,
    is_too_long: bool,
    is_too_deep: bool,
    /// The elements that are open, from the item on.
    open: Vec<String>,
}

impl Capture {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: Vec::new(),
            is_too_long: false,
            is_too_deep: false,
            open: Vec::new(),
        }
    }

    fn add<R: BufRead>(&mut self, scanner: &Scanner<R>) {
        let token = scanner.token();
        self.is_too_long |= scanner.is_cut() || self.text.len() + token.len() > ROW_BYTES_MAX;
        if !self.is_too_long {
            self.text.extend_from_slice(token);
        }
    }

    fn step<R: BufRead>(&mut self, token: Token, scanner: &Scanner<R>) {
        self.add(scanner);
        match token {
            Token::Start if self.open.len() >= DEPTH_MAX => self.is_too_deep = true,
            Token::Start => self.open.push(scanner.name()),
            Token::End => {
                let name = scanner.name();
                // Elements that are not closed are closed with the one around them.
                if let Some(open) = self.open.iter().rposition(|open| *open == name) {
                    self.open.truncate(open);
                }
            }
            _ => {}
        }
    }

    /// True where a start tag can only be that of the next item: it has the name of this one and
    /// lies in no other element, or this item is lost anyway.
    fn is_next(&self, name: &str) -> bool {
        name == self.name && (self.open.len() == 1 || self.is_too_long || self.is_too_deep)
    }

    fn finish(self) -> Result<Vec<u8>, Mistake> {
        if self.is_too_deep {
            let reason = format!("more than {DEPTH_MAX} elements lie in each other");
            return Err(Mistake::row(reason));
        }
        if self.is_too_long {
            return Err(Mistake::too_long());
        }
        Ok(self.text)
    }
}

fn syntax(line: u64, reason: &str) -> FeedError {
    FeedError::Syntax {
        line,
        reason: reason.to_owned(),
    }
}
