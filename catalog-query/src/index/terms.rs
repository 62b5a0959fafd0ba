//! What a query text asks the index for.

use tantivy::tokenizer::TokenStream as _;

use super::analyzer;

/// Shorter parts of a query are rarely meant as a part number: "10", "ps4", "a3".
const PART_BYTES_MIN: usize = 4;

/// The words of a query, split as the documents are, and what in it may be a part number or GTIN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueryTerms {
    pub(super) words: Vec<String>,
    pub(super) identifiers: Vec<String>,
}

impl QueryTerms {
    /// Words beyond this many are not looked for.
    pub(crate) const WORDS_MAX: usize = 32;

    /// `text` is a user's: whatever it holds becomes words or nothing.
    pub(crate) fn of(text: &str) -> Self {
        let mut analyzer = analyzer::words();
        let mut stream = analyzer.token_stream(text);
        let mut words: Vec<String> = Vec::new();
        while words.len() < Self::WORDS_MAX && stream.advance() {
            let word = &stream.token().text;
            if !words.contains(word) {
                words.push(word.clone());
            }
        }
        Self {
            words,
            identifiers: identifiers(text),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// The text as a whole ("WH-1000 XM4") and every part that looks like a number of some kind ("Sony
/// WH-1000XM4").
fn identifiers(text: &str) -> Vec<String> {
    let mut identifiers: Vec<String> = analyzer::identifier(text).into_iter().collect();
    for part in text.split_whitespace().take(QueryTerms::WORDS_MAX) {
        let identifier = analyzer::identifier(part).filter(|text| looks_like_a_number(text));
        if let Some(identifier) = identifier.filter(|text| !identifiers.contains(text)) {
            identifiers.push(identifier);
        }
    }
    identifiers
}

fn looks_like_a_number(identifier: &str) -> bool {
    identifier.len() >= PART_BYTES_MIN && identifier.bytes().any(|b| b.is_ascii_digit())
}
