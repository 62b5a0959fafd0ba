//! The words that the last word of a query may be the beginning of.

use crate::index::{AlternativeKind, KeywordWeights, KnownWord, Vocabulary, is_unspaced};
use crate::search::request::understanding::compounds;
use crate::search::request::understanding::context::Context;
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest characters of a beginning. Nearly every product has a word with the same first letter.
const BEGINNING_CHARS_MIN: usize = 2;
/// The fewest characters of a beginning with a mistake.
const MISTAKEN_CHARS_MIN: usize = 5;
/// The fewest characters of a beginning whose first letter may be the mistake: "oven" does not begin "evening".
const FIRST_MISTAKEN_CHARS_MIN: usize = 8;
/// The most words that count as what a word begins.
const CONTINUATIONS_MAX: usize = 16;
/// The most words of which those are chosen, by what the catalog has of them with the other words; they
/// are the most frequent ones.
const COMPARED_MAX: usize = 64;
/// The fewest letters of a beginning that is rather mistaken where nothing that it begins goes with the other
/// words.
const MISFIT_CHARS_MIN: usize = 6;
/// A word that so many times more products have than all continuations together is meant instead.
const MISTAKE_RATIO: u64 = 10;
/// How many times as likely as another word one is that things are called by: whoever types "laptop sta" asks for a
/// stand rather than for what StarTech makes.
const KIND_RATIO: f64 = 4.0;
/// A word is rather the beginning of others where so many times more names have those.
const FINISHED_RATIO: f64 = 5.0;

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
    let mut found = vocabulary.nearly_beginning(surface, COMPARED_MAX)?;
    if chars < FIRST_MISTAKEN_CHARS_MIN {
        let first = surface.chars().next();
        found.retain(|known| known.surface.chars().next() == first);
    }
    Ok(found)
}

