//! A word of a query, as it is understood step by step.

use crate::index::{AlternativeKind, KeywordWeights, Language, QueryTerms, QueryWord};
use crate::search::rules::synonyms::Synonym;

/// A word of a query, and what it was taken to mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnderstoodWord {
    pub(crate) typed: String,
    /// None when the word is taken as it was typed.
    pub(crate) corrected: Option<String>,
    /// The word that this one most likely begins, where it is not yet one itself.
    pub(super) completed: Option<String>,
    /// A far more common word that is near, or one for a word that nothing is near enough to.
    pub(super) suggested: Option<String>,
    /// Other words that count as this one.
    pub(crate) synonyms: Vec<String>,
    /// The bytes of the word in the text of the query.
    pub(super) place: (usize, usize),
    pub(super) surface: String,
    pub(super) stem: String,
    pub(super) word: QueryWord,
    pub(super) is_quoted: bool,
    /// Whether it is made of letters alone, so that mistakes in it can be corrected.
    pub(super) is_plain: bool,
    /// Whether some product has the word, or what it was corrected to.
    pub(super) is_known: bool,
    /// Whether it is the part number or GTIN of some product, which is found by it whatever its words.
    pub(crate) is_identifier: bool,
}

impl UnderstoodWord {
    /// The terms of this word alone.
    pub(crate) fn terms(&self) -> QueryTerms {
        QueryTerms {
            words: vec![self.word.clone()],
            ..QueryTerms::default()
        }
    }

    /// Whether longer words that it begins count as it.
    pub(super) fn is_begun(&self) -> bool {
        let kinds = self.word.alternatives.iter().map(|word| word.kind);
        let of_beginning = [AlternativeKind::Completion, AlternativeKind::Continuation];
        kinds.into_iter().any(|kind| of_beginning.contains(&kind))
    }

    /// Whether it is a number, a size or a code: digits come first, or in several places.
    pub(super) fn is_number(&self) -> bool {
        let is_digit = |c: char| c.is_ascii_digit();
        let places = self
            .surface
            .split(|c| !is_digit(c))
            .filter(|run| !run.is_empty());
        self.surface.starts_with(is_digit) || places.count() > 1
    }

    pub(super) fn add_synonyms(&mut self, synonyms: &[Synonym], weights: &KeywordWeights) {
        for synonym in synonyms {
            for row in &synonym.rows {
                self.word
                    .add(row.clone(), weights.synonym, AlternativeKind::Synonym);
            }
            self.synonyms.push(synonym.text.clone());
        }
    }

    /// Looks for another word in place of this one.
    pub(super) fn correct_to(&mut self, word: String, language: Language) {
        self.stem = language.stem(&word);
        self.word = QueryWord {
            worth: self.word.worth,
            ..QueryWord::of(&self.stem)
        };
        self.surface.clone_from(&word);
        self.corrected = Some(word);
        self.is_known = true;
    }

    /// Looks for two words next to each other in place of this one.
    pub(super) fn cut_into(&mut self, left: &str, right: &str, language: Language) {
        let row = vec![language.stem(left), language.stem(right)];
        self.word = QueryWord {
            alternatives: Vec::new(),
            worth: self.word.worth,
        };
        self.word.add(row, 1.0, AlternativeKind::Spelling);
        self.corrected = Some(format!("{left} {right}"));
        self.is_known = true;
    }
}
