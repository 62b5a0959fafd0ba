//! Decides when two values are the same one. Filters and facets share it, so that a value that a facet
//! lists, given back as a filter, finds exactly the products that were counted.

use unicode_normalization::UnicodeNormalization as _;

use crate::index::text::markup::plain;

/// Joins the names of a category path into a value. A name may itself contain it.
const PATH_SEPARATOR: &str = ">";

/// Folds a text, so that neither letter case nor the way of writing a sign tells values apart:
/// composed and decomposed letters, half-width and full-width forms, µ and μ, ß and ss, straight and
/// typographic quotation marks are one.
pub(crate) fn folded(text: &str) -> String {
    let text = &*plain(text);
    if text.is_ascii() {
        return text.to_ascii_lowercase().replace('`', "'");
    }
    let signs = text.chars().map(plain_mark);
    let mut folded = String::with_capacity(text.len());
    let mut last = None;
    for sign in signs.nfkc().flat_map(char::to_lowercase) {
        match sign {
            // The letter İ becomes an i with a dot of its own.
            '\u{307}' if last == Some('i') => {}
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            sign => folded.push(sign),
        }
        last = Some(sign);
    }
    folded.nfkc().collect()
}

/// The plain form of a quotation mark, an apostrophe or a prime.
fn plain_mark(sign: char) -> char {
    match sign {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{2bc}' | '`' | '\u{b4}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' => '"',
        sign => sign,
    }
}

/// Folds a category path. Spaces around its separators do not count, since people write them.
pub(crate) fn folded_path(path: &str) -> String {
    let folded = folded(path);
    let names: Vec<&str> = folded.split(PATH_SEPARATOR).map(str::trim).collect();
    names.join(PATH_SEPARATOR)
}

/// A category path as one value.
pub(crate) fn joined(path: &[String]) -> String {
    path.join(PATH_SEPARATOR)
}

/// The number that is written like this, and in no other way: the text of `42` and of `0.5`, but not of
/// `42.0`, `+1` or `1e3`.
pub(crate) fn written_number(text: &str) -> Option<f64> {
    let number = read_number(text)?;
    (number.to_string() == text).then_some(number)
}

/// The finite number that a text means, however it is written: `42`, `42.0` and `4.2e1` are one.
pub(crate) fn read_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    // Adding 0.0 makes 0.0 of -0.0.
    number.is_finite().then_some(number + 0.0)
}

/// The flag that a folded text means.
pub(crate) fn read_flag(folded: &str) -> Option<bool> {
    match folded {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Takes a number that misses a whole one by no more than arithmetic does for that whole number.
pub(crate) fn snapped(number: f64) -> f64 {
    let whole = number.round();
    let tolerance = 1e-9 * whole.abs().max(1.0);
    if (number - whole).abs() <= tolerance.min(1e-3) {
        whole
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_written_in_several_ways_is_one() {
        for (one, other) in [
            ("Levi's", "LEVI\u{2019}S"),
            ("Müller", "mu\u{308}ller"),
            ("ｶﾒﾗ", "カメラ"),
            ("10 \u{b5}F", "10 \u{3bc}f"),
            ("Straße", "STRASSE"),
            ("İstanbul", "istanbul"),
            ("ΟΔΟΣ", "οδος"),
            ("ＡＢＣ", "abc"),
            ("17\u{2033}", "17\""),
            ("ﬁne", "FINE"),
            ("Black &amp; Decker", "BLACK & DECKER"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
            assert_eq!(folded(&folded(one)), folded(one), "{one}");
        }
        for (one, other) in [("resume", "résumé"), ("a b", "ab"), ("1", "I")] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
        assert_eq!(folded_path("Audio > Loud"), folded_path("audio>LOUD"));
    }

    #[test]
    fn a_number_has_one_way_to_be_written() {
        for text in ["42", "0.5", "-2.5", "0", "1000000000"] {
            assert_eq!(written_number(text), read_number(text), "{text}");
            assert!(read_number(text).is_some(), "{text}");
        }
        for text in ["42.0", "4.10", "+1", "1e3", "-0", ".5", "5.", "007"] {
            assert_eq!(written_number(text), None, "{text}");
            assert!(read_number(text).is_some(), "{text}");
        }
        for text in ["", "-", "inf", "nan", "1,5", "1e999", "0x1", "4 GB"] {
            assert_eq!(read_number(text), None, "{text}");
        }
    }

    #[test]
    fn what_arithmetic_has_moved_is_a_whole_number_again() {
        for (number, expected) in [
            (19.99 * 100.0, 1_999.0),
            (0.29 * 100.0, 29.0),
            (1.005 * 100.0, 100.5),
            (-0.5, -0.5),
            (f64::INFINITY, f64::INFINITY),
        ] {
            let found = snapped(number);
            assert!(
                found == expected || (found - expected).abs() < 1e-9 && expected.fract() != 0.0,
                "{number} {found}"
            );
        }
    }
}