/// Adds the words that the last word begins. Where it may well be a word itself, products that have it
/// come before those; a word that hardly any name has is rather the beginning of another.
pub(super) fn add(
    words: &mut [UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let word = &words[at];
    let count = word.surface.chars().count();
    if count < BEGINNING_CHARS_MIN || word.surface.chars().any(is_unspaced) {
        return Ok(());
    }
    let found = vocabulary.continuations(&word.surface, COMPARED_MAX)?;
    if !word.is_known && word.is_plain && count >= MISTAKEN_CHARS_MIN {
        let continued: u64 = found.iter().map(|found| found.documents).sum();
        let near = vocabulary.near(&word.surface, 1)?;
        // "microw" goes on from "micro", and is not mistaken for it.
        let mut others = near
            .iter()
            .filter(|near| !word.surface.starts_with(&near.surface));
        let corrected = others.next().map_or(0, |near| near.documents);
        if corrected > continued.saturating_mul(MISTAKE_RATIO) {
            return Ok(());
        }
    }
    if count >= MISFIT_CHARS_MIN && word.is_plain && !word.is_known {
        // Some odd product has "cartrdige": for "toner cartrdi" that is no reason to leave out the toner.
        let context = Context::of(words, at, vocabulary);
        if !found.is_empty() && fitting(&found, &context)?.is_empty() {
            let meant = fitting(&mistaken(&word.surface, vocabulary)?, &context)?;
            if !meant.is_empty() {
                put(words, at, meant, vocabulary, weights)?;
                words[at].corrected.clone_from(&words[at].completed);
                return Ok(());
            }
        }
    }
    put(words, at, found, vocabulary, weights)
}

/// The words that go with the other ones of the query, of the first few.
fn fitting(found: &[KnownWord], context: &Context<'_>) -> tantivy::Result<Vec<KnownWord>> {
    let mut fitting = Vec::new();
    for known in found.iter().take(CONTINUATIONS_MAX) {
        if context.fits(&known.surface)? {
            fitting.push(known.clone());
        }
    }
    Ok(fitting)
}

/// Adds the words that the last word begins with a mistake, where no product has it or a word near.
pub(super) fn add_mistaken(
    words: &mut [UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let word = &words[at];
    if word.is_known {
        return Ok(());
    }
    let mut found = mistaken(&word.surface, vocabulary)?;
    let near = vocabulary.near(&word.surface, 1)?;
    if word.is_plain && !near.is_empty() {
        // A whole word with a mistake is likelier, unless it does not go with the others: "lens fitle".
        let context = Context::of(words, at, vocabulary);
        if !fitting(&near, &context)?.is_empty() {
            return Ok(());
        }
        found = fitting(&found, &context)?;
    }
    put(words, at, found, vocabulary, weights)?;
    words[at].corrected.clone_from(&words[at].completed);
    Ok(())
}

fn put(
    words: &mut [UnderstoodWord],
    at: usize,
    found: Vec<KnownWord>,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let context = Context::of(words, at, vocabulary);
    let mut found = weighed(found, &context)?;
    let is_finished = words[at].is_known && is_finished(&words[at], &found, &context, vocabulary)?;
    found.truncate(CONTINUATIONS_MAX);
    let kind = if is_finished {
        AlternativeKind::Continuation
    } else {
        AlternativeKind::Completion
    };
    let apart = found.first().map_or(0.0, |(evidence, _)| *evidence);
    // "smart wat" is a smartwatch rather than a smart thing of so many watts.
    let joined = context.joined(&words[at].surface)?.into_iter();
    let joined = joined.max_by(|a, b| a.evidence.total_cmp(&b.evidence));
    let joined = joined.filter(|joined| joined.evidence > apart);
    let best = joined.as_ref().map_or(apart, |joined| joined.evidence);
    let word = &mut words[at];
    if !is_finished {
        let best = found.first().map(|(_, best)| best.surface.clone());
        let joined = joined.as_ref().map(|joined| joined.end.clone());
        word.completed = joined.or(best);
    }
    for (evidence, continuation) in found {
        let share = (evidence / best).sqrt() as f32;
        for row in vocabulary.language().rows(&continuation.surface) {
            word.word.add(row, weights.continuation * share, kind);
        }
        word.is_known = true;
    }
    if let Some(joined) = joined {
        compounds::add_whole(&mut words[at - 1..=at], &joined.whole, vocabulary);
    }
    Ok(())
}

/// The continuations with what the catalog has of them beside the other words of the query, most
/// first.
fn weighed(found: Vec<KnownWord>, context: &Context<'_>) -> tantivy::Result<Vec<(f64, KnownWord)>> {
    let mut weighed = Vec::with_capacity(found.len());
    for continuation in found {
        let evidence = evidence(&continuation.surface, continuation.documents, context)?;
        weighed.push((evidence, continuation));
    }
    // The sort is stable: among equals the most frequent stays first.
    weighed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    Ok(weighed)
}

/// What the catalog has of a word beside the others of the query; more where things are called by it.
fn evidence(surface: &str, documents: u64, context: &Context<'_>) -> tantivy::Result<f64> {
    let evidence = context.evidence(&[surface], documents)?;
    Ok(if context.names_kind(surface)? {
        KIND_RATIO * evidence
    } else {
        evidence
    })
}

/// Whether the word is likely one itself, and no beginning: the catalog has it beside the other words
/// of the query, not much less often than what it begins.
fn is_finished(
    word: &UnderstoodWord,
    continuations: &[(f64, KnownWord)],
    context: &Context<'_>,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let others = continuations.iter();
    let others = others.filter(|(_, other)| !context.is_form_of(&other.surface, word));
    let continued: f64 = others.map(|(evidence, _)| evidence).sum();
    let documents = vocabulary.documents(&word.surface)?;
    // Of "printe" the catalog has only other forms.
    let ratio = if documents == 0 { 1.0 } else { FINISHED_RATIO };
    Ok(evidence(&word.surface, documents, context)? * ratio >= continued)
}
