//! Numbers of a query that attributes have without a unit, the 43 of "boots 43" where boots have `size: 43`, and
//! what they count: "boots size 43", "4 port hub", "pack of 4".

use crate::index::{AlternativeKind, PACK, Vocabulary, Worth, bare_of_word, by_name, holds};
use crate::search::request::understanding::context::Context;
use crate::search::request::understanding::word::UnderstoodWord;

/// The weight of a number of which nobody knows what it counts.
const BARE: f32 = 0.5;

/// Words that mean one thing together, a number among them, and the term that products have of it.
pub(super) struct Counted {
    words: Vec<usize>,
    term: String,
}

/// Finds the numbers that stand beside what they count, and takes these words for known: "size" is no misspelling where
/// some product has a `size` of 43.
pub(super) fn counted(
    words: &mut [UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Vec<Counted>> {
    let mut all = Vec::new();
    for at in 0..words.len() {
        if words[at].is_quoted || !words[at].is_number() {
            continue;
        }
        for Counted { words: of, term } in candidates(words, at) {
            let are_free = of.iter().all(|at| !words[*at].is_quoted);
            if are_free && vocabulary.has(&term)? {
                of.iter().for_each(|at| words[*at].is_known = true);
                all.push(Counted { words: of, term });
            }
        }
    }
    Ok(all)
}

/// What the number at a place may count.
fn candidates(words: &[UnderstoodWord], at: usize) -> Vec<Counted> {
    let number = &words[at].surface;
    let mut candidates = Vec::new();
    if let Some(bare) = bare_of_word(number).filter(|_| is_bare(number)) {
        let sides = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let names = sides.filter_map(|side| Some((side, words.get(side)?)));
        for (side, name) in names.filter(|(_, name)| name.is_plain) {
            candidates.push(Counted {
                words: vec![side, at],
                term: by_name(&name.stem, &bare),
            });
        }
    }
    if let Some([holder, of]) = words[..at].last_chunk()
        && holds(&holder.surface, &of.surface)
    {
        candidates.push(Counted {
            words: vec![at - 2, at],
            term: format!("{number}{PACK}"),
        });
    }
    candidates
}

/// Lets each number count as the bare numbers of attributes, and each measure that no product states with its unit and has
/// the other words; and words that are counted as what products have of it. A part of a name ("iphone 15") stays one.
pub(super) fn add(
    words: &mut [UnderstoodWord],
    counted: &[Counted],
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    for at in 0..words.len() {
        let word = &words[at];
        if may_be_bare(word)
            && let Some(term) = bare_of_word(&word.surface)
            && vocabulary.has(&term)?
            && !is_stated_with_its_unit(words, at, vocabulary)?
        {
            let word = &mut words[at];
            word.word.add(vec![term], BARE, AlternativeKind::Spelling);
            word.is_known = true;
        }
    }
    for Counted { words: of, term } in counted {
        for at in of {
            let row = vec![term.clone()];
            words[*at].word.add(row, 1.0, AlternativeKind::Spelling);
        }
    }
    Ok(())
}

/// Whether a word is a measure that some product with the other words has as it is.
fn is_stated_with_its_unit(
    words: &[UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let word = &words[at];
    let is_measure = word.is_known && !is_bare(&word.surface);
    Ok(is_measure && Context::of(words, at, vocabulary).fits(&word.surface)?)
}

/// Whether a word is a number without its unit, perhaps a fraction: "43", "8.5", "8-1/2".
fn is_bare(surface: &str) -> bool {
    let mut bytes = surface.bytes();
    bytes.all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'/' | b'-'))
}

fn may_be_bare(word: &UnderstoodWord) -> bool {
    let mut spellings = word.word.alternatives.iter();
    let stands_alone = spellings.any(|spelling| spelling.stems.len() == 1);
    word.word.worth == Worth::Number && stands_alone && !word.is_quoted
}
