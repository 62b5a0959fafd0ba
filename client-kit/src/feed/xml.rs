//! XML feeds, read item by item: the element of a product is cut out of the text, and parsed then.
//! No document type is processed and nothing outside of the feed is read.

mod cut;
mod detect;
mod product;
mod scan;
mod columns;
mod element;
mod names;

use std::io::{BufRead, Cursor, Read as _};

use serde_json::{Map, Value};

use crate::feed::error::FeedError;
use crate::feed::form::Preset;
use crate::feed::mapping::{Field, Mapping};
use crate::feed::row::{Mistake, RawRow, Unread};
use crate::feed::source::{Notes, Source};
use crate::feed::xml::cut::Items;
use crate::feed::xml::detect::{Beginning, ItemPath, look_at};

/// How much of a feed is looked at to find the element of a product.
const HEAD_BYTES: u64 = 64 * 1024;
const PATHS_SHOWN_MAX: usize = 12;
/// The column of an attribute that has ids in many feeds.
const ID_ATTRIBUTE: &str = "@id";

pub(super) struct Objects {
    items: Items<Box<dyn BufRead + Send>>,
    preset: Option<Preset>,
    mapping: Mapping,
    notes: Notes,
    is_told: bool,
    /// Whether ids are attributes of the products' elements, as the first product shows.
    has_id_attribute: Option<bool>,
}

impl Objects {
    pub(super) fn new(source: Source, mapping: &Mapping) -> Result<Self, FeedError> {
        let (notes, form, name) = (
            source.notes(),
            source.form().clone(),
            source.name().to_owned(),
        );
        let mut reader = source.into_reader();
        let mut head = Vec::new();
        (&mut reader)
            .take(HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(|source| FeedError::Read { line: 1, source })?;
        let id = mapping.source(Field::Id);
        let id = id.rsplit(['.', '@']).next().unwrap_or(id);
        let beginning = look_at(&head, id);
        if beginning.is_html {
            return Err(FeedError::Refused {
                name,
                reason: "an HTML page and no feed: is it the answer of a login or an error?"
                    .to_owned(),
            });
        }
        let wanted = match &form.item {
            Some(path) => ItemPath::parse(path),
            None => found(&beginning, name, &notes)?,
        };
        let preset = form.preset.or_else(|| known(&beginning, &notes));
        let reader: Box<dyn BufRead + Send> = Box::new(Cursor::new(head).chain(reader));
        Ok(Self {
            items: Items::new(reader, wanted),
            preset,
            mapping: mapping.clone(),
            notes,
            is_told: preset.is_some(),
            has_id_attribute: None,
        })
    }

    fn columns(&mut self, item: &[u8]) -> Result<Map<String, Value>, Mistake> {
        let element = element::parse(item, self.items.names())?;
        let mut row = columns::row(&element);
        if let Some(preset) = self.preset {
            row = preset.apply(row, &self.mapping);
        }
        self.identify(&mut row);
        Ok(columns::finish(row, &self.mapping))
    }

    /// Takes the attribute `id` for the id of a product where no option names another column and the first product
    /// has no other one: the ids of a feed are of one kind.
    fn identify(&mut self, row: &mut Map<String, Value>) {
        let id = Field::Id.as_str();
        let is_free = self.mapping.source(Field::Id) == id
            && !self.mapping.columns.contains_key(ID_ATTRIBUTE)
            && !self.mapping.ignored.contains(ID_ATTRIBUTE);
        let is_first = self.has_id_attribute.is_none();
        let is_it = *self.has_id_attribute.get_or_insert_with(|| {
            is_free && !row.contains_key(id) && row.contains_key(ID_ATTRIBUTE)
        });
        if is_it && is_first {
            self.notes.add(
                "the attribute id of the element of a product is its id: --map id=COLUMN takes another",
            );
        }
        if is_it
            && !row.contains_key(id)
            && let Some(value) = row.remove(ID_ATTRIBUTE)
        {
            row.insert(id.to_owned(), value);
        }
    }
}

/// The element of a product that the beginning of a feed shows.
fn found(beginning: &Beginning, name: String, notes: &Notes) -> Result<ItemPath, FeedError> {
    let Some(path) = beginning.item.clone() else {
        let shown = beginning.paths.iter().take(PATHS_SHOWN_MAX).cloned();
        let shown = shown.collect::<Vec<_>>().join(", ");
        let reason = if shown.is_empty() {
            "XML without an element: is it a feed?".to_owned()
        } else {
            format!(
                "XML in which no element repeats: --item PATH names the element of a product; it has {shown}"
            )
        };
        return Err(FeedError::Refused { name, reason });
    };
    notes.add(format!(
        "products are read from the element {path}: --item PATH names another"
    ));
    Ok(path)
}

/// The kind of feed that the beginning shows.
fn known(beginning: &Beginning, notes: &Notes) -> Option<Preset> {
    if beginning.is_bmecat {
        notes.add(Preset::Bmecat.note());
        return Some(Preset::Bmecat);
    }
    if beginning.names.has_google() {
        notes.add(Preset::Google.note());
        return Some(Preset::Google);
    }
    None
}

impl Iterator for Objects {
    type Item = Result<RawRow, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match self.items.next() {
            Ok(item) => item?,
            Err(err) => return Some(Err(err)),
        };
        // An item may declare the namespace itself.
        if !self.is_told && self.items.names().has_google() {
            self.is_told = true;
            self.preset = Some(Preset::Google);
            self.notes.add(Preset::Google.note());
        }
        let columns = match &item.text {
            Ok(text) => self
                .columns(text)
                .map_err(|mistake| Unread::new(mistake, text)),
            Err(mistake) => Err(Unread::new(mistake.clone(), b"")),
        };
        Some(Ok(RawRow {
            line: item.line,
            columns,
        }))
    }
}
