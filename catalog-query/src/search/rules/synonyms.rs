//! Words that count as each other because a synonym rule says so.

use std::collections::{HashMap, HashSet};

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
    /// None of these finds another one, whatever the other rules say.
    Distinct(Vec<String>),
}

/// Synonym rules, ready to be looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Synonyms {
    language: Language,
    /// By the first stem of the words that have synonyms.
    rules: HashMap<String, Vec<Expansion>>,
    /// Pairs of rows of stems that are told apart, in both orders.
    distinct: HashSet<(Vec<String>, Vec<String>)>,
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
        let mut synonyms = Self {
            language,
            ..Self::default()
        };
        let (distinct, rules): (Vec<_>, Vec<_>) = rules
            .into_iter()
            .partition(|rule| matches!(rule, SynonymRule::Distinct(_)));
        // They come first: what is told apart holds for every rule, whatever its id.
        for rule in distinct.into_iter().chain(rules) {
            match rule {
                SynonymRule::Distinct(texts) => synonyms.tell_apart(&texts),
                SynonymRule::OneWay { from, to } => synonyms.add(&from, &to),
                SynonymRule::TwoWay(texts) => {
                    for from in &texts {
                        synonyms.add(from, &texts);
                    }
                }
            }
        }
        synonyms
    }

    fn tell_apart(&mut self, texts: &[String]) {
        let rows: Vec<Rows> = texts.iter().map(|text| self.language.rows(text)).collect();
        for (at, one) in rows.iter().enumerate() {
            let others = rows.iter().enumerate();
            let others = others.filter(|(other, _)| *other != at);
            for (from, to) in others.flat_map(|(_, other)| pairs(one, other)) {
                self.distinct.insert((from.clone(), to.clone()));
            }
        }
    }

    /// Whether a rule says of two words or phrases that they mean the same, or that they do not.
    pub(crate) fn is_decided(&self, one: &str, other: &str) -> bool {
        let (one, other) = (self.language.rows(one), self.language.rows(other));
        self.is_distinct(&one, &other)
            || self.is_stated(&one, &other)
            || self.is_stated(&other, &one)
    }

    fn is_distinct(&self, one: &Rows, other: &Rows) -> bool {
        pairs(one, other).any(|(one, other)| self.distinct.contains(&(one.clone(), other.clone())))
    }

    fn is_stated(&self, from: &Rows, to: &Rows) -> bool {
        pairs(from, to).any(|(from, to)| {
            let rules = from.first().and_then(|first| self.rules.get(first));
            let mut rules = rules
                .into_iter()
                .flatten()
                .filter(|rule| rule.from == *from);
            rules.any(|rule| rule.to.iter().any(|synonym| synonym.rows.contains(to)))
        })
    }

    fn add(&mut self, from: &str, to: &[String]) {
        let rows = self.language.rows(from);
        for row in &rows {
            let others = to.iter().map(|text| Synonym {
                text: text.clone(),
                rows: self.language.rows(text),
            });
            let others = others.filter(|other| {
                !other.rows.is_empty()
                    && other.rows != rows
                    && !self.is_distinct(&rows, &other.rows)
            });
            let others = others.collect();
            self.add_row(row.clone(), others);
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

/// Every row of the one with every row of the other.
fn pairs<'a>(
    one: &'a Rows,
    other: &'a Rows,
) -> impl Iterator<Item = (&'a Vec<String>, &'a Vec<String>)> {
    one.iter()
        .flat_map(move |from| other.iter().map(move |to| (from, to)))
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
    #[test]
    fn what_is_told_apart_is_no_synonym_whatever_other_rules_say() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let synonyms = Synonyms::new(
            Language::English,
            [
                SynonymRule::TwoWay(texts(&["laptop", "notebook", "mobile computer"])),
                SynonymRule::OneWay {
                    from: "mouse".to_owned(),
                    to: texts(&["trackball", "wi-fi mouse"]),
                },
                SynonymRule::Distinct(texts(&["Notebooks", "laptops"])),
                SynonymRule::Distinct(texts(&["wifi mouse", "mouse", "pad"])),
            ],
        );
        check(&synonyms, &["laptop"], &[(0, 1, &["mobile computer"])]);
        check(&synonyms, &["notebook"], &[(0, 1, &["mobile computer"])]);
        check(&synonyms, &["mous"], &[(0, 1, &["trackball"])]);
        for (one, other, decided) in [
            ("laptop", "notebook", true),
            ("mobile computers", "laptop", true),
            ("trackball", "mouse", true),
            ("pad", "mouse", true),
            ("pad", "laptop", false),
            ("desk", "table", false),
        ] {
            assert_eq!(synonyms.is_decided(one, other), decided, "{one} {other}");
            assert_eq!(synonyms.is_decided(other, one), decided, "{other} {one}");
        }
    }
}
