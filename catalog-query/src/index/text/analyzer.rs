//! Turns text into terms, for documents and queries alike.

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RawTokenizer, RemoveLongFilter, TextAnalyzer, TokenStream as _,
    TokenizerManager,
};

use crate::index::text::language::Language;
use crate::index::text::tokens::{Measures, WordTokenizer};

/// The name of the analyzer of words as they are written, except for letter case and accents. Spelling
/// is corrected with those words. The schema holds the name: count up when the analyzer changes.
pub(crate) const SURFACE: &str = "catalog_surface_1";

const WORD_BYTES_MAX: usize = 64;
/// The longest identifier. Nobody can ask for a longer one.
const IDENTIFIER_BYTES_MAX: usize = 1_000;

pub(crate) fn register(tokenizers: &TokenizerManager, language: Language) {
    tokenizers.register(language.analyzer(), stems(language));
    tokenizers.register(SURFACE, surface(Measures::WithParts));
}

/// Builds the analyzer of a language. It drops no stop words, because "the boys" and "it" are
/// products.
fn stems(language: Language) -> TextAnalyzer {
    let words = TextAnalyzer::builder(WordTokenizer::new(Measures::WithParts))
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter);
    match language.stemmer() {
        Some(stemmer) => words.filter(stemmer).build(),
        None => words.build(),
    }
}

fn surface(measures: Measures) -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer::new(measures))
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word as it is written, in lower case and without accents.
    pub(crate) surface: String,
    /// The stem that the index holds.
    pub(crate) stem: String,
    /// The place of the word in the text, in bytes.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Language {
    /// Returns the words of a query, at most `words_max`.
    pub(crate) fn words(self, text: &str, words_max: usize) -> Vec<Word> {
        self.analyzed(text, Measures::Whole, words_max)
    }

    /// Returns the words of a document.
    pub(crate) fn document_words(self, text: &str) -> Vec<Word> {
        self.analyzed(text, Measures::WithParts, usize::MAX)
    }

    fn analyzed(self, text: &str, measures: Measures, words_max: usize) -> Vec<Word> {
        let mut analyzer = surface(measures);
        let mut stemmer = self.word_stemmer();
        let mut stream = analyzer.token_stream(text);
        let mut words = Vec::new();
        while words.len() < words_max && stream.advance() {
            let token = stream.token();
            words.push(Word {
                stem: stem_with(&mut stemmer, &token.text),
                surface: token.text.clone(),
                from: token.offset_from,
                to: token.offset_to,
            });
        }
        words
    }

    /// Returns the stem that the index holds of a word in lower case.
    pub(crate) fn stem(self, surface: &str) -> String {
        stem_with(&mut self.word_stemmer(), surface)
    }

    fn word_stemmer(self) -> TextAnalyzer {
        let word = TextAnalyzer::builder(RawTokenizer::default());
        match self.stemmer() {
            Some(stemmer) => word.filter(stemmer).build(),
            None => word.build(),
        }
    }
}

fn stem_with(stemmer: &mut TextAnalyzer, surface: &str) -> String {
    let mut stream = stemmer.token_stream(surface);
    if stream.advance() {
        stream.token().text.clone()
    } else {
        String::new()
    }
}

/// Returns the canonical form of a part number or GTIN: letters and digits in lower case, so that
/// `WH-1000 XM4` is `wh1000xm4`, and no leading zeros before a number, so that a UPC equals its
/// EAN. None if nothing is left, or more than [`IDENTIFIER_BYTES_MAX`].
pub(crate) fn identifier(text: &str) -> Option<String> {
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
