//! The words that the last word of a query may be the beginning of.

use crate::index::{AlternativeKind, KeywordWeights, KnownWord, Vocabulary, is_unspaced};
use crate::search::request::understanding::UnderstoodWord;

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

/// Adds the words that the last word begins, with its mistakes where nothing begins exactly so.
pub(super) fn add(
    words: &mut [UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let Some(word) = words.last_mut() else {
        return Ok(());
    };
    let count = word.surface.chars().count();
    if count < BEGINNING_CHARS_MIN || word.surface.chars().any(is_unspaced) {
        return Ok(());
    }
    let mut found = vocabulary.continuations(&word.surface, CONTINUATIONS_MAX)?;
    if !word.is_known {
        let whole = if word.is_plain && count >= MISTAKEN_CHARS_MIN {
            vocabulary.near(&word.surface, 1)?
        } else {
            Vec::new()
        };
        let continued: u64 = found.iter().map(|found| found.documents).sum();
        let corrected = whole.first().map_or(0, |near| near.documents);
        if corrected > continued.saturating_mul(MISTAKE_RATIO) {
            return Ok(());
        }
        if found.is_empty() && whole.is_empty() {
            found = mistaken(&word.surface, vocabulary)?;
            word.corrected = found.first().map(|found| found.surface.clone());
        }
    }
    for continuation in found {
        let stem = vocabulary.language().stem(&continuation.surface);
        word.word.add(
            vec![stem],
            weights.continuation,
            AlternativeKind::Continuation,
        );
        word.is_known = true;
    }
    Ok(())
}
