//! The columns of an item: its elements by name, nested ones as objects, repeated ones as arrays,
//! attributes as `@name`.

use std::collections::HashMap;

use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::feed::mapping::Mapping;
use crate::feed::values;
use crate::feed::xml::element::Element;

/// Turns an item into the members of a row.
pub(super) fn row(item: &Element) -> Map<String, Value> {
    if item.children().next().is_none() {
        // An item of attributes alone may have a text.
        let mut row = attributes("", item);
        let text = item.text();
        if !text.is_empty() {
            row.insert("text".to_owned(), Value::String(text));
        }
        return row;
    }
    object(item)
}

fn object(element: &Element) -> Map<String, Value> {
    let mut members = attributes("", element);
    let mut languages: HashMap<&str, &str> = HashMap::new();
    for child in element.children() {
        let key = keyed_by_language(child, &mut languages);
        if child.has_only_elements() {
            add(&mut members, key, Value::Object(object(child)));
            continue;
        }
        let text = child.text();
        if !text.is_empty() || child.attributes.is_empty() {
            add(&mut members, key.clone(), Value::String(text));
        }
        for (name, value) in attributes(&format!("{key}."), child) {
            add(&mut members, name, value);
        }
    }
    members
}

/// A text that is there in several languages is taken from the first; the others have their
/// language in their name.
fn keyed_by_language<'e>(child: &'e Element, seen: &mut HashMap<&'e str, &'e str>) -> String {
    let (name, language) = (&*child.name, &*child.language);
    if language.is_empty() {
        return name.to_owned();
    }
    let first = *seen.entry(name).or_insert(language);
    if first == language {
        name.to_owned()
    } else {
        format!("{name}.{language}")
    }
}

fn attributes(prefix: &str, element: &Element) -> Map<String, Value> {
    let attributes = element.attributes.iter();
    attributes
        .map(|(name, value)| (format!("{prefix}@{name}"), Value::String(value.clone())))
        .collect()
}

/// Adds a member; one that comes again makes an array.
fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.entry(name) {
        Entry::Vacant(free) => {
            free.insert(value);
        }
        Entry::Occupied(mut taken) => match taken.get_mut() {
            Value::Array(values) => values.push(value),
            single => {
                let first = single.take();
                *single = Value::Array(vec![first, value]);
            }
        },
    }
}

/// Makes lists of objects into lists of texts, and gives the texts that become attributes the type
/// that they look like, as in a CSV.
pub(super) fn finish(row: Map<String, Value>, mapping: &Mapping) -> Map<String, Value> {
    row.into_iter()
        .map(|(name, value)| {
            let value = typed(&name, merged(value), mapping);
            (name, value)
        })
        .collect()
}

/// An array with objects becomes one object with arrays: a row of a catalog has no tables in it.
fn merged(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, merged(value)))
                .collect(),
        ),
        Value::Array(values) if values.iter().any(Value::is_object) => {
            let mut members = Map::new();
            for value in values {
                match merged(value) {
                    Value::Object(inner) => {
                        for (name, value) in inner {
                            extend(&mut members, name, value);
                        }
                    }
                    Value::String(text) if text.is_empty() => {}
                    other => extend(&mut members, "text".to_owned(), other),
                }
            }
            Value::Object(members)
        }
        other => other,
    }
}

fn extend(members: &mut Map<String, Value>, name: String, value: Value) {
    match value {
        Value::Array(values) => values
            .into_iter()
            .for_each(|value| add(members, name.clone(), value)),
        Value::Object(inner) => match members
            .entry(name)
            .or_insert_with(|| Value::Object(Map::new()))
        {
            Value::Object(outer) => inner
                .into_iter()
                .for_each(|(name, value)| extend(outer, name, value)),
            single => {
                // A text beside elements of the same name keeps a place of its own.
                let mut outer = inner;
                outer.insert("text".to_owned(), single.take());
                *single = Value::Object(outer);
            }
        },
        single => add(members, name, single),
    }
}

fn typed(column: &str, value: Value, mapping: &Mapping) -> Value {
    let stays_text = mapping.keep_text || mapping.texts.contains(column);
    if stays_text || mapping.columns.contains_key(column) {
        return value;
    }
    let sign = mapping.sign_of(column);
    match value {
        Value::String(text) if mapping.numbers.contains(column) => {
            values::number_or_text(&text, sign)
        }
        Value::String(text) if !mapping.splits.contains_key(column) => {
            match values::typed(&text, sign) {
                Value::Number(_) if values::is_of_gtins(column) && !mapping.is_typed(column) => {
                    Value::String(text)
                }
                typed => typed,
            }
        }
        Value::Array(values) => values
            .into_iter()
            .map(|value| typed(column, value, mapping))
            .collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = typed(&format!("{column}.{name}"), value, mapping);
                    (name, value)
                })
                .collect(),
        ),
        other => other,
    }
}
