//! Reads JSON bodies without losing what a typed parser hides: the text of a number, repeated and
//! unknown members. Nothing here recurses, so that no depth of nesting is a danger.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::problem::{FieldErrors, pointer, with_nearest};

/// The longest name that an answer repeats; none of ours is longer.
const NAME_BYTES_MAX: usize = 200;

/// The error detail of a member that a body may not have.
pub(crate) const UNKNOWN: &str = "is not a member that can be set";

pub(crate) type Members<'a> = Vec<(String, &'a RawValue)>;

/// Why a body is not one JSON text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotJson {
    #[error("The body is not UTF-8 after byte {}", .0.valid_up_to())]
    Encoding(#[from] std::str::Utf8Error),
    #[error("The body is not JSON: {0}")]
    Syntax(#[from] serde_json::Error),
}

/// The kind that a well-formed value should have had.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongKind {
    #[error("must be an object")]
    Object,
    #[error("must be a string of Unicode characters")]
    Text,
    #[error("must be an array of strings")]
    Texts,
}

/// The body as one value, whose whole syntax is checked.
pub(crate) fn value(body: &[u8]) -> Result<&RawValue, NotJson> {
    let text = str::from_utf8(body)?;
    Ok(serde_json::from_str(text)?)
}

/// The valid members of an object. Those at fault are noted in `errors` instead.
pub(crate) fn members<'a>(
    object: &'a RawValue,
    parents: &[&str],
    errors: &mut FieldErrors,
) -> Members<'a> {
    if !object.get().starts_with('{') {
        errors.push(pointer(parents), WrongKind::Object);
        return Vec::new();
    }
    let mut read = serde_json::Deserializer::from_str(object.get());
    let members = match read.deserialize_map(InOrder) {
        Ok(members) => members,
        // The syntax was checked before: only a name that is not Unicode can be at fault.
        Err(_) => {
            errors.push(pointer(parents), "must have names of Unicode characters");
            return Vec::new();
        }
    };
    let mut seen = HashSet::new();
    let mut known = Vec::with_capacity(members.len().min(64));
    for (name, value) in members {
        if errors.is_full() {
            break;
        } else if name.len() > NAME_BYTES_MAX {
            let bound = format!("must have names of at most {NAME_BYTES_MAX} bytes");
            errors.push(pointer(parents), bound);
        } else if !seen.insert(name.clone()) {
            errors.push(pointer(&[parents, &[&name]].concat()), "is given twice");
        } else {
            known.push((name, value));
        }
    }
    known
}

pub(crate) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

pub(crate) fn text(value: &RawValue) -> Result<String, WrongKind> {
    serde_json::from_str(value.get()).map_err(|_| WrongKind::Text)
}

/// Reads a text; null means the empty text.
pub(crate) fn text_or_null(value: &RawValue) -> Result<String, WrongKind> {
    if is_null(value) {
        Ok(String::new())
    } else {
        text(value)
    }
}

/// Reads an RFC 3339 time; null means none.
pub(crate) fn time_or_null(value: &RawValue) -> Result<Option<OffsetDateTime>, &'static str> {
    if is_null(value) {
        return Ok(None);
    }
    let time = text(value).ok();
    let time = time.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
    time.map(Some)
        .ok_or("must be a time such as 2026-01-31T08:00:00Z, or null")
}

/// Reads a list of texts; null means the empty list. What is no text is noted as an element of `place`.
pub(crate) fn texts_or_null(
    value: &RawValue,
    place: &[&str],
    errors: &mut FieldErrors,
) -> Vec<String> {
    if is_null(value) {
        return Vec::new();
    }
    let Some(elements) = elements(value) else {
        errors.push(pointer(place), WrongKind::Texts);
        return Vec::new();
    };
    let mut texts = Vec::with_capacity(elements.len().min(64));
    for (index, element) in elements.into_iter().enumerate() {
        match text(element) {
            Ok(text) => texts.push(text),
            Err(err) if !errors.is_full() => {
                errors.push(pointer(&[place, &[&index.to_string()]].concat()), err);
            }
            Err(_) => break,
        }
    }
    texts
}

/// The elements of an array, unread; None where the value is no array.
pub(crate) fn elements(value: &RawValue) -> Option<Vec<&RawValue>> {
    // The syntax was checked before, and what an element holds is passed over without descending.
    serde_json::from_str(value.get()).ok()
}

/// Reads a body whose only member is an array of 1 to `max` elements.
pub(crate) fn only_list<'a>(
    body: &'a RawValue,
    name: &str,
    max: usize,
) -> Result<Vec<&'a RawValue>, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut list = None;
    for (stated, value) in members(body, &[], &mut errors) {
        if stated == name {
            list = elements(value);
        } else {
            let detail = with_nearest(UNKNOWN, &stated, &[name]);
            errors.push(pointer(&[&stated]), detail);
        }
    }
    let list = list.filter(|list| (1..=max).contains(&list.len()));
    if list.is_none() && !errors.has("") {
        let detail = format!("must be an array of 1 to {max} {name}");
        errors.push(pointer(&[name]), detail);
    }
    errors.finish()?;
    Ok(list.unwrap_or_default())
}

