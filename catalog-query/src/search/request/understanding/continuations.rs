//! The words that the last word of a query may be the beginning of.

use crate::index::{AlternativeKind, KeywordWeights, KnownWord, Vocabulary, is_unspaced};
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest characters of a beginning. Nearly every product has a word with the same first letter.
const BEGINNING_CHARS_MIN: usize = 2;
/// The fewest characters of a beginning with a mistake.
const MISTAKEN_CHARS_MIN: usize = 4;
/// The most words that count as what a word begins; they are the most frequent ones.
const CONTINUATIONS_MAX: usize = 16;
/// A word that so many times more products have than all continuations together is meant instead.
const MISTAKE_RATIO: u64 = 10;

/// Whether any product has a longer word that begins so.
pub(super) fn begins(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<bool> {
    if surface.chars().count() < MISTAKEN_CHARS_MIN {
        return Ok(false);
    }
    Ok(!vocabulary.continuations(surface, 1)?.is_empty()
        || !mistaken(surface, vocabulary)?.is_empty())
}

/// The words that begin with something one edit away, for a beginning of which most are letters.
fn mistaken(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<Vec<KnownWord>> {
    let chars = surface.chars().count();
    let letters = surface.chars().filter(|c| c.is_alphabetic()).count();
    if chars < MISTAKEN_CHARS_MIN || letters + 1 < chars {
        return Ok(Vec::new());
    }
    vocabulary.nearly_beginning(surface, CONTINUATIONS_MAX)
}

/// Adds the words that the last word begins.
pub(super) fn add(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let count = word.surface.chars().count();
    if count < BEGINNING_CHARS_MIN || word.surface.chars().any(is_unspaced) {
        return Ok(());
    }
    let found = vocabulary.continuations(&word.surface, CONTINUATIONS_MAX)?;
    if !word.is_known && word.is_plain && count >= MISTAKEN_CHARS_MIN {
        let continued: u64 = found.iter().map(|found| found.documents).sum();
        let near = vocabulary.near(&word.surface, 1)?;
        let corrected = near.first().map_or(0, |near| near.documents);
        if corrected > continued.saturating_mul(MISTAKE_RATIO) {
            return Ok(());
        }
    }
    put(word, found, vocabulary, weights);
    Ok(())
}

/// Adds the words that the last word begins with a mistake, where no product has it or a word near.
pub(super) fn add_mistaken(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    if word.is_known || word.is_plain && !vocabulary.near(&word.surface, 1)?.is_empty() {
        return Ok(());
    }
    let found = mistaken(&word.surface, vocabulary)?;
    word.corrected = found.first().map(|found| found.surface.clone());
    put(word, found, vocabulary, weights);
    Ok(())
}

fn put(
    word: &mut UnderstoodWord,
    found: Vec<KnownWord>,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) {
    for continuation in found {
        for row in vocabulary.language().rows(&continuation.surface) {
            let kind = AlternativeKind::Continuation;
            word.word.add(row, weights.continuation, kind);
        }
        word.is_known = true;
    }
}
