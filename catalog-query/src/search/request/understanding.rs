//! Turns a parsed query into the terms that are looked up: corrects spelling and adds compounds and
//! synonyms, by the vocabulary of the catalog. A word that some product has is never corrected.

#[cfg(test)]
mod tests;

use crate::index::{
    Alternative, KeywordWeights, KnownWord, Language, QueryTerms, QueryWord, Vocabulary, Word,
};
use crate::search::request::query::{ParsedQuery, QueriedWord};
use crate::search::rules::synonyms::Synonyms;

/// The fewest characters of a word that is corrected: shorter ones are near to too many others.
const CORRECTED_CHARS_MIN: usize = 4;
/// The fewest characters of a word that may have two mistakes.
const TWO_MISTAKES_CHARS_MIN: usize = 8;
/// The most characters of a word that is corrected or cut in two.
const CORRECTED_CHARS_MAX: usize = 32;
/// The most corrections that are compared by how many products have them with the other words.
const COMPARED_MAX: usize = 16;
/// The fewest characters of a part of a compound.
const PART_CHARS_MIN: usize = 3;

/// The terms of a query that are looked up, and what each of its words was taken to mean: the part
/// of a prepared query that the legs search for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnderstoodQuery {
    pub(crate) terms: QueryTerms,
    /// The words in the order of the query, each stem once.
    pub(crate) words: Vec<UnderstoodWord>,
    pub(crate) language: Language,
    /// The corrected text that a search by meaning embeds.
    pub(crate) text: String,
    /// The text that was searched for instead of the typed one; None when nothing was corrected.
    pub(crate) corrected: Option<String>,
}

/// A word of a query, and what it was taken to mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnderstoodWord {
    pub(crate) typed: String,
    /// None when the word is taken as it was typed.
    pub(crate) corrected: Option<String>,
    /// Other words that count as this one.
    pub(crate) synonyms: Vec<String>,
    /// The bytes of the word in the text of the query.
    place: (usize, usize),
    surface: String,
    stem: String,
    word: QueryWord,
    /// True for a word that is not to be changed: it is quoted or has other signs than letters.
    fixed: bool,
    /// Whether some product has the word, or what it was corrected to.
    known: bool,
}

impl UnderstoodWord {
    /// The terms of this word alone.
    pub(crate) fn terms(&self) -> QueryTerms {
        QueryTerms {
            words: vec![self.word.clone()],
            ..QueryTerms::default()
        }
    }

    /// Looks for another word in place of this one.
    fn correct_to(&mut self, word: String, language: Language) {
        self.stem = language.stem(&word);
        self.word = QueryWord::of(&self.stem);
        self.surface.clone_from(&word);
        self.corrected = Some(word);
        self.known = true;
    }

    /// Looks for two words next to each other in place of this one.
    fn cut_into(&mut self, left: &str, right: &str, language: Language) {
        self.word = QueryWord {
            alternatives: vec![Alternative {
                stems: vec![language.stem(left), language.stem(right)],
                weight: 1.0,
                is_synonym: false,
            }],
        };
        self.corrected = Some(format!("{left} {right}"));
        self.known = true;
    }
}

/// Takes the query as it is, without corrections and synonyms.
pub(crate) fn verbatim(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<UnderstoodQuery> {
    let words = words(query, vocabulary)?;
    Ok(understood(query, words, vocabulary.language()))
}

/// Corrects words that no product has, and adds words that mean the same.
pub(crate) fn understand(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
    synonyms: &Synonyms,
    weights: &KeywordWeights,
) -> tantivy::Result<UnderstoodQuery> {
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

/// The words of a query, each stem once.
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

fn understood(
    query: &ParsedQuery,
    words: Vec<UnderstoodWord>,
    language: Language,
) -> UnderstoodQuery {
    let changes: Vec<_> = words
        .iter()
        .filter_map(|word| Some((word.place, word.corrected.clone()?)))
        .collect();
    let corrected = (!changes.is_empty()).then(|| query.replaced(&changes));
    UnderstoodQuery {
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

/// The stems of each phrase or exclusion.
fn stems(parts: &[Vec<Word>]) -> Vec<Vec<String>> {
    let stems_of = |words: &Vec<Word>| words.iter().map(|word| word.stem.clone()).collect();
    parts.iter().map(stems_of).collect()
}

/// Joins neighbours that products write as one word: "note book". Where products also have both
/// words alone, the joined word counts as either of them.
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

/// Adds the spelling as two words where products write the word so: "smart watch" counts as
/// "smartwatch".
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

/// The two words that products have next to each other in place of this one: where there are
/// several ways to cut it, the most frequent pair.
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

/// Corrects a word that no product has: cuts it in two, or takes the nearest word that some product
/// has.
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
        words[at].cut_into(&left, &right, vocabulary.language());
        return Ok(());
    }
    let mistakes_max = if length < TWO_MISTAKES_CHARS_MIN {
        1
    } else {
        2
    };
    for distance in 1..=mistakes_max {
        let candidates = vocabulary.near(&surface, distance)?;
        if let Some(best) = fitting(candidates, words, at, vocabulary)? {
            words[at].correct_to(best, vocabulary.language());
            return Ok(());
        }
    }
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
        .filter(|(place, word)| *place != at && word.known)
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

/// Adds the synonyms of words and phrases, but not to words that are fixed.
fn add_synonyms(words: &mut [UnderstoodWord], synonyms: &Synonyms, weights: &KeywordWeights) {
    let stems: Vec<&str> = words.iter().map(|word| word.stem.as_str()).collect();
    let expansions = synonyms.find(&stems);
    for found in expansions {
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
