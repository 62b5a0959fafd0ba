//! Google's product feed: elements of its namespace, beside those of RSS or Atom.

mod table;

use serde_json::{Map, Value};

use crate::feed::form::preset::members::{first, is_default, is_named, set, take, text};
use crate::feed::mapping::{Field, Mapping};

pub(in crate::feed) use crate::feed::form::preset::google::table::map_google_table;

const PREFIX: &str = "g:";
const COLUMNS: [(Field, &[&str]); 7] = [
    (Field::Id, &["g:id"]),
    (Field::Title, &["g:title"]),
    (Field::Description, &["g:description", "summary", "content"]),
    (Field::ImageUrl, &["g:image_link"]),
    (Field::Brand, &["g:brand"]),
    (Field::Sku, &["g:mpn"]),
    (
        Field::Categories,
        &["g:product_type", "g:google_product_category"],
    ),
];

/// Whether a row has an id as Google names it, and none without the prefix, as objects have that were made of
/// the XML.
pub(in crate::feed) fn has_google_id(row: &Map<String, Value>, mapping: &Mapping) -> bool {
    let has = |column: &str| row.contains_key(column);
    has("g:id") && !has("id") && is_default(Field::Id, mapping) && !is_named("g:id", mapping)
}

pub(super) fn apply(mut row: Map<String, Value>, mapping: &Mapping) -> Map<String, Value> {
    // An Atom entry has an id of its own, which is an address.
    let own_id = row.contains_key("g:id") && is_default(Field::Id, mapping);
    let other_id = if own_id { row.remove("id") } else { None };
    // Atom says how a text is written.
    for kind in ["title.@type", "summary.@type", "content.@type"] {
        take(&mut row, &[kind], mapping);
    }
    for (field, columns) in COLUMNS {
        if is_default(field, mapping) {
            let value = take(&mut row, columns, mapping).and_then(first);
            set(&mut row, field, value, mapping);
        }
    }
    if is_default(Field::Gtins, mapping) {
        let value = take(&mut row, &["g:gtin"], mapping);
        set(&mut row, Field::Gtins, value, mapping);
    }
    if is_default(Field::Price, mapping) {
        price(&mut row, mapping);
    }
    let mut plain = Map::new();
    for (name, value) in row {
        let name = match name.strip_prefix(PREFIX) {
            Some(local) if !is_named(&name, mapping) && !plain.contains_key(local) => {
                local.to_owned()
            }
            _ => name,
        };
        plain.insert(name, without_prefix(value));
    }
    if let Some(address) = other_id {
        plain.entry("link").or_insert(address);
    }
    plain
}

/// A group of elements, such as that of a shipping, with plain names.
fn without_prefix(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let plain = members.into_iter().map(|(name, value)| {
                let local = name.strip_prefix(PREFIX).unwrap_or(&name).to_owned();
                (local, without_prefix(value))
            });
            Value::Object(plain.collect())
        }
        Value::Array(values) => values.into_iter().map(without_prefix).collect(),
        single => single,
    }
}

/// Google writes `15.00 USD`.
fn price(row: &mut Map<String, Value>, mapping: &Mapping) {
    let Some(value) = take(row, &["g:price"], mapping).and_then(first) else {
        return;
    };
    let written = text(&value);
    let parts: Vec<_> = written.split_whitespace().collect();
    let is_code =
        |part: &str| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    let (amount, currency) = match parts[..] {
        [amount, code] if is_code(code) => (amount, Some(code)),
        [code, amount] if is_code(code) => (amount, Some(code)),
        _ => (&*written, None),
    };
    set(row, Field::Price, Some(Value::from(amount)), mapping);
    set(row, Field::Currency, currency.map(Value::from), mapping);
}
