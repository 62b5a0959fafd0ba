//! Which words of a query a product must have to match. Defined once: totals, facets, pages, every
//! order and explanations follow it.

use crate::index::scoring::terms::MatchMode;

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
    /// Orders the sets of words. `documents` holds for each word how many products have it; `quoted`
    /// are the words that phrases demand, which are dropped last.
    pub(crate) fn new(mode: MatchMode, documents: &[u64], quoted: u32) -> Self {
        let all: u32 = documents.iter().zip(0..).map(|(_, at)| 1 << at).sum();
        let unknown: u32 = documents
            .iter()
            .zip(0..)
            .filter(|(count, _)| **count == 0)
            .map(|(_, at)| 1 << at)
            .sum();
        Self {
            levels: match mode {
                MatchMode::All | MatchMode::Any => vec![all],
                MatchMode::Auto => relaxed_step_by_step(all & !unknown, documents, quoted),
            },
            unknown,
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

/// Drops one word after the other: the one that most products have, because it tells least; among
/// equals the first, because the last word of a query names the thing.
fn relaxed_step_by_step(known: u32, documents: &[u64], quoted: u32) -> Vec<u32> {
    let mut levels = vec![known];
    let mut rest = known;
    while rest.count_ones() > 1 {
        let most = (0..documents.len())
            .filter(|at| rest >> at & 1 == 1)
            .max_by_key(|at| {
                (
                    quoted >> at & 1 == 0,
                    documents[*at],
                    std::cmp::Reverse(*at),
                )
            });
        rest &= !most.map_or(rest, |at| 1 << at);
        levels.push(rest);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_tell_least_are_dropped_first() {
        let auto = Requirement::new(MatchMode::Auto, &[50, 0, 3, 400], 0);
        let quoted = Requirement::new(MatchMode::Auto, &[50, 0, 3, 400], 0b1000);
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
    fn all_and_any_drop_nothing() {
        let all = Requirement::new(MatchMode::All, &[5, 0], 0);
        assert_eq!((all.level(0b01), all.level(0b11)), (None, Some(0)));
        let any = Requirement::new(MatchMode::Any, &[5, 0, 7], 0);
        assert_eq!((any.level(0b100), any.level(0)), (Some(0), None));
        assert!(any.is_complete(0b101) && !any.is_complete(0b001));
        assert!(any.dropped(0).is_empty());
        let none = Requirement::new(MatchMode::Auto, &[], 0);
        assert_eq!(none.level(0), None);
        let unknown = Requirement::new(MatchMode::Auto, &[0], 0);
        assert_eq!((unknown.level(0), unknown.dropped(0)), (None, vec![0]));
    }
}
