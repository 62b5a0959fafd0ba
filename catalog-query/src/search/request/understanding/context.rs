//! The other words of a query, which tell what a mistyped or unfinished one may mean.

use crate::index::{KnownWord, Vocabulary};
use crate::search::request::understanding::word::UnderstoodWord;

/// What a title is worth that has a word right after the one before it in the query, and what one
/// that has it together with the others, where a product that has them anywhere is worth 1.
const IN_ORDER: f64 = 100.0;
const IN_TITLE: f64 = 10.0;
/// What a product is worth that has the word without the others.
const ALONE: f64 = 0.01;
/// The most words that two words of a query may begin together.
pub(super) const JOINED_MAX: usize = 4;

/// A word that products write as one with the word before it.
pub(super) struct Joined {
    pub(super) whole: String,
    pub(super) evidence: f64,
    /// What comes after the word before it.
    pub(super) end: String,
}

/// The known words of a query around one of them.
pub(super) struct Context<'a> {
    others: Vec<String>,
    /// The word before it.
    before: Option<String>,
    vocabulary: &'a Vocabulary<'a>,
}

impl<'a> Context<'a> {
    /// What is known around the word at a place.
    pub(super) fn of(words: &[UnderstoodWord], at: usize, vocabulary: &'a Vocabulary<'a>) -> Self {
        let others = words.iter().enumerate();
        let others = others.filter(|(place, word)| *place != at && word.is_known);
        let before = at.checked_sub(1).map(|before| &words[before]);
        Self {
            before: before
                .filter(|word| word.is_known)
                .map(|word| word.surface.clone()),
            others: others.map(|(_, word)| word.surface.clone()).collect(),
            vocabulary,
        }
    }

    /// How much the catalog has of some words, which `documents` products have, with the other words
    /// of the query.
    pub(super) fn evidence(&self, words: &[&str], documents: u64) -> tantivy::Result<f64> {
        if self.others.is_empty() {
            let mut names = u64::MAX;
            for word in words {
                names = names.min(self.vocabulary.names_with(&self.stem(word))?);
            }
            return Ok(IN_TITLE * names as f64 + documents as f64);
        }
        let mut all: Vec<&str> = words.to_vec();
        all.extend(self.others.iter().map(String::as_str));
        let anywhere = self.vocabulary.together(&all)?;
        let in_titles = self.vocabulary.together_in_titles(&all)?;
        let in_order = self.behind(words)?;
        Ok(IN_ORDER * in_order as f64
            + IN_TITLE * in_titles as f64
            + anywhere as f64
            + ALONE * documents as f64)
    }

    /// How many titles have a word right behind the one before it in the query.
    pub(super) fn behind_the_one_before(&self, word: &str) -> tantivy::Result<u64> {
        self.behind(&[word])
    }

    fn behind(&self, words: &[&str]) -> tantivy::Result<u64> {
        let Some(before) = &self.before else {
            return Ok(0);
        };
        let before = std::iter::once(before.as_str());
        let row: Vec<&str> = before.chain(words.iter().copied()).collect();
        self.vocabulary.in_a_row_in_titles(&row)
    }

    /// Whether some product has a word, in any form, with all the others; true where there are no others.
    pub(super) fn fits(&self, word: &str) -> tantivy::Result<bool> {
        if self.others.is_empty() {
            return Ok(true);
        }
        let others = self.others.iter().map(String::as_str);
        let all: Vec<&str> = others.chain([word]).collect();
        Ok(self.vocabulary.together(&all)? > 0 || self.vocabulary.together_in_titles(&all)? > 0)
    }

    /// The words that the one before and a beginning start together where products write them as one,
    /// each without the word before.
    pub(super) fn joined(&self, beginning: &str) -> tantivy::Result<Vec<Joined>> {
        let Some(before) = &self.before else {
            return Ok(Vec::new());
        };
        let whole = format!("{before}{beginning}");
        let found = self
            .vocabulary
            .continuations(&whole, JOINED_MAX)?
            .into_iter();
        let joined = found.map(|KnownWord { surface, documents }| {
            let names = self.vocabulary.names_with(&self.stem(&surface))?;
            Ok(Joined {
                // A name with the whole is one that has both words in a row.
                evidence: (IN_ORDER + IN_TITLE) * names as f64 + documents as f64,
                end: surface[before.len()..].to_owned(),
                whole: surface,
            })
        });
        joined.collect()
    }

    /// Whether things are called by a word.
    pub(super) fn names_kind(&self, word: &str) -> tantivy::Result<bool> {
        self.vocabulary.names_kind(&self.stem(word))
    }

    /// Whether a word has the stem of another one.
    pub(super) fn is_form_of(&self, word: &str, other: &UnderstoodWord) -> bool {
        self.stem(word) == other.stem
    }

    fn stem(&self, word: &str) -> String {
        self.vocabulary.language().stem(word)
    }
}
