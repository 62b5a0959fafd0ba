//! What somebody remembers of a title, and how they write it.

use super::units;
use super::words::remembered_words;
use crate::eval::typing::{fingerprint, mistype};

/// Fewer words identify nothing.
const WORDS_MIN: usize = 3;
/// The share of the words that is remembered: from this one up to the next.
const SHARE_MIN: f64 = 0.6;
const SHARE_MAX: f64 = 0.8;
/// One query of so many has a typing mistake; one of two is reordered, one of two has its measures
/// rewritten.
const MISSPELT_OF: u8 = 3;

/// What was changed in a title; several things may have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) dropped: bool,
    pub(super) reordered: bool,
    pub(super) misspelt: bool,
    pub(super) units: bool,
}

impl Changes {
    /// The changes by name.
    pub(super) fn named(self) -> [(&'static str, bool); 4] {
        [
            ("dropped", self.dropped),
            ("reordered", self.reordered),
            ("misspelt", self.misspelt),
            ("units", self.units),
        ]
    }
}

/// A query made of a title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) text: String,
    /// The words that are left, as they stand in the title.
    pub(super) kept: Vec<String>,
    pub(super) changes: Changes,
}

/// Makes a query of a title; none where fewer than three words would be left. The same title and
/// seed make the same query.
pub(super) fn remember(title: &str, seed: u64) -> Option<Remembered> {
    let mut random = fastrand::Rng::with_seed(seed ^ fingerprint(title));
    let words = remembered_words(title);
    if words.len() < WORDS_MIN {
        return None;
    }
    let mut changes = Changes::default();
    let share = SHARE_MIN + (SHARE_MAX - SHARE_MIN) * random.f64();
    let count = (words.len() as f64 * share).ceil() as usize;
    let mut kept = random.choose_multiple(0..words.len(), count.max(WORDS_MIN));
    kept.sort_unstable();
    let kept: Vec<String> = kept.into_iter().map(|at| words[at].clone()).collect();
    changes.dropped = kept.len() < words.len();

    let mut written = kept.clone();
    if random.bool() {
        for word in &mut written {
            if let Some(way) = random.choice(units::rewritten(word)) {
                *word = way;
                changes.units = true;
            }
        }
    }
    if random.bool() {
        let before = written.clone();
        random.shuffle(&mut written);
        changes.reordered = written != before;
    }
    let mut text = written.join(" ");
    if random.u8(..MISSPELT_OF) == 0 {
        let misspelt = mistype(&text, seed);
        changes.misspelt = misspelt != text;
        text = misspelt;
    }
    Some(Remembered {
        text,
        kept,
        changes,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const TITLE: &str = "Fjell Walnut Standing Desk Electric 120 x 60 cm, 2,000 W, 17\" Deep";

    /// Over many seeds, every change occurs alone and together, and each is what it says.
    #[test]
    fn changes_are_told_and_nothing_else_is_changed() {
        let words = remembered_words(TITLE);
        let mut seen = HashSet::new();
        for seed in 0..300 {
            let made = remember(TITLE, seed).expect("enough words");
            assert_eq!(Some(&made), remember(TITLE, seed).as_ref());
            let Remembered {
                text,
                kept,
                changes,
            } = made;
            assert!((6..=8).contains(&kept.len()), "{kept:?}");
            assert!(changes.dropped);
            let mut rest = words.iter();
            assert!(
                kept.iter().all(|word| rest.any(|one| one == word)),
                "{kept:?}"
            );
            if !(changes.reordered || changes.misspelt || changes.units) {
                assert_eq!(text, kept.join(" "));
            }
            if !(changes.misspelt || changes.units) {
                let mut letters: Vec<char> = text.chars().collect();
                let mut original: Vec<char> = kept.join(" ").chars().collect();
                letters.sort_unstable();
                original.sort_unstable();
                assert_eq!(letters, original, "reordered only");
            }
            seen.insert(changes.named().map(|(_, is)| is));
        }
        assert_eq!(seen.len(), 8, "{seen:?}");
    }

    #[test]
    fn a_short_title_is_kept_or_left_out() {
        assert_eq!(remember("Lens case -", 1), None);
        for seed in 0..20 {
            let made = remember("Canon lens case", seed).expect("three words");
            assert_eq!(made.kept, ["Canon", "lens", "case"]);
            assert!(!made.changes.dropped);
        }
    }
}
