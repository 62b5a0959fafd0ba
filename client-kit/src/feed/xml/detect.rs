//! Finds the element that holds a product: named by the user, known from the kind of feed, or by what the
//! elements of the feed are.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Cursor;

use crate::feed::xml::names::Names;
use crate::feed::xml::product::{Known, product_of};
use crate::feed::xml::scan::{Scanner, Token};

/// How deep the beginning of a feed is looked at.
const DEPTH_MAX: usize = 32;
/// What the beginning of an XML feed tells.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    pub(super) item: Option<ItemPath>,
    pub(super) is_bmecat: bool,
    pub(super) is_html: bool,
    pub(super) names: Names,
    /// The elements that were seen, the outer ones first.
    pub(super) paths: Vec<String>,
}

/// The path of the element that holds a product, from any element on, or several such paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ItemPath(Vec<Vec<String>>);

impl ItemPath {
    /// Reads a path such as `rss/channel/item`, or `item` alone.
    pub(super) fn parse(text: &str) -> Self {
        let parts = text
            .split('/')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        Self(vec![parts.map(str::to_owned).collect()])
    }

    fn any_of(paths: &[&str]) -> Self {
        Self(paths.iter().flat_map(|path| Self::parse(path).0).collect())
    }

    /// True for the element `name` inside of `path`. A part without a prefix is any prefix.
    pub(super) fn matches(&self, path: &[String], name: &str) -> bool {
        self.0.iter().any(|wanted| {
            let Some((last, outer)) = wanted.split_last() else {
                return false;
            };
            let around = path
                .iter()
                .rev()
                .map(String::as_str)
                .chain(std::iter::repeat(""));
            is(last, name)
                && outer
                    .iter()
                    .rev()
                    .zip(around)
                    .all(|(part, name)| is(part, name))
        })
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut paths: Vec<_> = self.0.iter().map(|path| path.join("/")).collect();
        if paths.len() > 1 {
            let last = self.0.iter().filter_map(|path| path.last().cloned());
            paths = last.collect();
            paths.sort();
            paths.dedup();
        }
        f.write_str(&paths.join(" or "))
    }
}

fn is(wanted: &str, name: &str) -> bool {
    wanted == name
        || name
            .split_once(':')
            .is_some_and(|(_, local)| local == wanted)
}

/// Looks at the first bytes of a feed, which may end anywhere. `id` is the element or attribute of the ids.
pub(super) fn look_at(head: &[u8], id: &str) -> Beginning {
    let mut elements = Elements::default();
    let mut scanner = Scanner::new(Cursor::new(head));
    // Reading from memory does not fail.
    while let Ok(token) = scanner.next() {
        match token {
            Token::EndOfFeed => break,
            Token::Start | Token::Empty => {
                elements.names.declare(scanner.token());
                elements.start(&scanner, token == Token::Empty, id);
            }
            Token::End => elements.end(&scanner.name()),
            Token::Other | Token::Doctype => {}
        }
    }
    elements.finish()
}

#[derive(Default)]
struct Elements {
    /// The open elements, each with the names of its children so far.
    open: Vec<(String, HashMap<String, ()>)>,
    known: BTreeMap<Vec<String>, Known>,
    names: Names,
}

impl Elements {
    fn start(&mut self, scanner: &Scanner<Cursor<&[u8]>>, is_empty: bool, id: &str) {
        let name = scanner.name();
        if self.open.len() >= DEPTH_MAX {
            return;
        }
        let mut path: Vec<_> = self.open.iter().map(|(name, _)| name.clone()).collect();
        if let Some(parent) = self.known.get_mut(&path) {
            parent.add_child(&name, id);
        }
        path.push(name.clone());
        let is_second = match self.open.last_mut() {
            Some((_, children)) => children.insert(name.clone(), ()).is_some(),
            None => false,
        };
        let order = self.known.len();
        let known = self.known.entry(path).or_insert_with(|| Known::new(order));
        known.repeats |= is_second;
        known.add_attributes(scanner.token(), id);
        if !is_empty {
            self.open.push((name, HashMap::new()));
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(open) = self.open.iter().rposition(|(open, _)| open == name) {
            self.open.truncate(open);
        }
    }

    fn finish(self) -> Beginning {
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_by_key(|(path, known)| (path.len(), known.order));
        let root = known.first().and_then(|(path, _)| path.first());
        let root = root.map_or("", String::as_str);
        Beginning {
            item: known_kind(root, &known)
                .or_else(|| product_of(&known).map(|path| ItemPath(vec![path]))),
            is_bmecat: is("BMECAT", root),
            is_html: root.eq_ignore_ascii_case("html"),
            names: self.names,
            paths: known.iter().map(|(path, _)| path.join("/")).collect(),
        }
    }
}

/// The items of the kinds of feeds that have a name.
fn known_kind(root: &str, known: &[(&Vec<String>, &Known)]) -> Option<ItemPath> {
    let has = |wanted: &ItemPath| {
        known.iter().any(|(path, _)| {
            path.split_last()
                .is_some_and(|(name, around)| wanted.matches(around, name))
        })
    };
    if is("BMECAT", root) {
        return Some(ItemPath::any_of(&[
            "T_NEW_CATALOG/PRODUCT",
            "T_NEW_CATALOG/ARTICLE",
            "T_UPDATE_PRODUCTS/PRODUCT",
            "T_UPDATE_PRODUCTS/ARTICLE",
            "T_UPDATE_PRICES/PRODUCT",
            "T_UPDATE_PRICES/ARTICLE",
        ]));
    }
    ["rss/channel/item", "feed/entry", "RDF/item"]
        .map(ItemPath::parse)
        .into_iter()
        .find(|path| path.0[0].first().is_some_and(|first| is(first, root)) && has(path))
}
