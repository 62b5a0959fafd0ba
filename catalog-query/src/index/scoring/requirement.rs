//! Which words of a query a product must have to match. Defined once: totals, facets, pages, every
//! order and explanations follow it.

use std::cmp::Reverse;

use crate::index::scoring::terms::{MatchMode, Worth};

/// A word of a query as products have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequiredWord {
    pub(crate) worth: Worth,
    /// How many products have it.
    pub(crate) documents: u64,
}

/// The sets of words that suffice, as bits by their number in the query. Products match that have
/// the first set that any product has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// Each set is a part of the one before. The first one that some product has counts.
    levels: Vec<u32>,
    /// The words that no product has, which `levels` leave out.
    unknown: u32,
    is_any: bool,
}

impl Requirement {
    /// Orders the sets of words. `quoted` are the words that phrases demand, as bits by their number: they are
    /// dropped last.
    pub(crate) fn new(mode: MatchMode, words: &[RequiredWord], quoted: u32) -> Self {
        let bits = |holds: fn(&RequiredWord) -> bool| -> u32 {
            let numbered = words.iter().zip(0..);
            numbered
                .map(|(word, at)| u32::from(holds(word)) << at)
                .sum()
        };
        let all = bits(|_| true);
        let unknown = bits(|word| word.documents == 0);
        let function = bits(|word| word.worth == Worth::Function) & !quoted;
        let needed = if all & !function & !unknown == 0 {
            all
        } else {
            all & !function
        };
        Self {
            levels: match mode {
                MatchMode::All | MatchMode::Any => vec![all],
                MatchMode::Auto => relaxed_step_by_step(needed & !unknown, words, quoted),
            },
            unknown: match mode {
                MatchMode::All | MatchMode::Any => unknown,
                MatchMode::Auto => unknown & needed,
            },
            is_any: mode == MatchMode::Any,
        }
    }

    /// Returns the number of the first set that `words` are enough for, or None if they are enough
    /// for none.
    pub(crate) fn level(&self, words: u32) -> Option<usize> {
        if self.is_any {
            return (words != 0).then_some(0);
        }
        let first = self.levels.first()?;
        if words & first == *first && *first != 0 {
            return Some(0);
        }
        let suffices = |set: &u32| *set != 0 && words & set == *set;
        self.levels.iter().position(suffices)
    }

    /// Whether `words` are all words that any product has.
    pub(crate) fn is_complete(&self, words: u32) -> bool {
        let all = self.levels.first().map_or(0, |all| all & !self.unknown);
        words & all == all
    }

    /// Returns the numbers of the words that were dropped where `level` was reached.
    pub(crate) fn dropped(&self, level: usize) -> Vec<usize> {
        if self.is_any {
            return Vec::new();
        }
        let all = self.levels.first().map_or(0, |first| first | self.unknown);
        let kept = self.levels.get(level).copied().unwrap_or(0);
        (0..u32::BITS as usize)
            .filter(|at| (all & !kept) >> at & 1 == 1)
            .collect()
    }
}

/// Drops one word after the other: of those worth least the one that most products have, because it tells least;
/// among equals the first, because the last word of a query names the thing.
fn relaxed_step_by_step(known: u32, words: &[RequiredWord], quoted: u32) -> Vec<u32> {
    let mut levels = vec![known];
    let mut rest = known;
    while rest.count_ones() > 1 {
        let least = (0..words.len())
            .filter(|at| rest >> at & 1 == 1)
            .min_by_key(|at| {
                let RequiredWord { worth, documents } = words[*at];
                (quoted >> at & 1, worth, Reverse(documents), *at)
            });
        rest &= !least.map_or(rest, |at| 1 << at);
        levels.push(rest);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(documents: &[u64]) -> Vec<RequiredWord> {
        let documents = documents.iter();
        documents
            .map(|documents| RequiredWord {
                worth: Worth::Describing,
                documents: *documents,
            })
            .collect()
    }

    fn worth(worths: &[Worth], documents: &[u64]) -> Vec<RequiredWord> {
        let mut words = words(documents);
        for (word, worth) in words.iter_mut().zip(worths) {
            word.worth = *worth;
        }
        words
    }

    #[test]
    fn words_that_tell_least_are_dropped_first() {
        let documents = words(&[50, 0, 3, 400]);
        let auto = Requirement::new(MatchMode::Auto, &documents, 0);
        let quoted = Requirement::new(MatchMode::Auto, &documents, 0b1000);
        assert_eq!(quoted.levels, [0b1101, 0b1100, 0b1000]);
        assert_eq!(auto.levels, [0b1101, 0b0101, 0b0100]);
        assert_eq!(auto.level(0b1101), Some(0));
        assert_eq!(auto.level(0b0101), Some(1));
        assert_eq!(auto.level(0b1100), Some(2));
        assert_eq!(auto.level(0b1001), None);
        assert_eq!(auto.dropped(0), [1]);
        assert_eq!(auto.dropped(2), [0, 1, 3]);
        assert!(auto.is_complete(0b1101) && !auto.is_complete(0b1001));
    }

    #[test]
    fn what_names_the_thing_is_kept_and_a_number_is_not() {
        use Worth::{Begun, Describing, Function, Naming, Number};
        let kettle = worth(&[Naming, Number, Describing, Begun], &[900, 1, 5, 2]);
        let kettle = Requirement::new(MatchMode::Auto, &kettle, 0);
        assert_eq!(kettle.levels, [0b1111, 0b0111, 0b0101, 0b0001]);

        let lamp = worth(&[Function, Naming, Function], &[1, 40, 0]);
        let needed = Requirement::new(MatchMode::Auto, &lamp, 0);
        assert_eq!(needed.levels, [0b010]);
        assert!(needed.is_complete(0b010) && needed.dropped(0).is_empty());
        let in_a_phrase = Requirement::new(MatchMode::Auto, &lamp, 0b001);
        assert_eq!(in_a_phrase.levels, [0b011, 0b001]);
        let all = Requirement::new(MatchMode::All, &lamp, 0);
        assert_eq!(all.level(0b010), None);

        // "The Who", and a catalog without what was asked for.
        let alone = worth(&[Function, Function], &[3, 2]);
        let alone = Requirement::new(MatchMode::Auto, &alone, 0);
        assert_eq!(alone.levels, [0b11, 0b10]);
        let unknown = worth(&[Function, Naming], &[3, 0]);
        let unknown = Requirement::new(MatchMode::Auto, &unknown, 0);
        assert_eq!(
            (unknown.level(0b01), unknown.dropped(0)),
            (Some(0), vec![1])
        );
    }

    #[test]
    fn all_and_any_drop_nothing() {
        let all = Requirement::new(MatchMode::All, &words(&[5, 0]), 0);
        assert_eq!((all.level(0b01), all.level(0b11)), (None, Some(0)));
        let any = Requirement::new(MatchMode::Any, &words(&[5, 0, 7]), 0);
        assert_eq!((any.level(0b100), any.level(0)), (Some(0), None));
        assert!(any.is_complete(0b101) && !any.is_complete(0b001));
        assert!(any.dropped(0).is_empty());
        let none = Requirement::new(MatchMode::Auto, &[], 0);
        assert_eq!(none.level(0), None);
        let unknown = Requirement::new(MatchMode::Auto, &words(&[0]), 0);
        assert_eq!((unknown.level(0), unknown.dropped(0)), (None, vec![0]));
    }
}
