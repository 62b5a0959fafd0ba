//! JSON values one after the other: arrays cut into their elements, objects that are products, and
//! objects that hold an array of products.
//! Invariant: only the element at hand is in memory, and its depth is checked by the parser.

use std::io::BufRead;

use crate::feed::error::FeedError;
use crate::feed::json::text::{Text, newlines, parse};
use crate::feed::json::tracker::{Tracker, Wrapper};
use crate::feed::row::{BEGINNING_BYTES, ROW_BYTES_MAX, RawRow, Unread};
use crate::feed::source::Notes;

pub(super) struct Documents<R> {
    text: Text<R>,
    wrapper: Wrapper,
    notes: Notes,
    state: State,
    /// True until an object has turned out to be a product: then no other holds products.
    may_hold: bool,
    is_told: bool,
    element: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between the values of the feed.
    Outside,
    /// Before the first element of an array that lies in so many objects.
    First(usize),
    /// After an element of an array.
    Between(usize),
    /// After an array that is the whole feed.
    After,
}

/// An object of which not more than one row is kept.
struct Taken {
    line: u64,
    is_whole: bool,
}

/// Where the array of products begins in what was taken.
struct Place {
    offset: usize,
    line: u64,
    path: Vec<String>,
}

impl<R: BufRead> Documents<R> {
    pub(super) fn new(reader: R, wrapper: Wrapper, notes: Notes) -> Self {
        Self {
            text: Text::new(reader),
            wrapper,
            notes,
            state: State::Outside,
            may_hold: true,
            is_told: false,
            element: Vec::new(),
        }
    }

    /// Reads the next row into `element` and tells the line where it starts; none at the end of the
    /// feed.
    fn advance(&mut self) -> Result<Option<RawRow>, FeedError> {
        loop {
            match self.state {
                State::Outside => match self.text.next_byte()? {
                    None => return self.end(),
                    Some(b'[') => {
                        self.text.consume(1, 0);
                        self.state = State::First(0);
                    }
                    Some(b'{') => {
                        if let Some(taken) = self.object()? {
                            self.may_hold = false;
                            return Ok(Some(self.row(&taken)));
                        }
                    }
                    Some(b',') => self.text.consume(1, 0),
                    Some(_) => {
                        return Err(self.text.syntax("expected JSON: an object { or an array ["));
                    }
                },
                State::First(around) | State::Between(around) => {
                    if let Some(line) = self.element(around)? {
                        let is_whole = self.element.len() <= ROW_BYTES_MAX;
                        return Ok(Some(self.row(&Taken { line, is_whole })));
                    }
                }
                State::After => {
                    return match self.text.next_byte()? {
                        None => Ok(None),
                        Some(_) => Err(self
                            .text
                            .syntax("there is more text after the end of the array")),
                    };
                }
            }
        }
    }

    fn end(&self) -> Result<Option<RawRow>, FeedError> {
        match &self.wrapper.path {
            Some(path) if !self.is_told => Err(self.text.syntax(&format!(
                "the JSON has no array {}: --item PATH names the array of products",
                path.join("/")
            ))),
            _ => Ok(None),
        }
    }

    fn row(&self, taken: &Taken) -> RawRow {
        let text = &self.element;
        let columns = if taken.is_whole {
            parse(text).map_err(|mistake| Unread::new(mistake, text))
        } else {
            Err(Unread::too_long(text))
        };
        RawRow {
            line: taken.line,
            columns,
        }
    }

    /// Reads the next element of an array; none at its end.
    fn element(&mut self, around: usize) -> Result<Option<u64>, FeedError> {
        let first = matches!(self.state, State::First(_));
        match self.text.next_byte()? {
            Some(b']') => return self.leave(around),
            Some(b',') if !first => {
                self.text.consume(1, 0);
                if self.text.next_byte()? == Some(b']') {
                    return self.leave(around);
                }
            }
            Some(_) if first => {}
            Some(_) => return Err(self.text.syntax("expected , or ] after an element")),
            None => return Err(self.text.syntax("the array is not closed")),
        }
        self.state = State::Between(around);
        let start = self.text.line;
        self.text.take_element(&mut self.element)?;
        Ok(Some(start))
    }

    fn leave(&mut self, around: usize) -> Result<Option<u64>, FeedError> {
        self.text.consume(1, 0);
        if around == 0 {
            self.state = State::After;
        } else {
            self.text.skip_objects(around)?;
            self.state = State::Outside;
        }
        Ok(None)
    }

    /// Reads an object. None where it holds the products: the next element is the first of them.
    fn object(&mut self) -> Result<Option<Taken>, FeedError> {
        self.element.clear();
        let start = self.text.line;
        let wrapper = self.wrapper.clone();
        let mut tracker = Tracker::new(&wrapper);
        let mut place: Option<Place> = None;
        let mut is_whole = true;
        loop {
            let line = self.text.line;
            let chunk = self.text.fill()?;
            if chunk.is_empty() {
                if let Some(place) = place {
                    return Ok(self.enter(place));
                }
                self.text.line = start;
                return Err(self
                    .text
                    .syntax("the object that starts here is not closed"));
            }
            let mut used = 0;
            for byte in chunk {
                let found = tracker
                    .step(*byte)
                    .filter(|_| self.may_hold && place.is_none());
                if let Some(found) = found {
                    let skipped = usize::from(!found.is_element);
                    place = Some(Place {
                        offset: self.element.len() + used + skipped,
                        line: line + newlines(&chunk[..used]),
                        path: found.path,
                    });
                    if !is_whole {
                        used += skipped;
                        break;
                    }
                }
                used += 1;
                if tracker.is_closed() {
                    break;
                }
            }
            let part = &chunk[..used];
            let lines = newlines(part);
            if is_whole {
                self.element.extend_from_slice(part);
            }
            self.text.consume(used, lines);
            let is_product = tracker.is_product();
            let is_long = self.element.len() > ROW_BYTES_MAX;
            if tracker.is_closed() || is_long || !is_whole {
                if let Some(place) = place.take_if(|_| !is_product) {
                    return Ok(self.enter_from(place, is_whole));
                }
                if tracker.is_closed() {
                    let is_whole = is_whole && !is_long;
                    return Ok(Some(Taken {
                        line: start,
                        is_whole,
                    }));
                }
            }
            if is_long {
                is_whole = false;
                self.element.truncate(BEGINNING_BYTES);
            }
        }
    }

    fn enter(&mut self, place: Place) -> Option<Taken> {
        self.enter_from(place, true)
    }

    /// Goes on with the first element of the array of products. What was read behind its beginning
    /// is given back, unless reading has stopped there.
    fn enter_from(&mut self, place: Place, is_kept: bool) -> Option<Taken> {
        if is_kept {
            let text = self.element.split_off(place.offset.min(self.element.len()));
            self.text.give_back(text, place.line);
        }
        if !self.is_told {
            self.is_told = true;
            if self.wrapper.path.is_none() {
                self.notes.add(format!(
                    "products are read from the member {}: --item PATH names another",
                    place.path.join("/")
                ));
            }
        }
        self.state = State::First(place.path.len());
        None
    }
}

impl<R: BufRead> Iterator for Documents<R> {
    type Item = Result<RawRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
