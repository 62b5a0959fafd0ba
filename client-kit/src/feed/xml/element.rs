//! An item of an XML feed as a tree. The parser sees the text of one item, so nothing it does can
//! need more memory than a few times that.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::{resolve_html5_entity, unescape_with};
use quick_xml::events::{BytesStart, Event};

use crate::feed::row::Mistake;
use crate::feed::values;
use crate::feed::xml::names::Names;

const NAME_BYTES_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// The value of `xml:lang`.
    pub(super) language: String,
    pub(super) content: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Element(Element),
}

impl Element {
    pub(super) fn children(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// True where there is nothing but elements, and blanks between them.
    pub(super) fn has_only_elements(&self) -> bool {
        self.children().next().is_some()
            && self.content.iter().all(|node| match node {
                Node::Text(text) => text.trim().is_empty(),
                Node::Element(_) => true,
            })
    }

    /// The text of the element and of those inside of it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.add_text(&mut text);
        text.trim().to_owned()
    }

    fn add_text(&self, text: &mut String) {
        for node in &self.content {
            match node {
                Node::Text(part) => text.push_str(part),
                Node::Element(element) => element.add_text(text),
            }
        }
    }

    fn add(&mut self, part: &str) {
        match self.content.last_mut() {
            Some(Node::Text(text)) => text.push_str(part),
            _ => self.content.push(Node::Text(part.to_owned())),
        }
    }
}

/// Parses the text of one element.
pub(super) fn parse(item: &[u8], names: &Names) -> Result<Element, Mistake> {
    let text = str::from_utf8(item).map_err(|err| Mistake::not_utf8(err.valid_up_to()))?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|err| malformed(&err))?;
        let Some(element) = open.last_mut() else {
            return Err(malformed(&"an end tag too many"));
        };
        match event {
            Event::Start(tag) => open.push(start(&tag, names)?),
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                if let Some(parent) = open.last_mut() {
                    parent.content.push(Node::Element(closed));
                }
            }
            Event::Text(text) => element.add(&text.replace("\r\n", "\n")),
            Event::CData(text) => element.add(&text),
            Event::GeneralRef(entity) => {
                let text = resolve(&entity)?;
                element.add(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let item = open.into_iter().next().and_then(|outer| {
        outer.content.into_iter().find_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    });
    item.ok_or_else(|| malformed(&"there is no element"))
}

fn start(tag: &BytesStart<'_>, names: &Names) -> Result<Element, Mistake> {
    let name = tag.name();
    checked(name.as_ref())?;
    let mut element = Element {
        name: names.written(name.as_ref()),
        ..Element::default()
    };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|err| malformed(&err))?;
        let name = attribute.key.as_ref();
        checked(name)?;
        let value = unescape(&attribute.value)?;
        if name == "xml:lang" {
            element.language = value;
        } else if name != "xmlns"
            && !["xmlns:", "xml:", "xsi:"]
                .iter()
                .any(|one| name.starts_with(one))
        {
            element.attributes.push((name.to_owned(), value));
        }
    }
    Ok(element)
}

/// Refuses a name that is too long: all columns inside of an element have its name before theirs.
fn checked(name: &str) -> Result<(), Mistake> {
    if name.len() > NAME_BYTES_MAX {
        return Err(malformed(&format!(
            "a name of more than {NAME_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

fn resolve(name: &str) -> Result<Cow<'static, str>, Mistake> {
    values::entity(name).ok_or_else(|| {
        malformed(&format!(
            "&{name}; is no known entity: write its character, or &amp; for an &"
        ))
    })
}

/// The value of an attribute with its entities replaced.
fn unescape(value: &str) -> Result<String, Mistake> {
    let text = unescape_with(value, resolve_html5_entity);
    text.map(Cow::into_owned).map_err(|err| malformed(&err))
}

fn malformed(reason: &dyn std::fmt::Display) -> Mistake {
    Mistake::row(format!("no well-formed XML: {reason}"))
}
