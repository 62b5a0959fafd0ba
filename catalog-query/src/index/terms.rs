//! What a search asks the index for.

use super::analyzer::{self, Word};

/// Shorter parts of a query are rarely meant as a part number: "10", "ps4", "a3".
const PART_BYTES_MIN: usize = 4;

/// What is looked for: products that have a word, the more of the words the better, all of the
/// phrases and none of the exclusions. One with an identifier of the query comes first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QueryTerms {
    pub(crate) words: Vec<QueryWord>,
    pub(crate) phrases: Vec<Vec<String>>,
    pub(crate) exclusions: Vec<Vec<String>>,
    /// In their canonical form.
    pub(crate) identifiers: Vec<String>,
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
}

impl QueryWord {
    pub(crate) fn of(stem: &str) -> Self {
        Self {
            alternatives: vec![Alternative {
                stems: vec![stem.to_owned()],
                weight: 1.0,
            }],
        }
    }

    pub(crate) fn add(&mut self, stems: Vec<String>, weight: f32) {
        if !stems.is_empty() && self.alternatives.iter().all(|known| known.stems != stems) {
            self.alternatives.push(Alternative { stems, weight });
        }
    }
}

impl QueryTerms {
    /// Words beyond this many are not looked for.
    pub(crate) const WORDS_MAX: usize = 32;

    /// `text` is a user's: whatever it holds becomes words or nothing.
    pub(crate) fn of(text: &str) -> Self {
        let words = analyzer::words(text, Self::WORDS_MAX);
        Self {
            words: distinct(&words)
                .map(|word| QueryWord::of(&word.stem))
                .collect(),
            identifiers: identifiers(text),
            ..Self::default()
        }
    }

    /// Nothing matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.identifiers.is_empty() && self.phrases.is_empty()
    }
}

/// Each stem once, where it is first.
pub(crate) fn distinct(words: &[Word]) -> impl Iterator<Item = &Word> {
    let is_new = |at: usize| words[..at].iter().all(|known| known.stem != words[at].stem);
    (0..words.len()).filter(move |at| is_new(*at)).map(|at| &words[at])
}

/// The text as a whole ("WH-1000 XM4") and every part that looks like a number of some kind ("Sony
/// WH-1000XM4").
pub(crate) fn identifiers(text: &str) -> Vec<String> {
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
