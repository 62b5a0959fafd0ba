//! The members of a row, as presets move them.

use serde_json::{Map, Value};

use crate::feed::mapping::{Field, Mapping};

/// True where the user has not said which column fills the field.
pub(super) fn is_default(field: Field, mapping: &Mapping) -> bool {
    mapping.source(field) == field.as_str()
}

/// True where an option names the column.
pub(super) fn is_named(column: &str, mapping: &Mapping) -> bool {
    mapping.columns.contains_key(column)
        || mapping.ignored.contains(column)
        || mapping.splits.contains_key(column)
}

/// Fills a field that the user has not mapped and that the row does not have.
pub(super) fn set(
    row: &mut Map<String, Value>,
    field: Field,
    value: Option<Value>,
    mapping: &Mapping,
) {
    let name = field.as_str();
    if let Some(value) = value.filter(|value| !is_empty(value))
        && is_default(field, mapping)
        && row.get(name).is_none_or(is_empty)
    {
        row.insert(name.to_owned(), value);
    }
}

/// Takes the first of these columns that has a value and is named by no option.
pub(super) fn take(
    row: &mut Map<String, Value>,
    columns: &[&str],
    mapping: &Mapping,
) -> Option<Value> {
    let found = columns.iter().find(|column| {
        !is_named(column, mapping) && row.get(**column).is_some_and(|value| !is_empty(value))
    });
    row.remove(*found?)
}

/// Takes a group of columns; a copy of it where an option names a column in it.
pub(super) fn take_group(
    row: &mut Map<String, Value>,
    groups: &[&str],
    mapping: &Mapping,
) -> Option<Value> {
    let group = groups.iter().find(|group| row.contains_key(**group))?;
    let is_in_group = |column: &String| {
        column
            .strip_prefix(group)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut named = mapping
        .columns
        .keys()
        .chain(&mapping.ignored)
        .chain(mapping.splits.keys());
    if named.any(is_in_group) {
        return row.get(*group).cloned();
    }
    row.remove(*group)
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value, the first one of a list.
pub(super) fn first(value: Value) -> Option<Value> {
    match value {
        Value::Array(values) => values.into_iter().next(),
        single => Some(single),
    }
}

/// The elements of a list, or the value itself.
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        single => vec![single],
    }
}

/// A text or a number as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(values) => values.first().map(text).unwrap_or_default(),
        Value::Null | Value::Object(_) => String::new(),
    }
}

/// Adds an attribute to those of the row; one that is there already becomes a list.
pub(super) fn add_attribute(row: &mut Map<String, Value>, name: &str, values: Vec<Value>) {
    let attributes = row
        .entry("attributes")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(attributes) = attributes {
        let mut all = attributes.remove(name).map(list).unwrap_or_default();
        all.extend(values);
        let value = if all.len() == 1 {
            first(Value::Array(all))
        } else {
            Some(Value::Array(all))
        };
        if let Some(value) = value {
            attributes.insert(name.to_owned(), value);
        }
    }
}
