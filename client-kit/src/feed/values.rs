//! Converts the values of a feed into the types that products have.

mod names;
mod cells;
mod shown;
mod formula;
mod gtins;
mod images;

use std::borrow::Cow;

use catalog_events::{Currency, Money};
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use catalog_proto::v1::{AttributeList, AttributeScalar, AttributeValue, ProductStatus};
use quick_xml::escape::resolve_html5_entity;
use serde_json::{Number, Value};

pub(crate) use crate::feed::values::cells::is_plain_number;
pub(super) use crate::feed::values::cells::{number_or_text, plain_number, typed};
pub(super) use crate::feed::values::formula::text_of;
pub(crate) use crate::feed::values::gtins::gtin_digits;
pub(super) use crate::feed::values::gtins::{SEPARATORS as GTIN_SEPARATORS, gtins};
pub(crate) use crate::feed::values::images::image_address;
pub(crate) use crate::feed::values::names::attribute_name;
pub(super) use crate::feed::values::names::is_of_gtins;
pub(crate) use crate::feed::values::shown::shell_word;
pub(super) use crate::feed::values::shown::{listed, shorten};

/// The first double from which on not every integer is exact.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// The columns that a report of rejected rows adds, and that an import leaves out: where the row stood, what
/// is wrong with it, and its text where it could not be taken apart.
pub const REPORT_COLUMNS: [&str; 3] = ["import_line", "import_error", "import_row"];

/// A single value as trimmed text; none when there is nothing but blanks.
pub(super) fn text(value: Value) -> Result<Option<String>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(_) => return Err("expected a single value, found a list".to_owned()),
        Value::Object(members) => {
            let member = members.keys().next().map_or("member", String::as_str);
            return Err(format!(
                "expected a single value, found an object: map COLUMN.{member}"
            ));
        }
    };
    let trimmed = text.trim();
    Ok(match trimmed.len() {
        0 => None,
        length if length == text.len() => Some(text),
        _ => Some(trimmed.to_owned()),
    })
}

/// Reads a JSON list, or a text cut at any of the separators; empty parts are left out.
pub(super) fn list(value: Value, separators: &[char]) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => items
            .into_iter()
            .filter_map(|item| text(item).transpose())
            .collect(),
        single => Ok(text(single)?
            .unwrap_or_default()
            .split(separators)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()),
    }
}

