//! The words, phrases and identifiers that a search asks the index for.

use crate::index::text::analyzer;
use crate::index::text::language::Language;

/// The shortest part of a query that is taken for a part number: "10", "ps4" and "a3" rarely are.
/// Figures must be longer, so that "1200" in "1200 dpi" is none.
const PART_BYTES_MIN: usize = 4;
const FIGURE_DIGITS_MIN: usize = 6;

/// The terms of a query. It finds the products that have any of the words, all of the phrases and
/// none of the exclusions; those with more of the words come first. Products with an identifier of
/// the query come before all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QueryTerms {
    pub(crate) words: Vec<QueryWord>,
    pub(crate) phrases: Vec<Vec<String>>,
    pub(crate) exclusions: Vec<Vec<String>>,
    pub(crate) identifiers: Vec<Identifier>,
}

/// A text of a query that may be a part number or GTIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// The canonical form of the text.
    pub(crate) text: String,
    /// Whether the whole query is this identifier.
    pub(crate) is_whole: bool,
}

/// A word with its alternatives, of which the first is the word that was typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueryWord {
    pub(crate) alternatives: Vec<Alternative>,
}

/// Stems that count as a word; several must follow each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) stems: Vec<String>,
    /// The weight of a match, where the word that was typed weighs 1.
    pub(crate) weight: f32,
    /// Whether it is another word of the same meaning. Otherwise it is another spelling.
    pub(crate) is_synonym: bool,
}

impl QueryWord {
    pub(crate) fn of(stem: &str) -> Self {
        Self {
            alternatives: vec![Alternative {
                stems: vec![stem.to_owned()],
                weight: 1.0,
                is_synonym: false,
            }],
        }
    }

    pub(crate) fn add_spelling(&mut self, stems: Vec<String>, weight: f32) {
        self.add(stems, weight, false);
    }

    pub(crate) fn add_synonym(&mut self, stems: Vec<String>, weight: f32) {
        self.add(stems, weight, true);
    }

    fn add(&mut self, stems: Vec<String>, weight: f32, is_synonym: bool) {
        if !stems.is_empty() && self.alternatives.iter().all(|known| known.stems != stems) {
            self.alternatives.push(Alternative {
                stems,
                weight,
                is_synonym,
            });
        }
    }
}

impl QueryTerms {
    /// The most words of a query that are searched; the rest are ignored.
    pub(crate) const WORDS_MAX: usize = 32;

    /// Reads a user's text. Any text is valid: it yields words, or none.
    pub(crate) fn of(text: &str, language: Language) -> Self {
        let mut stems: Vec<String> = Vec::new();
        for word in language.words(text, Self::WORDS_MAX) {
            if !stems.contains(&word.stem) {
                stems.push(word.stem);
            }
        }
        Self {
            words: stems.iter().map(|stem| QueryWord::of(stem)).collect(),
            identifiers: identifiers(text),
            ..Self::default()
        }
    }
}

/// Returns the text as a whole ("WH-1000 XM4") and each part that looks like a part number or GTIN
/// ("WH-1000XM4" in "Sony WH-1000XM4").
pub(crate) fn identifiers(text: &str) -> Vec<Identifier> {
    let whole = analyzer::identifier(text).map(|text| Identifier {
        text,
        is_whole: true,
    });
    let mut identifiers: Vec<Identifier> = whole.into_iter().collect();
    for part in text.split_whitespace().take(QueryTerms::WORDS_MAX) {
        let Some(text) = analyzer::identifier(part).filter(|text| looks_like_a_number(text)) else {
            continue;
        };
        if identifiers.iter().all(|known| known.text != text) {
            identifiers.push(Identifier {
                text,
                is_whole: false,
            });
        }
    }
    identifiers
}

fn looks_like_a_number(identifier: &str) -> bool {
    let digits = identifier.bytes().filter(u8::is_ascii_digit).count();
    if digits == identifier.len() {
        digits >= FIGURE_DIGITS_MIN
    } else {
        digits > 0 && identifier.len() >= PART_BYTES_MIN
    }
}
