//! The words, phrases and identifiers that a search asks the index for.

use crate::index::text::analyzer;
use crate::index::text::language::Language;
use crate::index::text::spellings::{Spelling, Word};

/// The shortest part of a query that is taken for a part number: "10", "ps4" and "a3" rarely are.
/// Figures must be longer, so that "1200" in "1200 dpi" is none.
const PART_BYTES_MIN: usize = 4;
const FIGURE_DIGITS_MIN: usize = 6;

/// Which of its words a product must have to match a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MatchMode {
    /// All words but function words, while any product has them all. Otherwise words are dropped, those of
    /// the least worth first and of these those that most products have, until some product has all that are
    /// left. No filter counts in this choice, so that a filter never makes more products match.
    #[default]
    Auto,
    All,
    Any,
}

/// The terms of a query. It finds the products that have the words that its mode asks for, all of
/// the phrases and none of the exclusions, and those with an identifier of the query, which come
/// before all others. With exclusions alone it finds every other product.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QueryTerms {
    pub(crate) words: Vec<QueryWord>,
    pub(crate) mode: MatchMode,
    /// The words that are in phrases, as bits by their number.
    pub(crate) quoted: u32,
    /// The words that are identifiers of some product, as bits by their number: a product that has
    /// another one lacks this word.
    pub(crate) identified: u32,
    /// Each phrase as the rows of stems that count as it.
    pub(crate) phrases: Vec<Rows>,
    pub(crate) exclusions: Vec<Rows>,
    pub(crate) identifiers: Vec<Identifier>,
}

/// Rows of stems that count as one phrase: "wi-fi" is `wi fi` or `wifi`.
pub(crate) type Rows = Vec<Vec<String>>;

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
    pub(crate) worth: Worth,
}

/// What a word is worth to who asks, least first: where no product has all words, that of the least is
/// given up first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    /// It says how others belong together, as "for" does. No product needs it, unless there is nothing else.
    Function,
    /// A letter or digit that somebody has only begun with.
    Begun,
    /// A number, a size or a code.
    Number,
    #[default]
    Describing,
    /// Products are called so: a "kettle", and not an "electric" one.
    Naming,
}

/// Stems that count as a word; several must follow each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) stems: Vec<String>,
    /// The weight of a match, where the word that was typed weighs 1.
    pub(crate) weight: f32,
    pub(crate) kind: AlternativeKind,
    /// The most documents that have the stems in a row, where it is known.
    pub(crate) documents_max: Option<u64>,
}

/// What an alternative is to the word that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlternativeKind {
    /// The same word, however it is written.
    Spelling,
    /// Another word of the same meaning.
    Synonym,
    /// A longer word that begins so. Products with the whole word come first.
    Continuation,
    /// A longer word that begins so, and is likelier meant than the beginning by itself.
    Completion,
}

impl QueryWord {
    pub(crate) fn of(stem: &str) -> Self {
        Self {
            alternatives: vec![Alternative {
                stems: vec![stem.to_owned()],
                weight: 1.0,
                kind: AlternativeKind::Spelling,
                documents_max: None,
            }],
            worth: Worth::default(),
        }
    }

    /// A word with all its spellings.
    pub(crate) fn spelled(word: &Word) -> Self {
        let mut spelled = Self {
            alternatives: Vec::with_capacity(word.spellings.len()),
            worth: Worth::default(),
        };
        for Spelling { stems, weight } in &word.spellings {
            spelled.add(stems.clone(), *weight, AlternativeKind::Spelling);
        }
        spelled
    }

    pub(crate) fn add(&mut self, stems: Vec<String>, weight: f32, kind: AlternativeKind) {
        let mut known = self.alternatives.iter_mut();
        if let Some(known) = known.find(|known| known.stems == stems) {
            known.weight = known.weight.max(weight);
        } else if !stems.is_empty() {
            self.alternatives.push(Alternative {
                stems,
                weight,
                kind,
                documents_max: None,
            });
        }
    }

    /// Whether some of its alternatives are several stems in a row.
    pub(crate) fn has_rows(&self) -> bool {
        self.alternatives.iter().any(|row| row.stems.len() > 1)
    }

    /// Says how many documents have the rows of stems that are one word without a space.
    pub(crate) fn limit_rows(&mut self, documents: u64) {
        for row in self
            .alternatives
            .iter_mut()
            .filter(|row| row.stems.len() > 1)
        {
            row.documents_max = Some(documents);
        }
    }
}

impl QueryTerms {
    /// The most words of a query that are searched; the rest are ignored.
    pub(crate) const WORDS_MAX: usize = 32;

    /// Reads a text to find products that have any of its words. Any text is valid: it yields words,
    /// or none.
    pub(crate) fn of(text: &str, language: Language) -> Self {
        let mut words: Vec<QueryWord> = Vec::new();
        for word in language.words(text, Self::WORDS_MAX) {
            let word = QueryWord::spelled(&word);
            if !word.alternatives.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        Self {
            words,
            mode: MatchMode::Any,
            identifiers: identifiers(text),
            ..Self::default()
        }
    }

    /// Whether every product matches that no exclusion leaves out.
    pub(crate) fn is_everything(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && !self.exclusions.is_empty()
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