/// Reads a category path: a list, or a text cut at the separator. Without one, a text is cut at `>` with
/// blanks around it where it has any, so that names may have the sign too.
pub(super) fn categories(value: Value, separator: Option<&str>) -> Result<Vec<String>, String> {
    let levels = match value {
        Value::Array(items) => {
            return Ok(list(Value::Array(items), &[])?
                .into_iter()
                .map(plain)
                .collect());
        }
        single => text(single)?.unwrap_or_default(),
    };
    let levels = plain(levels);
    let separator = match separator {
        Some(separator) => separator,
        None if levels.contains(" > ") => " > ",
        None => ">",
    };
    // A level between two signs without a name is none.
    let is_blank = |c: char| c.is_whitespace() || (c == '>' && separator == " > ");
    let names = levels
        .split(separator)
        .map(|name| name.trim_matches(is_blank));
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// A text of one line with its HTML entities decoded: `Black &amp; Decker`. What is no entity stays, and a
/// line break is a blank.
pub(super) fn plain(text: String) -> String {
    let text = joined(text);
    if !text.contains('&') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest.find(';').map(|end| &rest[1..end]);
        let known = name.and_then(|name| Some((name, entity(name)?)));
        // A control character is nothing in a text of one line.
        match known.filter(|(_, text)| !text.contains(char::is_control)) {
            // A blank that does not break is one all the same.
            Some((name, text)) => {
                plain.push_str(&text.replace('\u{a0}', " "));
                rest = &rest[name.len() + 2..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

/// A text with its lines behind each other.
fn joined(text: String) -> String {
    let is_break = |c: char| c.is_control() && c.is_whitespace();
    if !text.contains(is_break) {
        return text;
    }
    let lines = text.split(is_break).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// What stands for an entity of HTML: `eacute`, `#233` or `#xE9`.
pub(super) fn entity(name: &str) -> Option<Cow<'static, str>> {
    let Some(number) = name.strip_prefix('#') else {
        return resolve_html5_entity(name).map(Cow::Borrowed);
    };
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    let char = char::from_u32(code).filter(|char| *char != '\0')?;
    Some(Cow::Owned(char.to_string()))
}

pub(super) fn version(text: &str) -> Result<i64, String> {
    let version = text.parse().ok().filter(|version| *version > 0);
    version.ok_or_else(|| format!("{text:?} is no version: they count from 1"))
}

/// Reads a word for true or false.
pub(crate) fn flag(text: &str) -> Result<Value, String> {
    const YES: [&str; 11] = [
        "true", "t", "yes", "y", "1", "x", "ja", "j", "oui", "si", "on",
    ];
    const NO: [&str; 10] = [
        "false", "f", "no", "n", "0", "-", "nein", "non", "off", "nee",
    ];
    let word = text.trim().to_lowercase();
    if word.is_empty() {
        Ok(Value::Null)
    } else if YES.contains(&&*word) || word == "sí" || word == "✓" {
        Ok(Value::Bool(true))
    } else if NO.contains(&&*word) {
        Ok(Value::Bool(false))
    } else {
        Err(format!(
            "has {:?}, which is neither yes nor no",
            shorten(text)
        ))
    }
}

pub(super) fn flag_of(value: Value) -> Result<Value, String> {
    match value {
        Value::String(text) => flag(&text),
        Value::Number(number) => flag(&number.to_string()),
        other => Ok(other),
    }
}

/// Whether a column was added by the report of an earlier import.
pub(super) fn is_of_report(column: &str) -> bool {
    REPORT_COLUMNS.contains(&column)
}

pub(super) fn status(text: &str) -> Result<ProductStatus, String> {
    match text.to_ascii_lowercase().as_str() {
        "active" => Ok(ProductStatus::Active),
        "discontinued" => Ok(ProductStatus::Discontinued),
        _ => Err(format!("{text:?} is neither active nor discontinued")),
    }
}

/// Parses minor units: `4995`, or `4995.0` from programs that know only floats.
pub(super) fn minor_units(text: &str, currency: Currency) -> Result<Money, String> {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    let minor = whole.parse().map_err(|_| {
        format!("{text:?} is not a whole number of minor units; --price takes decimals")
    })?;
    Money::from_minor(minor, currency).map_err(|err| err.to_string())
}

/// A value of a column of GTINs: what is a number is the text of its digits.
pub(super) fn as_code(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let digits = number.to_string();
            Value::String(digits.strip_suffix(".0").unwrap_or(&digits).to_owned())
        }
        Value::Array(values) => values.into_iter().map(as_code).collect(),
        other => other,
    }
}

/// Converts a value into an attribute, an array into a list of its elements; none when it is empty. The
/// error continues a sentence that begins with the name of the column.
pub(super) fn attribute(value: Value) -> Result<Option<AttributeValue>, &'static str> {
    let kind = match value {
        Value::Array(items) => list_of_scalars(items)?.map(Kind::List),
        single => scalar(single)
            .map_err(|_| "is an object")?
            .map(single_value),
    };
    Ok(kind.map(|kind| AttributeValue { kind: Some(kind) }))
}

fn single_value(scalar: ScalarKind) -> Kind {
    match scalar {
        ScalarKind::Text(text) => Kind::Text(text),
        ScalarKind::Number(number) => Kind::Number(number),
        ScalarKind::Flag(flag) => Kind::Flag(flag),
    }
}

fn list_of_scalars(items: Vec<Value>) -> Result<Option<AttributeList>, &'static str> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        let kind = scalar(item).map_err(|_| "is a list of objects or lists")?;
        values.extend(kind.map(|kind| AttributeScalar { kind: Some(kind) }));
    }
    Ok((!values.is_empty()).then_some(AttributeList { values }))
}

fn scalar(value: Value) -> Result<Option<ScalarKind>, String> {
    Ok(match value {
        Value::Bool(flag) => Some(ScalarKind::Flag(flag)),
        Value::Number(number) => Some(self::number(&number)),
        single => text(single)?.map(ScalarKind::Text),
    })
}

pub(super) fn number(number: &Number) -> ScalarKind {
    match number.as_f64() {
        Some(value) if value.abs() < EXACT_MAX || number.is_f64() => ScalarKind::Number(value),
        _ => ScalarKind::Text(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_of_names_are_decoded() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text.to_owned()), expected);
        check("Black &amp; Decker", "Black & Decker");
        check("Caf&eacute; &#8364;&#x41;&nbsp;x", "Café €A x");
        check("two\r\nlines,\ta tab \n", "two lines, a tab");
        check("no\u{7}bell &#10;", "no\u{7}bell &#10;");
        check("AT&T; R&D &copy &#0; &", "AT&T; R&D &copy &#0; &");
        let path = |text: &str, separator| categories(Value::from(text), separator).unwrap();
        assert_eq!(path("A >\nB\nC > D", None), ["A", "B C", "D"]);
        assert_eq!(path("A &gt; B>C", None), ["A", "B>C"]);
        assert_eq!(path("A>B", None), ["A", "B"]);
        assert_eq!(path("A > > B >", None), ["A", "B"]);
        assert_eq!(path("A>>B", None), ["A", "B"]);
        assert_eq!(path("A > 5 m/B", Some("/")), ["A > 5 m", "B"]);
    }

    #[test]
    fn minor_units_are_whole() {
        let check = |text, expected: Option<i64>| {
            let found = minor_units(text, Currency::USD)
                .ok()
                .map(|money| money.minor());
            assert_eq!(found, expected, "{text:?}");
        };
        check("4995", Some(4995));
        check("4995.0", Some(4995));
        check("49.95", None);
        check("-1", None);
        check("", None);
    }

    #[test]
    fn what_a_double_cannot_hold_stays_text() {
        let big = attribute(serde_json::json!(9_007_199_254_740_993_u64)).unwrap();
        let kind = big.and_then(|value| value.kind);
        assert_eq!(kind, Some(Kind::Text("9007199254740993".to_owned())));
    }
}
