//! From what was typed to what is looked for: spelling, compounds and synonyms, by the vocabulary of
//! the catalogue. A word that some product has is never corrected.

#[cfg(test)]
mod tests;

use crate::index::{
    Alternative, KeywordWeights, KnownWord, Language, QueryTerms, QueryWord, Vocabulary, Word,
};
use crate::search::request::query::{ParsedQuery, QueriedWord};
use crate::search::rules::synonyms::Synonyms;

/// Shorter words are too near to too many others.
const CORRECTED_CHARS_MIN: usize = 4;
/// Longer words may have two mistakes.
const TWO_MISTAKES_CHARS_MIN: usize = 8;
/// Longer ones are no words.
const CORRECTED_CHARS_MAX: usize = 32;
/// Corrections that are compared by whether they go with the other words.
const COMPARED_MAX: usize = 16;
/// A part of a compound.
const PART_CHARS_MIN: usize = 3;

/// What is looked for, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Understood {
    pub(crate) terms: QueryTerms,
    /// In the order of the query.
    pub(crate) words: Vec<UnderstoodWord>,
    pub(crate) language: Language,
    /// For search by meaning.
    pub(crate) text: String,
    /// What was searched for instead of what was typed.
    pub(crate) corrected: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnderstoodWord {
    pub(crate) typed: String,
    /// None: as it was typed.
    pub(crate) corrected: Option<String>,
    /// What counts as the word too.
    pub(crate) synonyms: Vec<String>,
    /// In the text of the query.
    place: (usize, usize),
    surface: String,
    stem: String,
    word: QueryWord,
    /// Not to be touched: quoted, an identifier, or no word of letters.
    fixed: bool,
    known: bool,
}

impl UnderstoodWord {
    /// The word alone.
    pub(crate) fn terms(&self) -> QueryTerms {
        QueryTerms {
            words: vec![self.word.clone()],
            ..QueryTerms::default()
        }
    }
}

