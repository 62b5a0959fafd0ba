//! Words that products write as one or as two, and words that are parts of longer ones.

use crate::index::{AlternativeKind, KeywordWeights, QueryWord, Rows, Vocabulary};
use crate::search::request::query::Exclusion;
use crate::search::request::understanding::context::JOINED_MAX;
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest characters of a word that is cut in two: "pc" is no "p c".
const CUT_CHARS_MIN: usize = 4;
/// The most characters of a word that is cut in two.
const CUT_CHARS_MAX: usize = 32;
/// The fewest characters of a word that is looked for inside of longer ones.
const INNER_CHARS_MIN: usize = 4;
/// The weight of the joined word where more products write it so than apart.
const USUAL: f32 = 0.5;
/// The most longer words that count as a word inside of them.
const COMPOUNDS_MAX: usize = 24;

/// Joins neighbours that products write as one word: "note book". Where products also have both
/// words alone, or something that the unfinished last one begins, the joined word counts as either of
/// them.
pub(super) fn join(
    words: &mut Vec<UnderstoodWord>,
    is_open: bool,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let mut at = 0;
    while at + 1 < words.len() {
        let (left, right) = (&words[at], &words[at + 1]);
        let joined = format!("{}{}", left.surface, right.surface);
        let joined_stem = vocabulary.language().stem(&joined);
        if !may_be_one(left, right) || !vocabulary.has(&joined_stem)? {
            at += 1;
            continue;
        }
        let is_begun = is_open
            && at + 2 == words.len()
            && !vocabulary.continuations(&right.surface, 1)?.is_empty();
        if left.is_known && (right.is_known || is_begun) {
            // It is the usual way to write it only where more products write it so.
            let apart = vocabulary.in_a_row(&[&left.surface, &right.surface])?;
            let is_usual = vocabulary.documents(&joined)? >= apart;
            let weight = if is_usual { USUAL } else { weights.compound };
            for word in &mut words[at..at + 2] {
                let row = vec![joined_stem.clone()];
                word.word.add(row, weight, AlternativeKind::Spelling);
                word.synonyms.push(joined.clone());
            }
        } else {
            let right = words.remove(at + 1);
            let left = &mut words[at];
            left.typed = format!("{} {}", left.typed, right.typed);
            left.place.1 = right.place.1;
            left.word = QueryWord::of(&joined_stem);
            left.corrected = Some(joined.clone());
            (left.surface, left.stem, left.is_known) = (joined, joined_stem, true);
        }
        at += 1;
    }
    Ok(())
}

/// Adds what the last word and the one before it begin together where products write the whole as one
/// word: "head se" may become "headset".
pub(super) fn join_beginning(
    words: &mut [UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let [.., left, right] = words else {
        return Ok(());
    };
    if !left.is_plain || !right.is_plain || !may_be_one(left, right) {
        return Ok(());
    }
    let joined = format!("{}{}", left.surface, right.surface);
    for whole in vocabulary.continuations(&joined, JOINED_MAX)? {
        for word in [&mut *left, &mut *right] {
            for row in vocabulary.language().rows(&whole.surface) {
                word.word
                    .add(row, weights.compound, AlternativeKind::Spelling);
            }
            word.is_known = true;
        }
    }
    Ok(())
}

/// Adds a word for two neighbours that begin it, where products have it rather than anything that
/// the two may mean apart: it counts as much as what was typed.
pub(super) fn add_whole(words: &mut [UnderstoodWord], whole: &str, vocabulary: &Vocabulary<'_>) {
    for word in words {
        for row in vocabulary.language().rows(whole) {
            word.word.add(row, 1.0, AlternativeKind::Spelling);
        }
    }
}

/// Whether two neighbours may be one word: both of letters, or the groups of a number.
fn may_be_one(left: &UnderstoodWord, right: &UnderstoodWord) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_grouped = is_number(&left.surface)
        && is_number(&right.surface)
        && left.surface.len() <= 3
        && right.surface.len() == 3;
    let is_free = !left.is_quoted && !right.is_quoted && left.place.1 + 1 == right.place.0;
    is_free && (left.is_plain && right.is_plain || is_grouped)
}

