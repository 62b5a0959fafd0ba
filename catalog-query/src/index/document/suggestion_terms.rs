//! The terms that complete what a user types: words and word pairs of titles, and brands,
//! unstemmed.

use std::collections::HashSet;

use catalog_events::Product;
use tantivy::TantivyDocument;
use tantivy::schema::{Field, SchemaBuilder};

use crate::index::document::text_options::term;
use crate::index::document::values::folded;

/// The number of title words that become suggestions. Later words tell few products apart.
pub(crate) const TITLE_WORDS_MAX: usize = 16;
pub(crate) const WORD_BYTES_MAX: usize = 40;
/// The longest word with digits that counts as a size; a longer one is a model number.
pub(crate) const SIZE_BYTES_MAX: usize = 5;

pub(crate) fn add_to(schema: &mut SchemaBuilder) -> Field {
    schema.add_text_field("suggest", term())
}

pub(crate) fn fill(field: Field, document: &mut TantivyDocument, product: &Product) {
    let words = words(&product.title, TITLE_WORDS_MAX);
    // A model number is typed from its beginning, so only other words are worth a pair.
    let pairs = words
        .windows(2)
        .filter(|pair| !pair.iter().any(|word| is_code(word)))
        .map(|pair| pair.join(" "));
    let brand = product
        .brand
        .iter()
        .map(|brand| self::words(brand, 4).join(" "));
    let texts = pairs.chain(brand).chain(words.iter().cloned());
    let several = |text: &String| text.chars().nth(1).is_some();
    let distinct: HashSet<String> = texts.filter(several).collect();
    for text in distinct {
        document.add_text(field, text);
    }
}

/// Splits a text into at most `max` words of letters and digits, in lower case. A decimal point is part of
/// its number, as in "3.5mm".
pub(crate) fn words(text: &str, max: usize) -> Vec<String> {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let ends = |(at, c): (usize, char)| {
        let is_decimal = matches!(c, '.' | ',')
            && is_digit(text[..at].chars().next_back())
            && is_digit(text[at + 1..].chars().next());
        !c.is_alphanumeric() && !is_decimal
    };
    let gaps = text.char_indices().filter(|place| ends(*place));
    let mut from = 0;
    let mut words: Vec<&str> = Vec::new();
    for (at, c) in gaps {
        words.push(&text[from..at]);
        from = at + c.len_utf8();
    }
    words.push(&text[from..]);
    words
        .into_iter()
        .filter(|word| (1..=WORD_BYTES_MAX).contains(&word.len()))
        .take(max)
        .map(folded)
        .collect()
}

/// Whether a word is a model number or the like, and not a size such as "16gb" or "2160p".
pub(crate) fn is_code(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    digits > 0 && (digits < word.len() && word.len() > SIZE_BYTES_MAX || digits > SIZE_BYTES_MAX)
}
