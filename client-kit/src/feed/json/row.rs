//! The text of a row as the object that it says, or as several of them.

use serde_json::{Deserializer, Map, Value};

use crate::feed::json::text::parse;
use crate::feed::json::twice;
use crate::feed::row::Mistake;

/// Reads an object that has no member twice with different values.
pub(super) fn object(row: &[u8]) -> Result<Map<String, Value>, Mistake> {
    let object = parse(row)?;
    let text = str::from_utf8(row).unwrap_or_default();
    match twice::differing(text, &object) {
        Some(path) => Err(Mistake::row(format!(
            "the member {path:?} is there twice with different values: one of them has to go"
        ))),
        None => Ok(object),
    }
}

/// Cuts a line into the objects on it, with or without commas between them. None where it has another value too.
pub(super) fn cut(line: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = line.trim_ascii();
    let mut objects = Vec::new();
    while rest.starts_with(b"{") {
        let mut values = Deserializer::from_slice(rest).into_iter::<Value>();
        values.next()?.ok()?;
        let (object, behind) = rest.split_at(values.byte_offset());
        objects.push(object);
        let behind = behind.trim_ascii_start();
        rest = behind
            .strip_prefix(b",")
            .unwrap_or(behind)
            .trim_ascii_start();
    }
    rest.is_empty().then_some(objects)
}
