//! JSON values one after the other: arrays cut into their elements, objects that are products, and objects that
//! hold an array of products, or products by their ids.
//! Invariant: only the element at hand is in memory, and its depth is checked by the parser.

use std::io::BufRead;

use serde_json::{Map, Value};

use crate::feed::error::FeedError;
use crate::feed::json::empty::empty_list;
use crate::feed::json::row;
use crate::feed::json::text::{Text, newlines};
use crate::feed::json::tracker::{Keyed, Tracker, Wrapper};
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
    /// True once there was more than blanks.
    has_content: bool,
    element: Vec<u8>,
    /// The name of the member that the element is; none for one of an array.
    name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between the values of the feed.
    Outside,
    /// Before the first product of a list.
    First(List),
    /// After a product of a list.
    Between(List),
    /// After an array that is the whole feed.
    After,
}

/// The products of a feed: an array, or an object whose members they are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct List {
    /// How many objects lie around it.
    around: usize,
    is_keyed: bool,
}

impl List {
    /// The bracket at its end.
    fn end(self) -> u8 {
        if self.is_keyed { b'}' } else { b']' }
    }
}

/// An object of which not more than one row is kept.
struct Taken {
    line: u64,
    is_whole: bool,
}

/// Where the products begin in what was taken.
struct Place {
    offset: usize,
    line: u64,
    path: Vec<String>,
    is_keyed: bool,
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
            has_content: false,
            element: Vec::new(),
            name: None,
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
                        self.has_content = true;
                        self.text.consume(1, 0);
                        self.state = State::First(List {
                            around: 0,
                            is_keyed: false,
                        });
                    }
                    Some(b'{') => {
                        self.has_content = true;
                        self.name = None;
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
                State::First(list) | State::Between(list) => {
                    if let Some(line) = self.element(list)? {
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
            _ if !self.has_content && self.text.line > 1 => Err(FeedError::blank()),
            _ => Ok(None),
        }
    }

    fn row(&self, taken: &Taken) -> RawRow {
        let text = &self.element;
        let columns = if taken.is_whole {
            let columns = row::object(text).map_err(|mistake| Unread::new(mistake, text));
            columns.map(|columns| self.identified(columns))
        } else {
            Err(Unread::too_long(text))
        };
        RawRow {
            line: taken.line,
            columns,
        }
    }

    /// Gives a member without an id its name for one.
    fn identified(&self, mut columns: Map<String, Value>) -> Map<String, Value> {
        let [own, ..] = &self.wrapper.product;
        let is_empty = |id: &Value| id.is_null() || id.as_str() == Some("");
        if let Some(name) = &self.name
            && columns.get(own).is_none_or(is_empty)
        {
            columns.insert(self.wrapper.id.clone(), Value::from(name.as_str()));
        }
        columns
    }

    /// Reads the next element of a list; none at its end.
    fn element(&mut self, list: List) -> Result<Option<u64>, FeedError> {
        let first = matches!(self.state, State::First(_));
        let end = list.end();
        match self.text.next_byte()? {
            Some(byte) if byte == end => return self.leave(list),
            Some(b',') if !first => {
                self.text.consume(1, 0);
                if self.text.next_byte()? == Some(end) {
                    return self.leave(list);
                }
            }
            Some(_) if first => {}
            Some(_) => {
                let expected = format!("expected , or {} after an element", char::from(end));
                return Err(self.text.syntax(&expected));
            }
            None if list.is_keyed => {
                return Err(self.text.syntax("the object of products is not closed"));
            }
            None => return Err(self.text.syntax("the array is not closed")),
        }
        self.state = State::Between(list);
        let start = self.text.line;
        self.name = None;
        if list.is_keyed {
            self.name = Some(self.text.take_name()?);
        }
        self.text.take_element(&mut self.element, end)?;
        Ok(Some(start))
    }

    fn leave(&mut self, list: List) -> Result<Option<u64>, FeedError> {
        self.text.consume(1, 0);
        if list.around == 0 && !list.is_keyed {
            self.state = State::After;
        } else {
            self.text.skip_objects(list.around)?;
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
            // The products are looked for in so many bytes, in whatever pieces these come.
            let room = if is_whole {
                (ROW_BYTES_MAX + 1).saturating_sub(self.element.len())
            } else {
                chunk.len()
            };
            let mut used = 0;
            for byte in chunk.iter().take(room) {
                let found = tracker
                    .step(*byte)
                    .filter(|_| self.may_hold && place.is_none());
                if let Some(found) = found {
                    let skipped = usize::from(!found.is_element);
                    place = Some(Place {
                        offset: self.element.len() + used + skipped,
                        line: line + newlines(&chunk[..used]),
                        path: found.path,
                        is_keyed: found.is_keyed,
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
                if is_whole && self.may_hold && !is_product {
                    let array = place.as_ref().map(|place| &*place.path);
                    let keyed = tracker.keyed(array);
                    place = keyed.map(|keyed| self.keyed_place(keyed, start)).or(place);
                }
                if let Some(place) = place.take_if(|_| !is_product) {
                    return Ok(self.enter_from(place, is_whole));
                }
                if tracker.is_closed() {
                    let is_whole = is_whole && !is_long;
                    let is_empty = is_whole && !is_product && self.is_empty_list();
                    let line = start;
                    return Ok((!is_empty).then_some(Taken { line, is_whole }));
                }
            }
            if is_long {
                is_whole = false;
                self.element.truncate(BEGINNING_BYTES);
            }
        }
    }

    /// Whether the object at hand holds a list of products that is empty, which is told.
    fn is_empty_list(&self) -> bool {
        let object = row::object(&self.element).ok().filter(|_| self.may_hold);
        let list = object.and_then(|object| empty_list(&object, &self.wrapper));
        if let Some(path) = &list {
            let note = format!("the list {path} is empty: the feed has no product");
            self.notes.add(note);
        }
        list.is_some()
    }

    fn keyed_place(&self, keyed: &Keyed, start: u64) -> Place {
        let before = self.element.get(..keyed.offset).unwrap_or_default();
        Place {
            offset: keyed.offset,
            line: start + newlines(before),
            path: keyed.path.clone(),
            is_keyed: true,
        }
    }

    fn enter(&mut self, place: Place) -> Option<Taken> {
        self.enter_from(place, true)
    }

    /// Goes on with the first of the products. What was read behind its beginning
    /// is given back, unless reading has stopped there.
    fn enter_from(&mut self, place: Place, is_kept: bool) -> Option<Taken> {
        if is_kept {
            let text = self.element.split_off(place.offset.min(self.element.len()));
            self.text.give_back(text, place.line);
        }
        if !self.is_told {
            self.is_told = true;
            if self.wrapper.path.is_none() {
                self.notes.add(found(&place));
            }
        }
        self.state = State::First(List {
            around: place.path.len(),
            is_keyed: place.is_keyed,
        });
        None
    }
}

/// A sentence for the user of a feed whose products were found.
fn found(place: &Place) -> String {
    let path = place.path.join("/");
    match (place.is_keyed, place.path.is_empty()) {
        (false, _) => {
            format!("products are read from the member {path}: --item PATH names another")
        }
        (true, true) => {
            "products are the members of the whole object, and without an id have the name of \
             their member: --item PATH names another place"
                .to_owned()
        }
        (true, false) => format!(
            "products are the members of {path}, and without an id have the name of their member: \
             --item PATH names another place"
        ),
    }
}

impl<R: BufRead> Iterator for Documents<R> {
    type Item = Result<RawRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
