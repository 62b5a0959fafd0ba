//! GTINs as feeds write them: with blanks and hyphens in them, several in a text, or made numbers of.

use crate::feed::values::formula;
use crate::feed::values::shown::shorten;
use crate::gtin;

/// What separates several of them, besides blanks.
pub(in crate::feed) const SEPARATORS: [char; 4] = [',', ';', '|', '/'];

/// What a text says: a GTIN, and what was wrong with the text or was mended.
pub(in crate::feed) type Stated = (Option<String>, Option<String>);

/// Reads the GTINs of a text without separators. Blanks are inside of one whose check digit is right, else between
/// several of which one at least is whole.
pub(in crate::feed) fn gtins(text: &str) -> Vec<Stated> {
    let is_one = |word: &str| gtin(word).0.is_some();
    let are_several = || text.split_whitespace().any(is_one);
    if !gtin::is_valid(&gtin_digits(text)) && are_several() {
        return text.split_whitespace().map(gtin).collect();
    }
    vec![gtin(text)]
}

/// A text without the blanks and hyphens that group digits, and without what spreadsheets put around them.
pub(crate) fn gtin_digits(text: &str) -> String {
    let groups = |c: &char| {
        let is_hyphen = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}');
        let is_unseen = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
        c.is_whitespace() || is_hyphen || is_unseen
    };
    let text = formula::text_of(text).trim_start_matches('\'');
    text.chars().filter(|c| !groups(c)).collect()
}

/// A valid GTIN. Spreadsheets make numbers of GTINs. One with a wrong check digit is taken as it stands: shops have
/// such goods, and find them by it. One of zeros fills a field that must not be empty.
fn gtin(text: &str) -> Stated {
    let is_gtin =
        |text: &str| (8..=14).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let left_out = |why: &str| {
        let shown = shorten(text);
        (None, Some(format!("{shown:?} is left out: {why}")))
    };
    let digits = gtin_digits(text);
    if is_gtin(&digits) {
        if digits.bytes().all(|digit| digit == b'0') {
            return left_out("a GTIN of zeros stands for none");
        }
        let warning = (!gtin::is_checked(&digits)).then(|| {
            format!("{digits} is taken as it stands, though its last digit, which checks the others, is wrong")
        });
        return (Some(digits), warning);
    }
    match digits.strip_suffix(".0").filter(|whole| is_gtin(whole)) {
        Some(whole) => (
            Some(whole.to_owned()),
            Some(format!("{:?} was read as {whole}", shorten(text))),
        ),
        None => left_out("a GTIN has 8 to 14 digits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gtins_that_spreadsheets_broke_are_told() {
        let check = |text: &str, found: Option<&str>, is_told: bool| {
            let (gtin, warning) = gtin(text);
            assert_eq!(
                (gtin.as_deref(), warning.is_some()),
                (found, is_told),
                "{text}"
            );
        };
        check("4006381333931", Some("4006381333931"), false);
        check("978-3-16-148410-0", Some("9783161484100"), false);
        check("4006381333931.0", Some("4006381333931"), true);
        check("4.0E+12", None, true);
        check("4006381333932", Some("4006381333932"), true);
        check("36000291452", Some("36000291452"), false);
        check("1234567", None, true);
    }
}