/// Adds the spelling as two words where products write the word so: "smart watch" counts as
/// "smartwatch".
pub(super) fn add_parts(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    if word.corrected.is_none()
        && word.is_plain
        && let Some(Parts { left, right, rows }) = parts(&word.surface, vocabulary)?
    {
        let language = vocabulary.language();
        let row = vec![language.stem(&left), language.stem(&right)];
        // Where most products write it as two words, that is how it is written.
        let is_usual = rows >= vocabulary.documents(&word.surface)?;
        let weight = if is_usual { 1.0 } else { weights.compound };
        word.word.add(row, weight, AlternativeKind::Spelling);
        word.synonyms.push(format!("{left} {right}"));
    }
    Ok(())
}

/// Whether products have the word as two words next to each other.
pub(super) fn has_parts(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<bool> {
    let is_word = surface.chars().all(char::is_alphabetic);
    Ok(is_word && parts(surface, vocabulary)?.is_some())
}

/// Two words that products have next to each other.
pub(super) struct Parts {
    pub(super) left: String,
    pub(super) right: String,
    /// How many texts have them in a row.
    pub(super) rows: u64,
}

/// The two words that products have next to each other in place of this one: where there are
/// several ways to cut it, the most frequent pair.
pub(super) fn parts(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<Option<Parts>> {
    let mut best: Option<Parts> = None;
    if !(CUT_CHARS_MIN..=CUT_CHARS_MAX).contains(&surface.chars().count()) {
        return Ok(None);
    }
    for (cut, _) in surface.char_indices().skip(1) {
        let (left, right) = surface.split_at(cut);
        if !vocabulary.is_word(left)? || !vocabulary.is_word(right)? {
            continue;
        }
        let rows = vocabulary.in_a_row(&[left, right])?;
        if rows > best.as_ref().map_or(0, |best| best.rows) {
            best = Some(Parts {
                left: left.to_owned(),
                right: right.to_owned(),
                rows,
            });
        }
    }
    Ok(best)
}

/// Adds the longer words that have this one as a part: "Gartenschlauch" counts as "Schlauch".
pub(super) fn add_compounds(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    if !word.is_plain || word.corrected.is_some() {
        return Ok(());
    }
    // The stem leaves out endings, which differ inside of a compound.
    let is_telling = |part: &str| part.chars().count() >= INNER_CHARS_MIN;
    let has_stem = word.surface.starts_with(&word.stem) && is_telling(&word.stem);
    let has_compounds = vocabulary.language().has_compounds();
    let part = if has_stem && (has_compounds || !word.is_known) {
        &word.stem
    } else {
        &word.surface
    };
    let has_short_parts = has_compounds && part.chars().count() > 2;
    if !is_telling(part) && !has_short_parts {
        return Ok(());
    }
    let weight = if word.is_known { weights.compound } else { 1.0 };
    let is_begun = !has_compounds && word.is_begun();
    let part = part.clone();
    for compound in vocabulary.compounds_of(&part, COMPOUNDS_MAX)? {
        // Of "headph" only the end of a word may come of itself: what it begins is there already.
        if is_begun && !compound.surface.ends_with(&part) {
            continue;
        }
        let row = vec![vocabulary.language().stem(&compound.surface)];
        word.word.add(row, weight, AlternativeKind::Spelling);
        word.is_known = true;
        word.synonyms.push(compound.surface);
    }
    Ok(())
}

/// The rows of an exclusion, with the ways to write it as one word or as two.
pub(super) fn excluded(
    exclusion: &Exclusion,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Rows> {
    let mut rows = exclusion.rows.clone();
    let language = vocabulary.language();
    match &exclusion.words[..] {
        [only] => {
            if let Some(Parts { left, right, .. }) = parts(&only.surface, vocabulary)? {
                rows.push(vec![language.stem(&left), language.stem(&right)]);
            }
        }
        [left, right] => rows.push(vec![
            language.stem(&format!("{}{}", left.surface, right.surface)),
        ]),
        _ => {}
    }
    Ok(rows)
}
