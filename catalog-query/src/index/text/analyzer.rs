//! Turns text into terms, for documents and queries alike.

use tantivy::tokenizer::{RemoveLongFilter, TextAnalyzer, TokenizerManager};

use crate::index::text::language::Language;
use crate::index::text::signs::{folded, plain_signs};
use crate::index::text::stems::Stems;
use crate::index::text::tokens::{Form, WordTokenizer, pieces};

/// The name of the analyzer of words as they are written, except for letter case and accents. Spelling
/// is corrected with those words. The schema holds the name: count up when the analyzer changes.
pub(crate) const SURFACE: &str = "catalog_surface_4";

const WORD_BYTES_MAX: usize = 64;
/// The longest identifier. Nobody can ask for a longer one.
const IDENTIFIER_BYTES_MAX: usize = 1_000;

pub(crate) fn register(tokenizers: &TokenizerManager, language: Language) {
    tokenizers.register(language.analyzer(), stems(language));
    tokenizers.register(SURFACE, surface());
}

/// Builds the analyzer of a language. It drops no stop words, because "the boys" and "it" are
/// products.
fn stems(language: Language) -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer {
        language: Some(language),
    })
    .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
    .build()
}

fn surface() -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer { language: None })
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .build()
}

/// A term that the index holds of a text, and its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlacedStem {
    pub(crate) stem: String,
    /// The plain form of the word.
    pub(crate) surface: String,
    /// Counts the words of the text.
    pub(crate) position: usize,
    /// The bytes of the text.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// False for what the word is beside its plain form.
    pub(crate) is_plain: bool,
}

impl Language {
    /// Returns the terms that the index holds of a document's text.
    pub(crate) fn document_stems(self, text: &str) -> Vec<PlacedStem> {
        let stems = Stems::of(self);
        let placed = pieces(text, Some(self)).into_iter();
        let stems = placed.map(|piece| PlacedStem {
            stem: piece.term(&stems),
            position: piece.position,
            from: piece.from,
            to: piece.to,
            is_plain: piece.form == Form::Atom,
            surface: piece.text,
        });
        stems.collect()
    }

    /// Returns the words of a document, each once, in their plain form.
    pub(crate) fn document_words(self, text: &str) -> Vec<PlacedStem> {
        let mut words = self.document_stems(text);
        words.retain(|word| word.is_plain);
        words
    }

    /// Returns the stem that the index holds of a word in lower case.
    pub(crate) fn stem(self, surface: &str) -> String {
        Stems::of(self).stem(surface)
    }
}

/// Returns the canonical form of a part number or GTIN: letters and digits in lower case, so that
/// `WH-1000 XM4` is `wh1000xm4`, and no leading zeros before a number, so that a UPC equals its
/// EAN. None if nothing is left, or more than [`IDENTIFIER_BYTES_MAX`].
pub(crate) fn identifier(text: &str) -> Option<String> {
    let plain = folded(&plain_signs(text));
    if plain.len() > IDENTIFIER_BYTES_MAX {
        return None;
    }
    let number = plain.bytes().all(|b| b.is_ascii_digit());
    let canonical = if number {
        plain.trim_start_matches('0')
    } else {
        &plain
    };
    (!canonical.is_empty()).then(|| canonical.to_owned())
}
