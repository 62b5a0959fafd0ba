//! JSON: objects one after the other, on lines of their own or not, and arrays of them, alone or
//! inside of an object.

mod documents;
mod lines;
mod tracker;
mod text;
mod reported;
mod twice;
mod row;
mod empty;

use serde_json::{Map, Value};

use crate::feed::error::FeedError;
use crate::feed::form::{Format, Preset, has_google_id};
use crate::feed::json::documents::Documents;
use crate::feed::json::empty::empty_list;
use crate::feed::json::lines::Lines;
use crate::feed::json::reported::mended;
use crate::feed::json::tracker::{Tracker, Wrapper};
use crate::feed::mapping::{Field, Mapping};
use crate::feed::row::{Mistake, RawRow, Unread};
use crate::feed::source::Source;

type Rows = Box<dyn Iterator<Item = Result<RawRow, FeedError>> + Send>;

/// The rows of a feed in JSON; `format` is none where the text itself tells whether its objects are
/// on lines of their own.
pub(super) fn objects(source: Source, format: Option<Format>, mapping: &Mapping) -> Rows {
    let wrapper = Wrapper {
        path: source.form().item.as_deref().map(parts),
        product: [Field::Id, Field::Title, Field::Price].map(|field| {
            let column = mapping.source(field);
            column.split('.').next().unwrap_or(column).to_owned()
        }),
        id: mapping.source(Field::Id).to_owned(),
        is_graph: source.form().preset == Some(Preset::SchemaOrg),
    };
    let by_line = match format {
        Some(Format::Jsonl) => true,
        Some(_) => false,
        None => is_by_line(source.peeked(), &wrapper),
    };
    let notes = source.notes();
    let mut preset = source.form().preset;
    let mapping = mapping.clone();
    let told = notes.clone();
    let apply = move |row: Result<RawRow, FeedError>| {
        let mut row = row?;
        row.columns = row.columns.and_then(mended);
        let is_google = |columns: &Map<String, Value>| has_google_id(columns, &mapping);
        if preset.is_none() && row.columns.as_ref().is_ok_and(is_google) {
            preset = Some(Preset::Google);
            told.add(Preset::Google.note());
        }
        if preset.is_none() {
            row.columns = row
                .columns
                .and_then(|columns| identifiable(columns, &mapping));
        }
        if let Some(preset) = preset {
            row.columns = row.columns.map(|columns| preset.apply(columns, &mapping));
        }
        Ok(row)
    };
    if by_line {
        Box::new(Lines::new(source.into_reader()).map(apply))
    } else {
        Box::new(Documents::new(source.into_reader(), wrapper, notes).map(apply))
    }
}

/// Refuses a row without an id that has objects where products may be, named by their ids.
fn identifiable(
    columns: Map<String, Value>,
    mapping: &Mapping,
) -> Result<Map<String, Value>, Unread> {
    let id = mapping.source(Field::Id);
    let own = id.split('.').next().unwrap_or(id);
    let are_objects = |members: &Map<String, Value>| {
        !members.is_empty() && members.values().all(Value::is_object)
    };
    let mut groups = columns.iter().filter_map(|(name, value)| {
        let members = value.as_object()?;
        (members.len() > 1 && are_objects(members)).then_some(name)
    });
    let (place, whose) = if columns.contains_key(own) || columns.contains_key(id) {
        return Ok(columns);
    } else if are_objects(&columns) {
        ("/".to_owned(), "its members".to_owned())
    } else if let Some(name) = groups.next() {
        (name.clone(), format!("the members of {name:?}"))
    } else {
        return Ok(columns);
    };
    let reason = format!(
        "there is nothing in column {id:?}: if {whose} are products and their names ids, --item {place} reads \
         them (--item a/b those of b inside of a)"
    );
    let mistake = Mistake {
        field: Field::Id.as_str().to_owned(),
        ..Mistake::row(reason)
    };
    let text = Value::Object(columns).to_string();
    Err(Unread::new(mistake, text.as_bytes()))
}

fn parts(path: &str) -> Vec<String> {
    let parts = path.split(['/', '.']).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// True where the first line is a whole object, and one of many: only an object on a single line may
/// be one that holds the products.
fn is_by_line(peeked: &[u8], wrapper: &Wrapper) -> bool {
    let text = peeked.trim_ascii_start();
    if !text.starts_with(b"{") || wrapper.path.is_some() {
        return text.is_empty();
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    let (first, rest) = text.split_at(end.unwrap_or(text.len()));
    let is_open = matches!(
        first.trim_ascii_end().last(),
        Some(b'{' | b'[' | b',' | b':')
    );
    if rest.trim_ascii_start().starts_with(b"{") && (text::is_balanced(first) || !is_open) {
        return true;
    }
    match text::parse(first) {
        Ok(object) => {
            !holds_products(&object, wrapper)
                && !has_keyed_products(first, wrapper)
                && empty_list(&object, wrapper).is_none()
        }
        // A line that is not valid is rejected, and the next one read.
        Err(_) => text::is_balanced(first) && end.is_some(),
    }
}

/// Whether an object on a line has products for members, by their ids.
fn has_keyed_products(line: &[u8], wrapper: &Wrapper) -> bool {
    let mut tracker = Tracker::new(wrapper);
    for byte in line {
        tracker.step(*byte);
    }
    !tracker.is_product() && tracker.keyed(None).is_some()
}

fn holds_products(object: &Map<String, Value>, wrapper: &Wrapper) -> bool {
    let is_list = |value: &Value| match value {
        Value::Array(values) => values.first().is_some_and(Value::is_object),
        _ => false,
    };
    fn any(object: &Map<String, Value>, is_list: &impl Fn(&Value) -> bool) -> bool {
        object.values().any(|value| match value {
            Value::Object(inner) => any(inner, is_list),
            other => is_list(other),
        })
    }
    !wrapper.is_product(|column| object.contains_key(column)) && any(object, &is_list)
}
