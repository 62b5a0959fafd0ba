//! How text becomes terms, for documents and queries alike.

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer,
    TextAnalyzer,
};

/// Part of the schema: an index that another analyzer has built is of another schema. Count up when
/// the analyzer changes.
pub(super) const NAME: &str = "catalog_english_1";

const WORD_BYTES_MAX: usize = 64;
const IDENTIFIER_BYTES_MAX: usize = 64;

/// No stop words: "the boys" and "it" are products.
pub(super) fn words() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The canonical form of a part number or GTIN: lower case letters and digits, so that `WH-1000 XM4`
/// is `wh1000xm4`, and no leading zeros before a number, so that a UPC equals its EAN. None when
/// nothing is left, or too much.
pub(super) fn identifier(text: &str) -> Option<String> {
    let mut plain = String::new();
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        plain.extend(c.to_lowercase());
        if plain.len() > IDENTIFIER_BYTES_MAX {
            return None;
        }
    }
    let number = plain.bytes().all(|b| b.is_ascii_digit());
    let canonical = if number {
        plain.trim_start_matches('0')
    } else {
        &plain
    };
    (!canonical.is_empty()).then(|| canonical.to_owned())
}
