//! Words that products write as one or as two, and words that are parts of longer ones.

use std::ops::Range;

use crate::index::{
    AlternativeKind, KeywordWeights, QueryTerms, QueryWord, Rows, Vocabulary,
    are_groups_of_a_number,
};
use crate::search::request::query::Exclusion;
use crate::search::request::understanding::context::JOINED_MAX;
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest characters of a word that is cut in two: "pc" is no "p c".
const CUT_CHARS_MIN: usize = 4;
/// The fewest characters of a word that is cut in three.
const THREE_PARTS_CHARS_MIN: usize = 7;
/// The most characters of a word that is cut in two.
const CUT_CHARS_MAX: usize = 32;
/// The most words that are joined to one.
const JOINED_WORDS_MAX: usize = 4;
/// The fewest characters of a word that is looked for inside of longer ones.
const INNER_CHARS_MIN: usize = 4;
/// The fewest characters of each of two words that a product may have in any places.
const APART_CHARS_MIN: usize = 4;
/// What stands between the parts of a compound, longest first.
const LINKS: &[&str] = &["en", "er", "es", "e", "n", "s"];
/// The weight of the joined word where more products write it so than apart.
const USUAL: f32 = 0.5;
/// The weight where so many products write it so, and none apart: "pro book" is no book for professionals.
const ONLY: f32 = 1.0;
const COMMON_MIN: u64 = 5;
/// The most longer words that count as a word inside of them.
const COMPOUNDS_MAX: usize = 24;

/// Joins neighbours that products write as one word: "note book", "do it yourself". Where products also
/// have all of the words alone, or something that the unfinished last one begins, the joined word counts as
/// any of them.
pub(super) fn join(
    words: &mut Vec<UnderstoodWord>,
    is_open: bool,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let mut at = 0;
    while at + 1 < words.len() {
        if let Some((count, joined)) = written_as_one(&words[at..], vocabulary)? {
            let of_word = at..at + count;
            let is_begun = is_open
                && of_word.end == words.len()
                && !vocabulary
                    .continuations(&words[of_word.end - 1].surface, 1)?
                    .is_empty();
            let unknown = words[of_word.clone()].iter();
            let unknown = unknown.filter(|word| !word.is_known).count();
            let is_last_unknown = unknown == 1 && !words[of_word.end - 1].is_known;
            if unknown == 0 || is_last_unknown && is_begun {
                add_joined(&mut words[of_word], &joined, vocabulary, weights)?;
            } else {
                merge(words, of_word, joined, vocabulary);
            }
        }
        at += 1;
    }
    Ok(())
}