/// Collects the members of an object in the order of the text, repetitions included.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_json(body: &[u8]) -> String {
        value(body).expect_err("not JSON").to_string()
    }

    #[test]
    fn says_where_a_body_stops_being_json() {
        assert_eq!(
            not_json(b"{\"a\":}"),
            "The body is not JSON: expected value at line 1 column 6"
        );
        assert_eq!(
            not_json(b""),
            "The body is not JSON: EOF while parsing a value at line 1 column 0"
        );
        assert_eq!(not_json(b"\"\xff\""), "The body is not UTF-8 after byte 1");
        for bad in [
            "\u{feff}{}",
            "{} {}",
            "NaN",
            "{'a':1}",
            "{\"a\":1,}",
            "[01]",
            "\"\n\"",
        ] {
            assert!(
                not_json(bad.as_bytes()).starts_with("The body is not JSON"),
                "{bad}"
            );
        }
    }

    #[test]
    fn keeps_the_text_of_numbers_and_any_depth() {
        for good in ["1e400", "9223372036854775808", "0.1000"] {
            assert_eq!(value(good.as_bytes()).expect("JSON").get(), good);
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(value(deep.as_bytes()).is_ok());
    }

    fn members_of(body: &str) -> (Vec<String>, Vec<(String, String)>) {
        let mut errors = FieldErrors::default();
        let members = members(value(body.as_bytes()).expect("JSON"), &["a"], &mut errors);
        let names = members.into_iter().map(|(name, _)| name).collect();
        (names, errors.into_pairs())
    }

    #[test]
    fn finds_repeated_members_and_bad_names() {
        let error = |pointer: &str, detail: &str| vec![(pointer.to_owned(), detail.to_owned())];
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| name.to_string())
                .collect::<Vec<_>>()
        };

        assert_eq!(members_of(r#"{"y":1,"x":2}"#), (names(&["y", "x"]), vec![]));
        assert_eq!(
            members_of(r#"{"x~/":1,"x~/":2}"#),
            (names(&["x~/"]), error("/a/x~0~1", "is given twice"))
        );
        assert_eq!(
            members_of(r#"{"\u0078":1,"x":2}"#),
            (names(&["x"]), error("/a/x", "is given twice"))
        );
        assert_eq!(members_of("[]"), (vec![], error("/a", "must be an object")));
        assert_eq!(
            members_of(r#"{"\ud800":1}"#),
            (vec![], error("/a", "must have names of Unicode characters"))
        );
        assert_eq!(
            members_of(&format!("{{\"{}\":1}}", "x".repeat(201))),
            (vec![], error("/a", "must have names of at most 200 bytes"))
        );
    }

    #[test]
    fn bounds_what_it_reports() {
        let body: Vec<String> = (0..1000).map(|n| format!("\"{}\":1", n / 2)).collect();
        let (_, errors) = members_of(&format!("{{{}}}", body.join(",")));
        assert_eq!(errors.len(), FieldErrors::COUNT_MAX);
    }

    #[test]
    fn refuses_values_of_another_kind() {
        let raw = |text: &'static str| value(text.as_bytes()).expect("JSON");
        assert_eq!(text(raw(r#""a\u0000""#)), Ok("a\0".to_owned()));
        assert_eq!(text(raw(r#""\udc00""#)), Err(WrongKind::Text));
        assert_eq!(text(raw("null")), Err(WrongKind::Text));
        assert_eq!(text_or_null(raw("null")), Ok(String::new()));
    }

    #[test]
    fn a_text_at_fault_is_named_by_its_index() {
        let check = |list: &'static str, expected: &[&str], at_fault: &[(&str, &str)]| {
            let mut errors = FieldErrors::default();
            let list = value(list.as_bytes()).expect("JSON");
            assert_eq!(texts_or_null(list, &["a"], &mut errors), expected);
            let found = errors.into_pairs();
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(pointer, detail)| (pointer.as_str(), detail.as_str()))
                .collect();
            assert_eq!(found, at_fault, "{list}");
        };
        check("null", &[], &[]);
        check(r#"["a"]"#, &["a"], &[]);
        for bad in ["1", r#""a""#, "{}"] {
            check(bad, &[], &[("/a", "must be an array of strings")]);
        }
        let told = "must be a string of Unicode characters";
        check(
            r#"["x", 1, null, [[]]]"#,
            &["x"],
            &[("/a/1", told), ("/a/2", told), ("/a/3", told)],
        );
    }
}