/// Takes the query as it is.
pub(crate) fn verbatim(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Understood> {
    let words = words(query, vocabulary)?;
    Ok(understood(query, words, vocabulary.language()))
}

/// Corrects what no product has and adds what means the same.
pub(crate) fn understand(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
    synonyms: &Synonyms,
    weights: &KeywordWeights,
) -> tantivy::Result<Understood> {
    let mut words = words(query, vocabulary)?;
    join(&mut words, vocabulary, weights)?;
    for at in 0..words.len() {
        if words[at].fixed {
            continue;
        }
        if words[at].known {
            add_parts(&mut words[at], vocabulary, weights)?;
        } else {
            correct(&mut words, at, vocabulary)?;
        }
    }
    add_synonyms(&mut words, synonyms, weights);
    Ok(understood(query, words, vocabulary.language()))
}

fn words(query: &ParsedQuery, vocabulary: &Vocabulary<'_>) -> tantivy::Result<Vec<UnderstoodWord>> {
    let mut words: Vec<UnderstoodWord> = Vec::new();
    for QueriedWord { word, quoted } in &query.words {
        if words.iter().any(|known| known.stem == word.stem) {
            continue;
        }
        let is_plain = word.surface.chars().all(char::is_alphabetic);
        let known = vocabulary.has(&word.stem)?;
        words.push(UnderstoodWord {
            typed: query.text[word.from..word.to].to_owned(),
            corrected: None,
            synonyms: Vec::new(),
            place: (word.from, word.to),
            surface: word.surface.clone(),
            stem: word.stem.clone(),
            word: QueryWord::of(&word.stem),
            fixed: *quoted || !is_plain,
            known,
        });
    }
    Ok(words)
}

fn understood(query: &ParsedQuery, words: Vec<UnderstoodWord>, language: Language) -> Understood {
    let changes: Vec<_> = words
        .iter()
        .filter_map(|word| Some((word.place, word.corrected.clone()?)))
        .collect();
    let stems = |parts: &[Vec<Word>]| {
        let stems = |words: &Vec<Word>| {
            let stems = words.iter().map(|word| word.stem.clone());
            stems.collect::<Vec<_>>()
        };
        parts.iter().map(stems).collect()
    };
    let corrected = (!changes.is_empty()).then(|| query.replaced(&changes));
    Understood {
        terms: QueryTerms {
            words: words.iter().map(|word| word.word.clone()).collect(),
            phrases: stems(&query.phrases),
            exclusions: stems(&query.exclusions),
            identifiers: query.identifiers.clone(),
        },
        language,
        text: corrected.as_ref().unwrap_or(query).wanted_text(),
        corrected: corrected.map(|query| query.text),
        words,
    }
}

/// Words that products write as one: "note book". Where both are known words, either spelling counts.
fn join(
    words: &mut Vec<UnderstoodWord>,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    let mut at = 0;
    while at + 1 < words.len() {
        let (left, right) = (&words[at], &words[at + 1]);
        let joined = format!("{}{}", left.surface, right.surface);
        let joined_stem = vocabulary.language().stem(&joined);
        let may_join = !left.fixed && !right.fixed && left.place.1 + 1 == right.place.0;
        if !may_join || !vocabulary.has(&joined_stem)? {
            at += 1;
            continue;
        }
        if left.known && right.known {
            for word in &mut words[at..at + 2] {
                word.word
                    .add_spelling(vec![joined_stem.clone()], weights.compound);
                word.synonyms.push(joined.clone());
            }
        } else {
            let right = words.remove(at + 1);
            let left = &mut words[at];
            left.typed = format!("{} {}", left.typed, right.typed);
            left.place.1 = right.place.1;
            left.word = QueryWord::of(&joined_stem);
            left.corrected = Some(joined.clone());
            (left.surface, left.stem, left.known) = (joined, joined_stem, true);
        }
        at += 1;
    }
    Ok(())
}

/// "smart watch" counts as "smartwatch" where products write it so.
fn add_parts(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
    weights: &KeywordWeights,
) -> tantivy::Result<()> {
    if word.corrected.is_none()
        && let Some((left, right)) = parts(&word.surface, vocabulary)?
    {
        let stems = vec![
            vocabulary.language().stem(&left),
            vocabulary.language().stem(&right),
        ];
        word.word.add_spelling(stems, weights.compound);
        word.synonyms.push(format!("{left} {right}"));
    }
    Ok(())
}

/// The two words that products have next to each other in place of this one; of several ways to
/// cut it, the most frequent.
fn parts(surface: &str, vocabulary: &Vocabulary<'_>) -> tantivy::Result<Option<(String, String)>> {
    let mut best: Option<(u64, (String, String))> = None;
    if surface.chars().count() > CORRECTED_CHARS_MAX {
        return Ok(None);
    }
    for (cut, _) in surface.char_indices().skip(PART_CHARS_MIN) {
        let (left, right) = surface.split_at(cut);
        if right.chars().count() < PART_CHARS_MIN
            || !vocabulary.has(&vocabulary.language().stem(left))?
            || !vocabulary.has(&vocabulary.language().stem(right))?
        {
            continue;
        }
        let count = vocabulary.in_a_row(&[left, right])?;
        if count > best.as_ref().map_or(0, |(count, _)| *count) {
            best = Some((count, (left.to_owned(), right.to_owned())));
        }
    }
    Ok(best.map(|(_, parts)| parts))
}

/// A word that no product has: cut in two, or the nearest word that some product has.
fn correct(
    words: &mut [UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let surface = words[at].surface.clone();
    let length = surface.chars().count();
    if !(CORRECTED_CHARS_MIN..=CORRECTED_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    if let Some((left, right)) = parts(&surface, vocabulary)? {
        let word = &mut words[at];
        word.word = QueryWord {
            alternatives: vec![Alternative {
                stems: vec![
                    vocabulary.language().stem(&left),
                    vocabulary.language().stem(&right),
                ],
                weight: 1.0,
                is_synonym: false,
            }],
        };
        word.corrected = Some(format!("{left} {right}"));
        word.known = true;
        return Ok(());
    }
    let most = if length < TWO_MISTAKES_CHARS_MIN {
        1
    } else {
        2
    };
    for distance in 1..=most {
        let candidates = vocabulary.near(&surface, distance)?;
        if let Some(best) = fitting(candidates, words, at, vocabulary)? {
            let word = &mut words[at];
            word.stem = vocabulary.language().stem(&best);
            word.word = QueryWord::of(&word.stem);
            word.surface.clone_from(&best);
            word.corrected = Some(best);
            word.known = true;
            return Ok(());
        }
    }
    Ok(())
}

/// The candidate that most products have together with the other words; where that does not tell,
/// the most frequent one.
fn fitting(
    candidates: Vec<KnownWord>,
    words: &[UnderstoodWord],
    at: usize,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Option<String>> {
    let others = words.iter().enumerate();
    let others = others.filter(|(place, word)| *place != at && word.known);
    let others: Vec<&str> = others.map(|(_, word)| word.surface.as_str()).collect();
    let mut best: Option<(usize, u64, String)> = None;
    for candidate in candidates.into_iter().take(COMPARED_MAX) {
        let together = match others.is_empty() {
            true => 0,
            false => {
                let mut all = vec![candidate.surface.as_str()];
                all.extend(&others);
                vocabulary.together(&all)?
            }
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

fn add_synonyms(words: &mut [UnderstoodWord], synonyms: &Synonyms, weights: &KeywordWeights) {
    let stems: Vec<String> = words.iter().map(|word| word.stem.clone()).collect();
    let stems: Vec<&str> = stems.iter().map(String::as_str).collect();
    for found in synonyms.find(&stems) {
        let of_rule = &mut words[found.first..found.first + found.words];
        for word in of_rule.iter_mut().filter(|word| !word.fixed) {
            for synonym in found.synonyms {
                word.word
                    .add_synonym(synonym.stems.clone(), weights.synonym);
                word.synonyms.push(synonym.text.clone());
            }
        }
    }
}
