//! Corrects the spelling of words that no product has.

use crate::index::{KnownWord, Vocabulary};
use crate::search::request::understanding::compounds::{self, Parts};
use crate::search::request::understanding::context::Context;
use crate::search::request::understanding::mistakes::{is_likely, likelihood, of_missing_space};
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest characters of a word that is corrected: shorter ones are near to too many others.
const CORRECTED_CHARS_MIN: usize = 4;
/// The fewest characters of a word that is corrected where its letters are those of another word,
/// swapped or but for one.
const LIKELY_CHARS_MIN: usize = 3;
/// How many products have a word at least that a word of only so many letters with an unlikely mistake
/// is corrected to: "qwxz" is no "qwz".
const FREQUENT_DOCUMENTS_MIN: u64 = 10;
/// The fewest characters of a word that may have two mistakes.
const TWO_MISTAKES_CHARS_MIN: usize = 8;
/// The fewest letters before digits that are corrected.
const MISTAKEN_CHARS_MIN: usize = 5;
/// The most characters of a word that is corrected.
const CORRECTED_CHARS_MAX: usize = 32;
/// The most corrections that are compared by how many products have them with the other words.
const COMPARED_MAX: usize = 16;
/// The most products of a word that is so rare that it may be a mistake, and how many times more
/// products must have a near one.
const RARE_DOCUMENTS_MAX: u64 = 2;
const COMMON_RATIO: u64 = 5;
/// The fewest letters of a right word that is another spelling of one that products have.
const OTHER_SPELLING_CHARS_MIN: usize = 6;
/// How many titles have a word behind the one before it at least, for a right word to be taken for a mistake.
const USUAL_TITLES_MIN: u64 = 5;
/// The fewest letters of an ending that is no mistake only if the rest is a word to speak of.
const LONG_ENDING_CHARS: usize = 3;

/// Corrects a word that no product has: cuts it in two, or takes the word that was meant most likely.
/// Where nothing is near enough, or the word is right and only nobody sells it, the nearest is only suggested.
pub(super) fn correct(
    words: &mut [UnderstoodWord],
    at: usize,
    is_right: bool,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let word = &words[at];
    let length = word.surface.chars().count();
    if !word.is_plain
        || word.is_known
        || !(LIKELY_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&length)
    {
        return Ok(());
    }
    let surface = word.surface.clone();
    let context = Context::of(words, at, vocabulary);
    let near = likeliest(vocabulary.near(&surface, 1)?, &surface, &context)?;
    let is_meant = match &near {
        Some((_, best)) => {
            is_another_spelling(&surface, best)
                || context.behind_the_one_before(best)? >= USUAL_TITLES_MIN
        }
        None => false,
    };
    // "Usb sick" is no illness, where many titles have "usb stick".
    if is_right && !is_meant {
        let parts = compounds::parts(&surface, vocabulary)?;
        match (parts, near) {
            (Some(Parts { left, right, .. }), _) => {
                words[at].cut_into(&left, &right, vocabulary.language());
            }
            (None, Some((_, best))) => words[at].suggested = Some(best),
            (None, None) => {
                let near = likeliest(vocabulary.near(&surface, 2)?, &surface, &context)?;
                words[at].suggested = near.map(|(_, best)| best);
            }
        }
        return Ok(());
    }
    if length < CORRECTED_CHARS_MIN {
        if let Some((_, best)) = near.filter(|(_, best)| is_likely(&surface, best)) {
            words[at].correct_to(best, vocabulary.language());
        }
        return Ok(());
    }
    if length == CORRECTED_CHARS_MIN
        && let Some((_, best)) = &near
        && !is_likely(&surface, best)
        && vocabulary.documents(best)? < FREQUENT_DOCUMENTS_MIN
    {
        words[at].suggested = Some(best.clone());
        return Ok(());
    }
    if let Some(Parts { left, right, rows }) = compounds::parts(&surface, vocabulary)? {
        let likelihood = of_missing_space(length) * context.evidence(&[&left, &right], rows)?;
        if near
            .as_ref()
            .is_none_or(|(of_near, _)| likelihood >= *of_near)
        {
            words[at].cut_into(&left, &right, vocabulary.language());
            return Ok(());
        }
    }
    if let Some((_, best)) = near {
        words[at].correct_to(best, vocabulary.language());
    } else if let Some((_, best)) = likeliest(vocabulary.near(&surface, 2)?, &surface, &context)? {
        if length >= TWO_MISTAKES_CHARS_MIN {
            words[at].correct_to(best, vocabulary.language());
        } else {
            words[at].suggested = Some(best);
        }
    }
    Ok(())
}