/// The first words that products write as one, as many as possible: how many they are, and the one.
fn written_as_one(
    words: &[UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Option<(usize, String)>> {
    for count in (2..=JOINED_WORDS_MAX.min(words.len())).rev() {
        if may_be_one(&words[..count]) {
            let joined: String = words[..count]
                .iter()
                .map(|word| word.surface.as_str())
                .collect();
            if vocabulary.has(&vocabulary.language().stem(&joined))? {
                return Ok(Some((count, joined)));
            }
        }
    }
    Ok(None)
}

/// Lets the joined word count as any of these.
fn add_joined(
    words: &mut [UnderstoodWord],
    joined: &str,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let surfaces: Vec<&str> = words.iter().map(|word| word.surface.as_str()).collect();
    // It is the usual way to write it only where more products write it so.
    let apart = vocabulary.in_a_row(&surfaces)?;
    let documents = vocabulary.documents(joined)?;
    let weight = if apart == 0 && documents >= COMMON_MIN {
        ONLY
    } else if documents >= apart {
        USUAL
    } else {
        weights.compound
    };
    let stem = vocabulary.language().stem(joined);
    for word in words {
        word.word
            .add(vec![stem.clone()], weight, AlternativeKind::Spelling);
        word.synonyms.push(joined.to_owned());
    }
    Ok(())
}

/// Puts one word in the place of several.
fn merge(
    words: &mut Vec<UnderstoodWord>,
    place: Range<usize>,
    joined: String,
    vocabulary: &Vocabulary<'_>,
) {
    let rest: Vec<UnderstoodWord> = words.drain(place.start + 1..place.end).collect();
    let word = &mut words[place.start];
    for next in rest {
        word.typed = format!("{} {}", word.typed, next.typed);
        word.place.1 = next.place.1;
    }
    word.stem = vocabulary.language().stem(&joined);
    word.word = QueryWord::of(&word.stem);
    word.corrected = Some(joined.clone());
    (word.surface, word.is_known) = (joined, true);
}

/// Adds what the last word and the one before it begin together where products write the whole as one
/// word: "head se" may become "headset".
pub(super) fn join_beginning(
    words: &mut [UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let Some(pair) = words.last_chunk_mut::<2>() else {
        return Ok(());
    };
    let [left, right] = &*pair;
    if !left.is_plain || !right.is_plain || !may_be_one(pair) {
        return Ok(());
    }
    let joined = format!("{}{}", left.surface, right.surface);
    for whole in vocabulary.continuations(&joined, JOINED_MAX)? {
        for word in &mut *pair {
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

/// Whether neighbours may be one word: all of letters, or the groups of a number.
fn may_be_one(words: &[UnderstoodWord]) -> bool {
    let are_next = words
        .windows(2)
        .all(|pair| pair[0].place.1 + 1 == pair[1].place.0);
    let are_groups = || {
        let surfaces: Vec<&str> = words.iter().map(|word| word.surface.as_str()).collect();
        are_groups_of_a_number(&surfaces)
    };
    let is_free = are_next && words.iter().all(|word| !word.is_quoted);
    is_free && (words.iter().all(|word| word.is_plain) || are_groups())
}

/// Adds the spelling as several words where products write the word so: "smart watch" counts as
/// "smartwatch".
pub(super) fn add_parts(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    if word.corrected.is_some() || !word.is_plain {
        return Ok(());
    }
    let two = parts(&word.surface, vocabulary)?;
    let two = two.map(|Parts { left, right, rows }| (vec![left, right], rows));
    let three = three_parts(&word.surface, vocabulary)?;
    let language = vocabulary.language();
    for (apart, rows) in two.into_iter().chain(three) {
        let row = apart.iter().map(|part| language.stem(part)).collect();
        // Where most products write it apart, that is how it is written.
        let is_usual = rows >= vocabulary.documents(&word.surface)?;
        let weight = if is_usual { 1.0 } else { weights.compound };
        word.word.add(row, weight, AlternativeKind::Spelling);
        word.synonyms.push(apart.join(" "));
    }
    Ok(())
}

/// Takes words that no product has apart where some product has both parts, if not next to each other:
/// "Ledertasche" finds the "Tasche aus Leder". Only where words are put together as a rule: a "wallpaper" is no
/// paper for a wall.
pub(super) fn take_apart(
    words: &mut Vec<UnderstoodWord>,
    is_open: bool,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    if !vocabulary.language().has_compounds() {
        return Ok(());
    }
    let mut at = 0;
    while at < words.len() && words.len() < QueryTerms::WORDS_MAX {
        let word = &words[at];
        let is_begun = is_open && at + 1 == words.len();
        let is_eligible = word.is_plain && !word.is_known && !word.is_quoted;
        if is_eligible
            && (!is_begun || vocabulary.continuations(&word.surface, 1)?.is_empty())
            && vocabulary.near(&word.surface, 1)?.is_empty()
            && vocabulary.compounds_of(&word.surface, 1)?.is_empty()
            && parts(&word.surface, vocabulary)?.is_none()
            && let Some((left, right)) = apart(&word.surface, vocabulary)?
        {
            cut_apart(words, at, &left, &right, vocabulary);
            at += 1;
        }
        at += 1;
    }
    Ok(())
}

/// The two words that most products have of those that a word may be put together of.
fn apart(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<Option<(String, String)>> {
    let mut best: Option<(u64, String, String)> = None;
    if surface.chars().count() > CUT_CHARS_MAX {
        return Ok(None);
    }
    for (cut, _) in surface.char_indices().skip(APART_CHARS_MIN) {
        let (left, right) = surface.split_at(cut);
        if right.chars().count() < APART_CHARS_MIN || !vocabulary.is_word(right)? {
            continue;
        }
        let links = LINKS.iter().filter_map(|link| left.strip_suffix(link));
        for left in std::iter::once(left).chain(links) {
            if left.chars().count() < APART_CHARS_MIN || !vocabulary.is_word(left)? {
                continue;
            }
            let pair = [left, right];
            let both = vocabulary.together(&pair)?;
            let both = both.max(vocabulary.together_in_titles(&pair)?);
            if both > best.as_ref().map_or(0, |(most, ..)| *most) {
                best = Some((both, left.to_owned(), right.to_owned()));
            }
        }
    }
    Ok(best.map(|(_, left, right)| (left, right)))
}

/// Puts two words in the place of one.
fn cut_apart(
    words: &mut Vec<UnderstoodWord>,
    at: usize,
    left: &str,
    right: &str,
    vocabulary: &Vocabulary<'_>,
) {
    let (from, to) = words[at].place;
    let part = |surface: &str, place| {
        let stem = vocabulary.language().stem(surface);
        UnderstoodWord {
            typed: surface.to_owned(),
            word: QueryWord::of(&stem),
            surface: surface.to_owned(),
            stem,
            place,
            is_known: true,
            ..words[at].clone()
        }
    };
    let both = [part(left, (from, to)), part(right, (to, to))];
    words.splice(at..=at, both);
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

/// The three words that products have next to each other in place of this one, "all in one" for "allinone", and how
/// many texts have them so.
fn three_parts(
    surface: &str,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Option<(Vec<String>, u64)>> {
    let mut best: Option<(Vec<String>, u64)> = None;
    if !(THREE_PARTS_CHARS_MIN..=CUT_CHARS_MAX).contains(&surface.chars().count()) {
        return Ok(None);
    }
    for (first, _) in surface.char_indices().skip(2) {
        let (left, rest) = surface.split_at(first);
        if !vocabulary.is_word(left)? {
            continue;
        }
        for (second, _) in rest.char_indices().skip(2) {
            let (middle, right) = rest.split_at(second);
            if right.len() < 2 || !vocabulary.is_word(middle)? || !vocabulary.is_word(right)? {
                continue;
            }
            let rows = vocabulary.in_a_row(&[left, middle, right])?;
            if rows > best.as_ref().map_or(0, |(_, rows)| *rows) {
                best = Some(([left, middle, right].map(str::to_owned).to_vec(), rows));
            }
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
