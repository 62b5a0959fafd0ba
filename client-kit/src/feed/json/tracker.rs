//! Follows the members of an object while it is read, to find an array of objects in it.

use std::collections::HashSet;

/// How deep the members of an object are followed.
const DEPTH_MAX: usize = 64;
const KEY_BYTES_MAX: usize = 1024;
const KEYS_MAX: usize = 1024;

/// What tells an object that holds the products from one that is a product.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrapper {
    /// The members that lead to the products, if the user names them.
    pub(super) path: Option<Vec<String>>,
    /// The columns of id, title and price.
    pub(super) product: [String; 3],
    /// True for JSON-LD, whose products have lists of objects and are in a graph.
    pub(super) is_graph: bool,
}

impl Wrapper {
    /// True for an object with an id, and a title or a price.
    pub(super) fn is_product(&self, has: impl Fn(&str) -> bool) -> bool {
        let [id, title, price] = &self.product;
        has(id) && (has(title) || has(price))
    }
}

/// An array that may hold the products.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: Vec<String>,
    /// True where the byte at hand is the first of the first element, false where it is the bracket
    /// before.
    pub(super) is_element: bool,
}

pub(super) struct Tracker<'w> {
    wrapper: &'w Wrapper,
    open: Vec<Frame>,
    /// How many brackets are open that are too deep to be followed.
    deeper: usize,
    in_string: bool,
    escaped: bool,
    key: Vec<u8>,
    /// The members of the outermost object.
    keys: HashSet<String>,
}

struct Frame {
    is_object: bool,
    is_empty: bool,
    expects_key: bool,
    key: String,
}

impl<'w> Tracker<'w> {
    pub(super) fn new(wrapper: &'w Wrapper) -> Self {
        Self {
            wrapper,
            open: Vec::new(),
            deeper: 0,
            in_string: false,
            escaped: false,
            key: Vec::new(),
            keys: HashSet::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open.is_empty() && self.deeper == 0
    }

    /// True where the members so far are those of a product.
    pub(super) fn is_product(&self) -> bool {
        self.wrapper.path.is_none() && self.wrapper.is_product(|column| self.keys.contains(column))
    }

    /// Looks at the next byte; an array that may hold the products is told where it begins.
    pub(super) fn step(&mut self, byte: u8) -> Option<Found> {
        if self.in_string {
            self.in_text(byte);
            return None;
        }
        if byte.is_ascii_whitespace() {
            return None;
        }
        let found = self.found(byte);
        if let Some(frame) = self.open.last_mut() {
            frame.is_empty = false;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.key.clear();
            }
            b'{' | b'[' if self.open.len() >= DEPTH_MAX || self.deeper > 0 => self.deeper += 1,
            b'{' | b'[' => self.open.push(Frame {
                is_object: byte == b'{',
                is_empty: true,
                expects_key: byte == b'{',
                key: String::new(),
            }),
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'}' | b']' => {
                self.open.pop();
            }
            b',' if self.deeper == 0 => {
                if let Some(frame) = self.open.last_mut() {
                    frame.expects_key = frame.is_object;
                }
            }
            _ => {}
        }
        found
    }

    fn in_text(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                self.end_of_text();
                return;
            }
            _ => {}
        }
        if self.key.len() < KEY_BYTES_MAX {
            self.key.push(byte);
        }
    }

    fn end_of_text(&mut self) {
        let is_outermost = self.open.len() == 1;
        let Some(frame) = self.open.last_mut().filter(|frame| frame.expects_key) else {
            return;
        };
        if self.deeper > 0 {
            return;
        }
        frame.expects_key = false;
        frame.key = String::from_utf8_lossy(&self.key).into_owned();
        if is_outermost && self.keys.len() < KEYS_MAX {
            self.keys.insert(frame.key.clone());
        }
    }

    fn found(&self, byte: u8) -> Option<Found> {
        if self.deeper > 0 {
            return None;
        }
        let (last, outer) = self.open.split_last()?;
        let keys = |frames: &'_ [Frame]| frames.iter().map(|frame| frame.key.clone()).collect();
        if let Some(wanted) = &self.wrapper.path {
            let open = self.open.iter().map(|frame| &frame.key);
            let is_here =
                byte == b'[' && self.open.iter().all(|frame| frame.is_object) && open.eq(wanted);
            return is_here.then(|| Found {
                path: wanted.clone(),
                is_element: false,
            });
        }
        let is_first = byte == b'{' && !last.is_object && last.is_empty;
        let is_here = is_first
            && outer.iter().all(|frame| frame.is_object)
            && (!self.wrapper.is_graph || outer.last().is_some_and(|frame| frame.key == "@graph"));
        is_here.then(|| Found {
            path: keys(outer),
            is_element: true,
        })
    }
}