/// Whether two right words may be one in different spellings, such as "flavour" and "flavor" or "centre" and
/// "center": long ones that differ in a letter more, or in the order of two.
fn is_another_spelling(word: &str, other: &str) -> bool {
    let letters = |text: &str| -> Vec<char> { text.chars().collect() };
    let (one, two) = (letters(word), letters(other));
    let (mut sorted, mut other_sorted) = (one.clone(), two.clone());
    sorted.sort_unstable();
    other_sorted.sort_unstable();
    let differs_in_order_or_length = one.len() != two.len() || sorted == other_sorted;
    one.len() >= OTHER_SPELLING_CHARS_MIN
        && one.first() == two.first()
        && differs_in_order_or_length
}

/// Whether a word that no product has in this form is rather another one, mistyped: "agming" has the
/// ending of a form of "agm", and is "gaming".
pub(super) fn is_rather_a_mistake(
    word: &UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let (length, rest) = (word.surface.chars().count(), word.stem.chars().count());
    let is_doubtful = word.is_plain
        && rest < CORRECTED_CHARS_MIN
        && rest + LONG_ENDING_CHARS <= length
        && vocabulary.documents(&word.surface)? == 0;
    if !is_doubtful {
        return Ok(false);
    }
    let near = vocabulary.near(&word.surface, 1)?;
    let documents = near.first().map_or(0, |near| near.documents);
    Ok(documents >= COMMON_RATIO * vocabulary.count(&word.stem)?)
}

/// Whether some product has another word that is one edit away.
pub(super) fn is_near_a_word(
    word: &UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let length = word.surface.chars().count();
    let is_eligible =
        word.is_plain && (CORRECTED_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&length);
    if !is_eligible {
        return Ok(false);
    }
    let near = vocabulary.near(&word.surface, 1)?;
    Ok(near.iter().any(|near| is_another(near, word, vocabulary)))
}

fn is_another(near: &KnownWord, word: &UnderstoodWord, vocabulary: &Vocabulary<'_>) -> bool {
    vocabulary.language().stem(&near.surface) != word.stem
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
    let common = near.iter().find(|near| is_another(near, word, vocabulary));
    word.suggested = common
        .filter(|near| near.documents >= documents * COMMON_RATIO)
        .map(|near| near.surface.clone());
    Ok(())
}

/// Takes the suggested words where no product has the others with the rare ones, and some have them with
/// the common ones: "toner catridge". Otherwise a word that was meant would be dropped.
pub(super) fn take_the_common(
    words: &mut [UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    for at in 0..words.len() {
        let word = &words[at];
        let Some(common) = word.suggested.clone() else {
            continue;
        };
        let context = Context::of(words, at, vocabulary);
        if word.is_known && !context.fits(&word.surface)? && context.fits(&common)? {
            words[at].suggested = None;
            words[at].correct_to(common, vocabulary.language());
        }
    }
    Ok(())
}

/// Whether letters that no product has as a word are near one that some have.
pub(super) fn is_mistaken(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<bool> {
    let is_eligible = surface.chars().all(char::is_alphabetic)
        && (MISTAKEN_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&surface.chars().count());
    Ok(is_eligible && !vocabulary.near(surface, 1)?.is_empty())
}

/// The candidate that was meant most likely by what was typed, with a measure of it.
fn likeliest(
    candidates: Vec<KnownWord>,
    typed: &str,
    context: &Context<'_>,
) -> tantivy::Result<Option<(f64, String)>> {
    let mut best: Option<(f64, String)> = None;
    for candidate in candidates.into_iter().take(COMPARED_MAX) {
        let evidence = context.evidence(&[&candidate.surface], candidate.documents)?;
        let likelihood = likelihood(typed, &candidate.surface) * evidence;
        if best.as_ref().is_none_or(|(known, _)| likelihood > *known) {
            best = Some((likelihood, candidate.surface));
        }
    }
    Ok(best)
}
