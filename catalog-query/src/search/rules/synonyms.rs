//! Words that count as each other because a synonym rule says so.

use std::collections::HashMap;

use crate::index::{Language, Rows};

/// The most words of a phrase; a longer one has no effect.
const WORDS_MAX: usize = 8;

/// A rule with words or short phrases as people write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SynonymRule {
    /// A query for one of these finds all of them.
    TwoWay(Vec<String>),
    /// A query for `from` also finds `to`, but not the other way round.
    OneWay { from: String, to: Vec<String> },
}

/// Synonym rules, ready to be looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synonyms {
    /// By the first stem of the words that have synonyms.
    rules: HashMap<String, Vec<Expansion>>,
}

/// The stems of a word or phrase, and its synonyms.
#[derive(Clone, Debug)]
struct Expansion {
    from: Vec<String>,
    to: Vec<Synonym>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Synonym {
    /// The synonym as the rule states it.
    pub(crate) text: String,
    /// The rows of stems that count as it.
    pub(crate) rows: Rows,
}

/// Words of a query that have synonyms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found<'a> {
    /// The place of the first word in the query.
    pub(crate) first: usize,
    /// How many words they are.
    pub(crate) words: usize,
    pub(crate) synonyms: &'a [Synonym],
}

impl Synonyms {
    /// Compiles rules for queries in a language.
    pub(crate) fn new(language: Language, rules: impl IntoIterator<Item = SynonymRule>) -> Self {
        let mut synonyms = Self::default();
        for rule in rules {
            match rule {
                SynonymRule::OneWay { from, to } => synonyms.add(language, &from, &to),
                SynonymRule::TwoWay(texts) => {
                    for from in &texts {
                        synonyms.add(language, from, &texts);
                    }
                }
            }
        }
        synonyms
    }

    fn add(&mut self, language: Language, from: &str, to: &[String]) {
        let rows = language.rows(from);
        for row in &rows {
            let others = to.iter().map(|text| Synonym {
                text: text.clone(),
                rows: language.rows(text),
            });
            let others = others.filter(|other| !other.rows.is_empty() && other.rows != rows);
            self.add_row(row.clone(), others.collect());
        }
    }

    fn add_row(&mut self, from: Vec<String>, others: Vec<Synonym>) {
        let Some(first) = from.first().filter(|_| from.len() <= WORDS_MAX) else {
            return;
        };
        let rules = self.rules.entry(first.clone()).or_default();
        match rules.iter_mut().find(|rule| rule.from == from) {
            Some(rule) => {
                for other in others {
                    if !rule.to.contains(&other) {
                        rule.to.push(other);
                    }
                }
            }
            None => rules.push(Expansion { from, to: others }),
        }
    }

    /// All places where words of a query, given by their stems, have synonyms.
    pub(crate) fn find<'a>(&'a self, query: &[&str]) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        for (first, stem) in query.iter().enumerate() {
            for rule in self.rules.get(*stem).into_iter().flatten() {
                let words = rule.from.len();
                let is_here = query
                    .get(first..first + words)
                    .is_some_and(|words| words.iter().eq(rule.from.iter()));
                if is_here && !rule.to.is_empty() {
                    found.push(Found {
                        first,
                        words,
                        synonyms: &rule.to,
                    });
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(synonyms: &Synonyms, query: &[&str], expected: &[(usize, usize, &[&str])]) {
        let texts = |found: &Found<'_>| {
            let texts = found.synonyms.iter().map(|synonym| synonym.text.clone());
            (found.first, found.words, texts.collect::<Vec<_>>())
        };
        let found: Vec<_> = synonyms.find(query).iter().map(texts).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(first, words, texts)| {
                let texts = texts.iter().map(ToString::to_string);
                (*first, *words, texts.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(found, expected, "{query:?}");
    }

    #[test]
    fn both_ways_or_one_words_or_phrases() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let synonyms = Synonyms::new(
            Language::English,
            [
                SynonymRule::TwoWay(texts(&["Laptops", "notebook", "mobile computer"])),
                SynonymRule::OneWay {
                    from: "mouse".to_owned(),
                    to: texts(&["trackball"]),
                },
                SynonymRule::TwoWay(texts(&["laptop", "ultrabook"])),
                SynonymRule::TwoWay(texts(&["!", ""])),
            ],
        );
        let all = ["notebook", "mobile computer", "ultrabook"];
        check(&synonyms, &["laptop"], &[(0, 1, &all)]);
        check(
            &synonyms,
            &["red", "mobil", "comput", "bag"],
            &[(1, 2, &["Laptops", "notebook"])],
        );
        check(&synonyms, &["mobil"], &[]);
        check(&synonyms, &["mous"], &[(0, 1, &["trackball"])]);
        check(&synonyms, &["trackbal"], &[]);
        check(&synonyms, &["ultrabook"], &[(0, 1, &["laptop"])]);
    }
}
