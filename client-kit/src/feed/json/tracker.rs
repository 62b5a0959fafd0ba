//! Follows the members of an object while it is read, to find an array of objects in it, or products that are
//! members by their ids.

use std::collections::HashSet;

/// How deep the members of an object are followed.
const DEPTH_MAX: usize = 64;
const KEY_BYTES_MAX: usize = 1024;
const KEYS_MAX: usize = 1024;
/// The fewest members that show an object of products.
const PRODUCTS_MIN: usize = 2;
/// What many feeds call the title.
const NAME: &str = "name";

/// What tells an object that holds the products from one that is a product.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrapper {
    /// The members that lead to the products, if the user names them.
    pub(super) path: Option<Vec<String>>,
    /// The columns of id, title and price.
    pub(super) product: [String; 3],
    /// The whole name of the column of ids.
    pub(super) id: String,
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

/// An array or an object that may hold the products.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: Vec<String>,
    /// True where the byte at hand is the first of the first element, false where it is the bracket
    /// before.
    pub(super) is_element: bool,
    /// True for an object, whose members are the products.
    pub(super) is_keyed: bool,
}

/// An object whose members look like products.
#[derive(Clone, Debug)]
pub(super) struct Keyed {
    pub(super) path: Vec<String>,
    /// Where the first member begins, in bytes from the beginning of what was read.
    pub(super) offset: usize,
    members: Members,
}

/// What the members of an object are so far.
#[derive(Clone, Copy, Debug, Default)]
struct Members {
    objects: usize,
    others: usize,
    /// Objects with the title or the price of a product.
    alike: usize,
    /// Objects with both.
    sure: usize,
}

impl Members {
    /// One alone may be an object around a single product.
    fn are_products(self) -> bool {
        self.others == 0 && self.alike >= PRODUCTS_MIN && self.alike * 2 > self.objects
    }

    fn are_surely_products(self) -> bool {
        self.are_products() && self.sure >= PRODUCTS_MIN
    }
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
    /// The bytes that were looked at.
    read: usize,
    keyed: Option<Keyed>,
}

#[derive(Default)]
struct Frame {
    is_object: bool,
    is_empty: bool,
    expects_key: bool,
    key: String,
    /// Where the first member begins.
    offset: usize,
    has_title: bool,
    has_price: bool,
    members: Members,
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
            read: 0,
            keyed: None,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open.is_empty() && self.deeper == 0
    }

    /// True where the members so far are those of a product.
    pub(super) fn is_product(&self) -> bool {
        self.wrapper.path.is_none() && self.wrapper.is_product(|column| self.keys.contains(column))
    }

    /// The object of products that was found so far. `array` is an array that may hold the products instead: it
    /// does not where it belongs to a member that surely is one.
    pub(super) fn keyed(&self, array: Option<&[String]>) -> Option<&Keyed> {
        let keyed = self.keyed.as_ref()?;
        let [_, title, price] = &self.wrapper.product;
        let is_of_product = [title.as_str(), price, NAME]
            .iter()
            .any(|column| self.keys.contains(*column));
        if is_of_product && !keyed.path.is_empty() {
            return None;
        }
        let is_it = match array {
            None => keyed.members.are_products(),
            Some(path) => {
                path.starts_with(&keyed.path)
                    && path.len() > keyed.path.len()
                    && keyed.members.are_surely_products()
            }
        };
        (is_it && self.wrapper.path.is_none() && !self.wrapper.is_graph).then_some(keyed)
    }

    /// Looks at the next byte; an array that may hold the products is told where it begins.
    pub(super) fn step(&mut self, byte: u8) -> Option<Found> {
        self.read += 1;
        if self.in_string {
            self.in_text(byte);
            return None;
        }
        if byte.is_ascii_whitespace() {
            return None;
        }
        let found = self.found(byte);
        self.count_member(byte);
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
                offset: self.read,
                ..Frame::default()
            }),
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'}' | b']' => self.close(),
            b',' if self.deeper == 0 => {
                if let Some(frame) = self.open.last_mut() {
                    frame.expects_key = frame.is_object;
                }
            }
            _ => {}
        }
        found
    }

    /// Counts a value that begins in an object, by what it is.
    fn count_member(&mut self, byte: u8) {
        let is_mark = matches!(byte, b'}' | b']' | b',' | b':');
        let frame = self.open.last_mut().filter(|_| self.deeper == 0);
        let Some(frame) = frame.filter(|frame| frame.is_object && !frame.expects_key && !is_mark)
        else {
            return;
        };
        if byte == b'{' {
            frame.members.objects += 1;
        } else {
            frame.members.others += 1;
        }
        let (offset, members) = (frame.offset, frame.members);
        self.update(offset, members);
    }

    fn update(&mut self, offset: usize, members: Members) {
        let known = self.keyed.as_mut();
        if let Some(keyed) = known.filter(|keyed| keyed.offset == offset) {
            keyed.members = members;
        }
    }

    /// Ends the innermost object or array. What it was counts in the object around it.
    fn close(&mut self) {
        let Some(closed) = self.open.pop() else {
            return;
        };
        let Some((around, outer)) = self.open.split_last_mut() else {
            return;
        };
        if !closed.is_object || !around.is_object {
            return;
        }
        around.members.alike += usize::from(closed.has_title || closed.has_price);
        around.members.sure += usize::from(closed.has_title && closed.has_price);
        let (offset, members) = (around.offset, around.members);
        // Members of a product are no products, nor are those of what lies in a list.
        let is_free = |frame: &Frame| frame.is_object && !frame.has_title && !frame.has_price;
        let is_free = is_free(around) && outer.iter().all(is_free);
        if self.keyed.is_none() && members.are_products() && is_free {
            let path = outer.iter().map(|frame| frame.key.clone());
            self.keyed = Some(Keyed {
                path: path.collect(),
                offset,
                members,
            });
        }
        self.update(offset, members);
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
        let [_, title, price] = &self.wrapper.product;
        frame.has_title |= frame.key == *title || frame.key == NAME;
        frame.has_price |= frame.key == *price;
        if is_outermost && self.keys.len() < KEYS_MAX {
            self.keys.insert(frame.key.clone());
        }
    }

    fn found(&self, byte: u8) -> Option<Found> {
        if self.deeper > 0 {
            return None;
        }
        let is_told = |wanted: &&Vec<String>| {
            let open = self.open.iter().map(|frame| &frame.key);
            self.open.iter().all(|frame| frame.is_object) && open.eq(*wanted)
        };
        if let Some(wanted) = self.wrapper.path.as_ref().filter(is_told) {
            let is_here = matches!(byte, b'[' | b'{');
            return is_here.then(|| Found {
                path: wanted.clone(),
                is_element: false,
                is_keyed: byte == b'{',
            });
        }
        if self.wrapper.path.is_some() {
            return None;
        }
        let (last, outer) = self.open.split_last()?;
        let keys = |frames: &'_ [Frame]| frames.iter().map(|frame| frame.key.clone()).collect();
        let is_first = byte == b'{' && !last.is_object && last.is_empty;
        let is_here = is_first
            && outer.iter().all(|frame| frame.is_object)
            && (!self.wrapper.is_graph || outer.last().is_some_and(|frame| frame.key == "@graph"));
        is_here.then(|| Found {
            path: keys(outer),
            is_element: true,
            is_keyed: false,
        })
    }
}
