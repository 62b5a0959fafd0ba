//! Converts the values of a feed into the types that products have.

use catalog_events::{Currency, Money};
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use catalog_proto::v1::{AttributeList, AttributeScalar, AttributeValue, ProductStatus};
use serde_json::{Number, Value};

/// The first double from which on not every integer is exact.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// How many decimal digits every double holds exactly.
const EXACT_DIGITS: usize = 15;

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

/// Gives a CSV cell the type that it looks like. Leading zeros, and more digits than a double
/// holds, are the marks of codes, which stay text.
pub(super) fn typed(text: &str) -> Value {
    let text = text.trim();
    let as_text = || Value::String(text.to_owned());
    match text {
        "true" | "TRUE" | "True" => return Value::Bool(true),
        "false" | "FALSE" | "False" => return Value::Bool(false),
        _ if !is_plain_number(text) => return as_text(),
        _ => {}
    }
    let number = text.parse().ok().and_then(Number::from_f64);
    number.map_or_else(as_text, Value::Number)
}

fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number(whole)
        && fraction.is_none_or(is_number)
        && (whole == "0" || !whole.starts_with('0'))
        && digits.len() <= EXACT_DIGITS
}

/// Makes an attribute name from a column name: lower case letters, digits, `-`, `.` and single `_`.
pub(super) fn attribute_name(column: &str, strip: &[String]) -> String {
    let stripped = strip
        .iter()
        .find_map(|prefix| column.strip_prefix(prefix.as_str()));
    let mut name = String::with_capacity(column.len());
    for char in stripped
        .unwrap_or(column)
        .chars()
        .flat_map(char::to_lowercase)
    {
        if char.is_alphanumeric() || char == '-' || char == '.' {
            name.push(char);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    if name.contains(char::is_alphanumeric) {
        name.trim_matches('_').to_owned()
    } else {
        String::new()
    }
}

/// Cuts a text to a length that fits a message.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_csv_become_what_they_look_like() {
        let check = |text: &str, expected: Value| assert_eq!(typed(text), expected, "{text:?}");
        for (text, number) in [
            ("0", 0.0),
            ("-12.50", -12.5),
            ("0.5", 0.5),
            ("1080", 1080.0),
        ] {
            check(text, Value::from(number));
        }
        for text in [
            "007",
            "4006381333931001",
            "1e3",
            "1,5",
            ".5",
            "5.",
            "-",
            "NaN",
            "0x10",
            "yes",
        ] {
            check(text, Value::from(text));
        }
        check(" TRUE ", Value::from(true));
        check("false", Value::from(false));
    }

    #[test]
    fn names_of_attributes_are_plain() {
        let strip = ["attr_t_".to_owned(), "attr_n_".to_owned()];
        let check = |column, expected| assert_eq!(attribute_name(column, &strip), expected);
        check("attr_t_contrast_ratio__typical_", "contrast_ratio_typical");
        check("attr_b_touchscreen", "attr_b_touchscreen");
        check("Farbe (außen)", "farbe_außen");
        check("dimensions.Width", "dimensions.width");
        check(" -- ", "");
        check("attr_n_", "");
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
