//! The text of a query as events carry it: bounded, comparable, and empty where it might tell who
//! searched.

use unicode_normalization::UnicodeNormalization as _;

/// The longest query in an event. Longer ones are cut: they are pasted, and nobody asks them twice.
pub(crate) const QUERY_BYTES_MAX: usize = 200;
/// The fewest digits of a telephone number with its parts set apart, or with a + before it.
const PHONE_DIGITS_MIN: usize = 7;
/// The fewest digits that might be a telephone number, however they are written.
const LONG_NUMBER_DIGITS_MIN: usize = 9;
/// The fewest digits of a card number.
const CARD_DIGITS_MIN: usize = 13;

/// The two texts of a query in a search event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QueryText {
    pub(super) typed: String,
    pub(super) normalized: String,
}

impl QueryText {
    /// Both texts are empty where the query might hold personal data.
    pub(super) fn of(query: &str) -> Self {
        let normalized = normalized(query);
        if is_personal(&normalized) {
            return Self::default();
        }
        Self {
            typed: cut(query).to_owned(),
            normalized,
        }
    }
}

/// The query in NFKC and lower case, with single spaces and without control characters.
pub(super) fn normalized(query: &str) -> String {
    let folded: String = query.nfkc().flat_map(char::to_lowercase).collect();
    // Lower case may come apart: İ becomes i with a dot above it.
    let composed: String = folded
        .nfkc()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = composed.split_whitespace().collect();
    cut(&words.join(" ")).trim_end().to_owned()
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(QUERY_BYTES_MAX)]
}

/// Whether a normalized query looks like an e-mail address, or a telephone or card number. A GTIN, whose
/// check digit is right, is a product's number.
fn is_personal(query: &str) -> bool {
    query.split(' ').any(is_address)
        || numbers(query)
            .iter()
            .any(|number| is_personal_number(number))
}

/// Whether a normalized query may be shown to others: it looks like no personal data, and has no number so
/// long that it might be.
pub(super) fn is_suggestible(query: &str) -> bool {
    let digits = |number: &String| number.bytes().filter(u8::is_ascii_digit).count();
    let has_long_number = numbers(query)
        .iter()
        .any(|number| digits(number) >= LONG_NUMBER_DIGITS_MIN);
    !is_personal(query) && !has_long_number
}

fn is_address(word: &str) -> bool {
    let (name, host) = word.rsplit_once('@').unwrap_or_default();
    !name.is_empty() && host.len() > 2 && host.contains('.')
}

/// The parts of a text that are written like one number, in however many words.
fn numbers(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split([' ', ':', ',', ';', '=']).collect();
    words
        .chunk_by(|word, next| is_number(word) == is_number(next))
        .filter(|words| words.iter().all(|word| is_number(word)))
        .map(|words| words.join(" ").trim().to_owned())
        .collect()
}

fn is_number(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_digit() || "+-./()".contains(c))
}

fn is_personal_number(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() == number.len() {
        return digits.len() >= LONG_NUMBER_DIGITS_MIN && !is_gtin(&digits);
    }
    let pieces = number.split(|c: char| !c.is_ascii_digit());
    let pieces = pieces.filter(|piece| !piece.is_empty()).count();
    let is_dialled = number.starts_with(['+', '0', '(']);
    // Part numbers such as 920-009431 have two pieces.
    match digits.len() {
        CARD_DIGITS_MIN.. => true,
        LONG_NUMBER_DIGITS_MIN.. => is_dialled || pieces > 2,
        PHONE_DIGITS_MIN.. => is_dialled,
        _ => false,
    }
}

/// Whether the last digit is the check digit of the others (GS1 General Specifications 7.9).
fn is_gtin(digits: &[u32]) -> bool {
    let weighted = digits.iter().rev().zip([1, 3].iter().cycle());
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
    matches!(digits.len(), 8 | 12 | 13 | 14) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_that_differ_in_looks_alone_are_one() {
        for (typed, expected) in [
            ("  Gaming\t MOUSE ", "gaming mouse"),
            ("ＵＳＢ－Ｃ", "usb-c"),
            ("Cafe\u{301}", "café"),
            ("STRASSE", "strasse"),
            ("a\u{0}b", "a b"),
            ("½ inch", "1⁄2 inch"),
        ] {
            assert_eq!(normalized(typed), expected, "{typed:?}");
        }
        assert_eq!(normalized(&"é".repeat(400)).len(), QUERY_BYTES_MAX);
        let ligature = normalized(&"\u{fdfa}".repeat(300));
        assert!(ligature.len() <= QUERY_BYTES_MAX, "{}", ligature.len());
    }

    #[test]
    fn what_may_tell_who_searched_is_left_out() {
        for query in [
            "jane.doe@example.org",
            "order of Jane.Doe+x@mail.example.org please",
            "+49 30 123456",
            "0171 2345678",
            "(030) 123-4567",
            "01712345678",
            "4111 1111 1111 1111",
            "4111111111111111",
            "card 4111-1111-1111-1111 exp",
            "tel:555-123-4567",
        ] {
            assert_eq!(QueryText::of(query), QueryText::default(), "{query}");
        }
    }

    #[test]
    fn what_names_products_stays() {
        for query in [
            "5099206085336",
            "laptop 15.6 16gb",
            "cat5e 305m",
            "1/2 inch",
            "hp 255 g8 2w1d4ea",
            "920-009431",
            "a4tech 10050mah",
            "100 usb sticks",
            "@home",
            "1920x1080 144hz",
            "0",
        ] {
            assert_eq!(QueryText::of(query).typed, query);
        }
    }
}
