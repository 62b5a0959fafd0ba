//! The value of a property: one text, number or flag, or a list of them.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The value of a property. A single value and a list of one mean the same to a search, but each stays
/// as it was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum AttributeValue {
    /// A single value.
    One(AttributeScalar),
    /// Several values, in the order in which they were stated.
    List(Vec<AttributeScalar>),
}

/// A value that has no parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum AttributeScalar {
    /// True or false.
    Flag(bool),
    /// A finite number.
    Number(f64),
    /// Text.
    Text(String),
}

impl AttributeValue {
    /// The values that a search finds the product by: the elements of a list, or the one value.
    pub fn elements(&self) -> &[AttributeScalar] {
        match self {
            AttributeValue::One(scalar) => std::slice::from_ref(scalar),
            AttributeValue::List(scalars) => scalars,
        }
    }
}

impl<T: Into<AttributeScalar>> From<T> for AttributeValue {
    fn from(scalar: T) -> Self {
        AttributeValue::One(scalar.into())
    }
}

impl From<bool> for AttributeScalar {
    fn from(flag: bool) -> Self {
        AttributeScalar::Flag(flag)
    }
}

impl From<f64> for AttributeScalar {
    fn from(number: f64) -> Self {
        AttributeScalar::Number(number)
    }
}

impl From<String> for AttributeScalar {
    fn from(text: String) -> Self {
        AttributeScalar::Text(text)
    }
}

impl From<&str> for AttributeScalar {
    fn from(text: &str) -> Self {
        AttributeScalar::Text(text.to_owned())
    }
}

// Both are read by hand: what serde derives for an untagged type copies each value before it tries one
// type after another, and events are read by the million.

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a flag or a list of them")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<AttributeValue, E> {
        ScalarVisitor.visit_bool(flag).map(AttributeValue::One)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<AttributeValue, E> {
        ScalarVisitor.visit_i64(number).map(AttributeValue::One)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<AttributeValue, E> {
        ScalarVisitor.visit_u64(number).map(AttributeValue::One)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<AttributeValue, E> {
        ScalarVisitor.visit_f64(number).map(AttributeValue::One)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AttributeValue, E> {
        ScalarVisitor.visit_str(text).map(AttributeValue::One)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<AttributeValue, E> {
        ScalarVisitor.visit_string(text).map(AttributeValue::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AttributeValue, A::Error> {
        let mut scalars = Vec::new();
        while let Some(scalar) = list.next_element()? {
            scalars.push(scalar);
        }
        Ok(AttributeValue::List(scalars))
    }
}

impl<'de> Deserialize<'de> for AttributeScalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = AttributeScalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a flag")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<AttributeScalar, E> {
        Ok(AttributeScalar::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<AttributeScalar, E> {
        Ok(AttributeScalar::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<AttributeScalar, E> {
        Ok(AttributeScalar::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<AttributeScalar, E> {
        Ok(AttributeScalar::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AttributeScalar, E> {
        Ok(AttributeScalar::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<AttributeScalar, E> {
        Ok(AttributeScalar::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_json_as_it_was_written() {
        for json in [
            "\"Red\"",
            "true",
            "0.30000000000000004",
            "-7.0",
            "[\"Red\",\"Blue\"]",
            "[\"Red\"]",
            "[\"42\",42.0,true]",
            "[]",
        ] {
            let value: AttributeValue = serde_json::from_str(json).expect(json);
            assert_eq!(serde_json::to_string(&value).expect("JSON"), json);
        }
        let whole: AttributeValue =
            serde_json::from_str("[18446744073709551615, -3]").expect("list");
        assert_eq!(
            whole.elements(),
            [18446744073709551615.0.into(), (-3.0).into()]
        );
    }

    #[test]
    fn a_list_has_no_lists_and_nothing_has_members() {
        for (json, reason) in [
            ("[[\"Red\"]]", "expected a text, a number or a flag"),
            ("[null]", "expected a text, a number or a flag"),
            ("{}", "expected a text, a number, a flag or a list of them"),
            (
                "null",
                "expected a text, a number, a flag or a list of them",
            ),
        ] {
            let read: Result<AttributeValue, _> = serde_json::from_str(json);
            let message = read.expect_err(json).to_string();
            assert!(message.contains(reason), "{json}: {message}");
        }
    }
}
