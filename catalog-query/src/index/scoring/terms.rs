//! What a search asks the index for.

use crate::index::text::analyzer;
use crate::index::text::language::Language;

/// Shorter parts of a query are rarely meant as a part number: "10", "ps4", "a3"; nor are short
/// figures, "1200 dpi".
const PART_BYTES_MIN: usize = 4;
const FIGURE_DIGITS_MIN: usize = 6;

/// What is looked for: products that have a word, the more of the words the better, all of the
/// phrases and none of the exclusions. One with an identifier of the query comes first, before all the
/// one whose identifier the query is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QueryTerms {
    pub(crate) words: Vec<QueryWord>,
    pub(crate) phrases: Vec<Vec<String>>,
    pub(crate) exclusions: Vec<Vec<String>>,
    pub(crate) identifiers: Vec<Identifier>,
}

/// What may be a part number or GTIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// In its canonical form.
    pub(crate) text: String,
    /// The query is nothing else.
    pub(crate) is_whole: bool,
}

/// A word, and what counts as it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueryWord {
    pub(crate) alternatives: Vec<Alternative>,
}

/// Stems; several must follow each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) stems: Vec<String>,
    /// What a match counts, compared with one of the word that was typed.
    pub(crate) weight: f32,
    /// Another word of that meaning, not another way to write the same.
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
    /// Words beyond this many are not looked for.
    pub(crate) const WORDS_MAX: usize = 32;

    /// `text` is a user's: whatever it holds becomes words or nothing.
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

/// The text as a whole ("WH-1000 XM4") and every part that looks like a number of some kind ("Sony
/// WH-1000XM4").
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
