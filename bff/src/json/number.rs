//! Numbers by their text. Invariant: no digit is lost in a double, for nothing here passes through one.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The first whole number from which on a double may stand for several.
const EXACT_MAX: u64 = 1 << 53;
/// The most digits of a number that is written without its exponent; amounts and counts have far fewer.
const PLAIN_DIGITS_MAX: usize = 40;

/// Reads a whole number however JSON writes it: to JSON Schema, `1.0` and `1e2` are integers too.
pub(crate) fn whole(value: &RawValue) -> Option<i64> {
    let plain = plain(value.get())?;
    let whole = match plain.split_once('.') {
        Some((whole, fraction)) => Some(whole).filter(|_| fraction.bytes().all(|it| it == b'0')),
        None => Some(&*plain),
    };
    whole?.parse().ok()
}

/// The number of a JSON text without an exponent: `1e2` is `100`, and `12.5e-1` is `1.25`. None for what is no
/// number, or far too long for one of ours.
pub(crate) fn plain(text: &str) -> Option<Cow<'_, str>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let Some(exponent) = exponent else {
        return Some(Cow::Borrowed(text));
    };
    let exponent: i32 = exponent.parse().ok()?;
    let all = format!("{whole}{fraction}");
    let length = all.len() + usize::try_from(exponent.unsigned_abs()).ok()?;
    if length > PLAIN_DIGITS_MAX {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let sign = &text[..text.len() - digits.len()];
    let Ok(point @ 1..) = usize::try_from(point) else {
        let zeros = "0".repeat(usize::try_from(-point).ok()?);
        return Some(Cow::Owned(format!("{sign}0.{zeros}{all}")));
    };
    let all = format!("{all:0<point$}");
    let (whole, fraction) = all.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let stop = if fraction.is_empty() { "" } else { "." };
    Some(Cow::Owned(format!("{sign}{whole}{stop}{fraction}")))
}

/// Whether a number is an integer of which a double could lose digits: an id rather than an amount.
pub(crate) fn is_inexact(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_integer && !digits.parse::<u64>().is_ok_and(|number| number < EXACT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::raw;

    #[test]
    fn a_whole_number_may_be_written_as_a_decimal_or_with_an_exponent() {
        let check = |text: &str, expected: Option<i64>| {
            let value = raw::value(text.as_bytes()).expect("JSON");
            assert_eq!(whole(value), expected, "{text}");
        };
        check("7", Some(7));
        check("-7", Some(-7));
        check("1.0", Some(1));
        check("1e2", Some(100));
        check("1.50E+2", Some(150));
        check("1200e-2", Some(12));
        check("0e0", Some(0));
        check("9007199254740993", Some(9_007_199_254_740_993));
        check("9223372036854775807.0", Some(i64::MAX));
        for text in [
            "1.5",
            "1e-1",
            "9223372036854775808",
            "1e19",
            "1e400",
            "1e99999999999",
            "\"1\"",
            "null",
            "true",
            "[1]",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn an_exponent_is_written_out() {
        let check = |text, expected: Option<&str>| assert_eq!(plain(text).as_deref(), expected);
        check("19.99", Some("19.99"));
        check("1e2", Some("100"));
        check("-1.999e1", Some("-19.99"));
        check("0.5e1", Some("5"));
        check("5e-3", Some("0.005"));
        check("12.5e-2", Some("0.125"));
        check("1e400", None);
        check("1e-400", None);
    }

    #[test]
    fn an_integer_that_a_double_cannot_hold_is_told() {
        for text in [
            "9007199254740992",
            "-9007199254740993",
            "123456789012345678901",
        ] {
            assert!(is_inexact(text), "{text}");
        }
        for text in ["0", "-9007199254740991", "1e300", "9007199254740993.5"] {
            assert!(!is_inexact(text), "{text}");
        }
    }
}
