//! Corrects the spelling of words that no product has.

use crate::index::{KnownWord, Vocabulary};
use crate::search::request::understanding::compounds;
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest characters of a word that is corrected: shorter ones are near to too many others.
const CORRECTED_CHARS_MIN: usize = 4;
/// The fewest characters of a word that may have two mistakes.
const TWO_MISTAKES_CHARS_MIN: usize = 8;
/// The most characters of a word that is corrected.
const CORRECTED_CHARS_MAX: usize = 32;
/// The most corrections that are compared by how many products have them with the other words.
const COMPARED_MAX: usize = 16;
/// The most products of a word that is so rare that it may be a mistake, and how many times more
/// products must have a near one.
const RARE_DOCUMENTS_MAX: u64 = 2;
const COMMON_RATIO: u64 = 5;

/// Corrects a word that no product has: cuts it in two, or takes the nearest word that some product
/// has. Where nothing is near enough, the nearest word is only suggested.
pub(super) fn correct(
    words: &mut [UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let length = words[at].surface.chars().count();
    let may_be_corrected = words[at].is_plain
        && !words[at].is_known
        && (CORRECTED_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&length);
    if !may_be_corrected || compounds::cut(&mut words[at], vocabulary)? {
        return Ok(());
    }
    let surface = words[at].surface.clone();
    for distance in 1..=2 {
        let candidates = vocabulary.near(&surface, distance)?;
        let Some(best) = fitting(candidates, words, at, vocabulary)? else {
            continue;
        };
        if distance == 1 || length >= TWO_MISTAKES_CHARS_MIN {
            words[at].correct_to(best, vocabulary.language());
        } else {
            words[at].suggested = Some(best);
        }
        return Ok(());
    }
    Ok(())
}

/// Whether some product has a word that is one edit away.
pub(super) fn is_near_a_word(
    word: &UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let length = word.surface.chars().count();
    let is_eligible =
        word.is_plain && (CORRECTED_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&length);
    Ok(is_eligible && !vocabulary.near(&word.surface, 1)?.is_empty())
}

/// Suggests a near word that far more products have than this one, which some odd product has.
pub(super) fn suggest_the_common(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let length = word.surface.chars().count();
    let is_eligible = word.is_plain
        && word.corrected.is_none()
        && word.synonyms.is_empty()
        && (CORRECTED_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&length);
    if !is_eligible {
        return Ok(());
    }
    let documents = vocabulary.documents(&word.surface)?;
    if !(1..=RARE_DOCUMENTS_MAX).contains(&documents) {
        return Ok(());
    }
    let near = vocabulary.near(&word.surface, 1)?;
    let other = |near: &&KnownWord| vocabulary.language().stem(&near.surface) != word.stem;
    let common = near.iter().find(other);
    word.suggested = common
        .filter(|near| near.documents >= documents * COMMON_RATIO)
        .map(|near| near.surface.clone());
    Ok(())
}

/// The candidate that most products have together with the other words; among equals, the one that
/// most products have.
fn fitting(
    candidates: Vec<KnownWord>,
    words: &[UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Option<String>> {
    let others: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(place, word)| *place != at && word.is_known)
        .map(|(_, word)| word.surface.as_str())
        .collect();
    let mut best: Option<(usize, u64, String)> = None;
    for candidate in candidates.into_iter().take(COMPARED_MAX) {
        let together = if others.is_empty() {
            0
        } else {
            let mut all = vec![candidate.surface.as_str()];
            all.extend(&others);
            vocabulary.together(&all)?
        };
        let is_better = best.as_ref().is_none_or(|(count, documents, _)| {
            (together, candidate.documents) > (*count, *documents)
        });
        if is_better {
            best = Some((together, candidate.documents, candidate.surface));
        }
    }
    Ok(best.map(|(_, _, surface)| surface))
}
