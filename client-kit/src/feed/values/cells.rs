//! The types that cells of tables look like. What is a number depends on the notation of its column; what is
//! none in it stays the text that it is.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::feed::prices::DecimalSign;

/// How many decimal digits every double holds exactly.
const EXACT_DIGITS: usize = 15;

/// Gives a cell the type that it looks like. Leading zeros, decimals that end in 0, and more digits than a
/// double holds, are the marks of codes, which stay text.
pub(in crate::feed) fn typed(text: &str, sign: DecimalSign) -> Value {
    let text = text.trim();
    match text {
        "true" | "TRUE" | "True" => return Value::Bool(true),
        "false" | "FALSE" | "False" => return Value::Bool(false),
        _ => {}
    }
    let number = plain_number(text, sign).filter(|plain| !ends_in_zero(plain));
    or_text(number, text)
}

/// Makes a number of a cell that is one, whatever it ends in; another one stays text.
pub(in crate::feed) fn number_or_text(text: &str, sign: DecimalSign) -> Value {
    let text = text.trim();
    or_text(plain_number(text, sign), text)
}

fn or_text(plain: Option<Cow<'_, str>>, text: &str) -> Value {
    let number = plain.and_then(|plain| plain.parse().ok().and_then(Number::from_f64));
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

/// The plain form of a number that is written in a notation; none for what is no number in it. Where no
/// notation is known, only the plain form is one.
pub(in crate::feed) fn plain_number(text: &str, sign: DecimalSign) -> Option<Cow<'_, str>> {
    let (decimal, grouping) = match sign {
        DecimalSign::Unknown => return is_plain_number(text).then_some(Cow::Borrowed(text)),
        DecimalSign::Point => ('.', ','),
        DecimalSign::Comma => (',', '.'),
    };
    if !text.contains([decimal, grouping]) {
        return is_plain_number(text).then_some(Cow::Borrowed(text));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut groups = whole.split(grouping);
    let first = groups.next().unwrap_or_default();
    let mut is_grouped = false;
    let is_whole = groups.all(|group| {
        is_grouped = true;
        group.len() == 3
    });
    if !is_whole || (is_grouped && !(1..=3).contains(&first.len())) {
        return None;
    }
    let mut plain = whole.replace(grouping, "");
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    let signed = if digits.len() < text.len() { "-" } else { "" };
    // A zero before groups is the mark of a code, as it is before other digits.
    let is_number = is_plain_number(&plain) && !(is_grouped && first.starts_with('0'));
    is_number.then(|| Cow::Owned(format!("{signed}{plain}")))
}

/// Whether a text has decimals that end in 0: version 4.10 comes after 4.9.
fn ends_in_zero(text: &str) -> bool {
    text.contains('.') && text.ends_with('0')
}

/// Whether a text is a number in the plain form that has no other.
pub(crate) fn is_plain_number(text: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sign: DecimalSign, text: &str, expected: Value) {
        assert_eq!(typed(text, sign), expected, "{text:?} {sign:?}");
    }

    #[test]
    fn texts_of_a_csv_become_what_they_look_like() {
        for (text, number) in [("0", 0.0), ("-12.5", -12.5), ("0.5", 0.5), ("1080", 1080.0)] {
            check(DecimalSign::Unknown, text, Value::from(number));
        }
        for text in [
            "007",
            "4006381333931001",
            "1e3",
            "1,5",
            "1,299.5",
            ".5",
            "5.",
            "4.10",
            "2.0",
            "-",
            "NaN",
            "0x10",
            "yes",
        ] {
            check(DecimalSign::Unknown, text, Value::from(text));
        }
        check(DecimalSign::Unknown, " TRUE ", Value::from(true));
        check(DecimalSign::Unknown, "false", Value::from(false));
    }

    #[test]
    fn a_told_notation_is_that_of_every_number() {
        for (sign, text, number) in [
            (DecimalSign::Comma, "1,5", 1.5),
            (DecimalSign::Comma, "-0,25", -0.25),
            (DecimalSign::Comma, "1.299", 1299.0),
            (DecimalSign::Comma, "1.299,5", 1299.5),
            (DecimalSign::Comma, "-1.299.000", -1_299_000.0),
            (DecimalSign::Comma, "1299,5", 1299.5),
            (DecimalSign::Comma, "12", 12.0),
            (DecimalSign::Point, "1.299", 1.299),
            (DecimalSign::Point, "1,299", 1299.0),
            (DecimalSign::Point, "1,299.5", 1299.5),
            (DecimalSign::Point, "1299.5", 1299.5),
        ] {
            check(sign, text, Value::from(number));
        }
        for (sign, text) in [
            (DecimalSign::Comma, "1.5"),
            (DecimalSign::Comma, "1,2,3"),
            (DecimalSign::Comma, "1.29,5"),
            (DecimalSign::Comma, "0.299"),
            (DecimalSign::Comma, "1,299.5"),
            (DecimalSign::Comma, "1299.000"),
            (DecimalSign::Comma, "12,50"),
            (DecimalSign::Comma, "007,5"),
            (DecimalSign::Comma, "1,"),
            (DecimalSign::Comma, ",5"),
            (DecimalSign::Comma, "12.04.2024"),
            (DecimalSign::Comma, "a,b"),
            (DecimalSign::Point, "2,5"),
            (DecimalSign::Point, "1.299,5"),
            (DecimalSign::Point, "1.2.3"),
            (DecimalSign::Point, "1,29,900"),
        ] {
            check(sign, text, Value::from(text));
        }
        let number = number_or_text("12,50", DecimalSign::Comma);
        assert_eq!(number, Value::from(12.5));
    }
}
