//! Turns a parsed query into the terms that are looked up: corrects spelling and adds compounds,
//! continuations and synonyms, by the vocabulary of the catalog. A word that some product has is
//! never corrected; where a far more common one is near, it is only told.

mod bare_numbers;
mod compounds;
mod context;
mod continuations;
mod correction;
mod mistakes;
mod models;
mod plurals;
mod dictionary;
mod worth;
mod word;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod typed_tests;

pub(crate) use self::dictionary::Dictionary;
pub(crate) use self::word::UnderstoodWord;
use crate::index::{
    self, DocSets, Identifier, IndexError, IndexSnapshot, KeywordWeights, Language, QueryTerms,
    QueryWord, Vocabulary, Word, is_unspaced,
};
use crate::search::request::query::{ParsedQuery, QueriedWord};
use crate::search::rules::synonyms::Synonyms;

/// The most products that have a word which may be a part number, or a piece of one: with more of them,
/// "256MB" is a size.
pub(super) const WORDS_OF_IDENTIFIER_MAX: u64 = 3;

/// The most digits of a number with a decimal point or a fraction that is no part number.
const QUANTITY_DIGITS_MAX: usize = 5;

/// The terms of a query that are looked up, and what each of its words was taken to mean: the part
/// of a prepared query that the legs search for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnderstoodQuery {
    pub(crate) terms: QueryTerms,
    /// The words in the order of the query, each stem once. They are those of the terms.
    pub(crate) words: Vec<UnderstoodWord>,
    pub(crate) language: Language,
    /// The corrected and completed text that a search by meaning embeds.
    pub(crate) text: String,
    /// The text that was searched for instead of the typed one; None when nothing was corrected.
    pub(crate) corrected: Option<String>,
    /// A text that was not searched for, and that may have been meant.
    pub(crate) suggested: Option<String>,
}

impl UnderstoodQuery {
    /// Whether some product has one of the words, or what one was corrected to.
    pub(crate) fn has_known_word(&self) -> bool {
        self.words.iter().any(|word| word.is_known)
    }

    /// The documents that have all numbers, sizes and codes of the query, of those that any document
    /// has; None for a query without them. Blocks on the index.
    pub(crate) fn with_numbers(
        &self,
        snapshot: &IndexSnapshot,
    ) -> Result<Option<DocSets>, IndexError> {
        let mut with_all: Option<DocSets> = None;
        for word in self.words.iter().filter(|word| word.is_number()) {
            let with = snapshot.matching(&word.terms())?;
            if with.len() == 0 {
                continue;
            }
            match &mut with_all {
                Some(all) => all.intersect(&with),
                None => with_all = Some(with),
            }
        }
        Ok(with_all)
    }
}

/// Takes the query as it is, without corrections, continuations and synonyms.
pub(crate) fn verbatim(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<UnderstoodQuery> {
    let words = words(query, vocabulary)?;
    understood(query, words, vocabulary)
}

/// Corrects words that no product has, and adds words that mean the same. What `dictionary` has is written
/// right, whether products have it or not.
pub(crate) fn understand(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
    dictionary: &Dictionary,
    synonyms: &Synonyms,
    weights: &KeywordWeights,
) -> tantivy::Result<UnderstoodQuery> {
    let mut words = words(query, vocabulary)?;
    compounds::join(&mut words, query.is_open, vocabulary, weights)?;
    compounds::take_apart(&mut words, query.is_open, vocabulary)?;
    let counted = bare_numbers::counted(&mut words, vocabulary)?;
    if query.is_open {
        compounds::join_beginning(&mut words, vocabulary, weights)?;
    }
    for at in 0..words.len() {
        if words[at].is_quoted {
            continue;
        }
        let is_last = query.is_open && at + 1 == words.len();
        plurals::add_singular(&mut words[at], vocabulary)?;
        // Where words are rarely put together, "rado" is a mistaken "radio" and no part of "Dorado".
        let may_be_a_part = vocabulary.language().has_compounds()
            || vocabulary.documents(&words[at].surface)? == 0
                && !correction::is_near_a_word(&words[at], vocabulary)?;
        if is_last {
            continuations::add(&mut words, at, vocabulary, weights)?;
        }
        if words[at].is_known && words[at].completed.is_none() {
            words[at].is_known = !correction::is_rather_a_mistake(&words[at], vocabulary)?;
        }
        let was_known = words[at].is_known;
        if was_known {
            compounds::add_parts(&mut words[at], vocabulary, weights)?;
        }
        if may_be_a_part {
            compounds::add_compounds(&mut words[at], vocabulary, weights)?;
        }
        if was_known {
            // Who still types may go on.
            if !(is_last && words[at].is_begun()) {
                correction::suggest_the_common(&mut words[at], vocabulary)?;
            }
        } else {
            let is_right = dictionary.has(&words[at].surface);
            if is_last && !is_right {
                continuations::add_mistaken(&mut words, at, vocabulary, weights)?;
            }
            correction::correct(&mut words, at, is_right, vocabulary)?;
        }
    }
    correction::take_the_common(&mut words, vocabulary)?;
    worth::weigh(&mut words, query.is_open, vocabulary)?;
    models::bind(&mut words, vocabulary)?;
    bare_numbers::add(&mut words, &counted, vocabulary)?;
    add_synonyms(&mut words, vocabulary.language(), synonyms, weights);
    understood(query, words, vocabulary)
}

/// The words of the query, each stem once.
fn words(query: &ParsedQuery, vocabulary: &Vocabulary<'_>) -> tantivy::Result<Vec<UnderstoodWord>> {
    let mut words: Vec<UnderstoodWord> = Vec::new();
    let last = query.words.len();
    for (QueriedWord { word, quoted }, at) in query.words.iter().zip(1..) {
        let is_open = query.is_open && at == last && !quoted;
        add_word(&mut words, query, word, *quoted, is_open, vocabulary)?;
    }
    words.truncate(QueryTerms::WORDS_MAX);
    Ok(words)
}

/// Adds a word, or the words that it falls into where no product has it as one.
fn add_word(
    words: &mut Vec<UnderstoodWord>,
    query: &ParsedQuery,
    word: &Word,
    is_quoted: bool,
    is_open: bool,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    if words.iter().any(|known| known.stem == word.stem) || word.spellings.is_empty() {
        return Ok(());
    }
    let is_known = vocabulary.has_spelling(&word.spellings)?;
    if !is_known
        && falls_apart(word, vocabulary)?
        && !(is_open && continuations::begins(&word.surface, vocabulary)?)
    {
        for part in &word.parts {
            add_word(words, query, part, is_quoted, is_open, vocabulary)?;
        }
        return Ok(());
    }
    let is_letter = |c: char| c.is_alphabetic() && !is_unspaced(c);
    let mut spelled = QueryWord::spelled(word);
    if spelled.has_rows() {
        match vocabulary.documents(&word.surface)? {
            0 => {}
            documents => spelled.limit_rows(documents),
        }
    }
    let typed = query.text[word.from..word.to].to_owned();
    let identifier = index::identifier(&typed);
    let is_asked = |text: &String| query.identifiers.iter().any(|one| one.text == *text);
    let is_identifier = match identifier.filter(is_asked) {
        Some(identifier) => vocabulary.has_identifier(&identifier)?,
        None => false,
    };
    words.push(UnderstoodWord {
        typed,
        is_identifier,
        corrected: None,
        completed: None,
        suggested: None,
        synonyms: Vec::new(),
        place: (word.from, word.to),
        surface: word.surface.clone(),
        stem: word.stem.clone(),
        word: spelled,
        is_quoted,
        is_plain: word.surface.chars().all(is_letter),
        is_known,
    });
    Ok(())
}

/// Whether a word is looked for by its parts. Letters and digits without a sign between them are only
/// parts where products have them all, or letters that are near a word: nobody who types "qwx7" asks for
/// sevens, but "playstaton5" is a mistaken "playstation5".
fn falls_apart(word: &Word, vocabulary: &Vocabulary<'_>) -> tantivy::Result<bool> {
    let parts = word.parts.iter();
    let is_glued = parts
        .clone()
        .zip(parts.skip(1))
        .all(|(left, right)| left.to == right.from);
    if is_glued {
        for part in &word.parts {
            if !vocabulary.has_spelling(&part.spellings)?
                && !compounds::has_parts(&part.surface, vocabulary)?
                && !correction::is_mistaken(&part.surface, vocabulary)?
            {
                return Ok(false);
            }
        }
    }
    Ok(!word.parts.is_empty())
}

fn understood(
    query: &ParsedQuery,
    words: Vec<UnderstoodWord>,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<UnderstoodQuery> {
    let changed = |change: fn(&UnderstoodWord) -> Option<&String>| {
        let changes: Vec<_> = words
            .iter()
            .filter_map(|word| Some((word.place, change(word)?.clone())))
            .collect();
        (!changes.is_empty()).then(|| query.replaced(&changes))
    };
    let corrected = changed(|word| word.corrected.as_ref());
    let meant = changed(|word| word.completed.as_ref().or(word.corrected.as_ref()));
    let has_suggestion = words.iter().any(|word| word.suggested.is_some());
    let suggested = changed(|word| word.suggested.as_ref().or(word.corrected.as_ref()));
    Ok(UnderstoodQuery {
        terms: QueryTerms {
            words: words.iter().map(|word| word.word.clone()).collect(),
            mode: query.mode,
            quoted: bits(&words, |word| word.is_quoted),
            identified: bits(&words, |word| word.is_identifier),
            phrases: query.phrases.clone(),
            exclusions: query
                .exclusions
                .iter()
                .map(|exclusion| compounds::excluded(exclusion, vocabulary))
                .collect::<tantivy::Result<_>>()?,
            identifiers: identifiers(query, vocabulary)?,
        },
        language: vocabulary.language(),
        text: meant.as_ref().unwrap_or(query).wanted_text(),
        corrected: corrected.map(|query| query.text),
        suggested: suggested.filter(|_| has_suggestion).map(|query| query.text),
        words,
    })
}

/// The words for which something holds, as bits by their number.
fn bits(words: &[UnderstoodWord], holds: fn(&UnderstoodWord) -> bool) -> u32 {
    let numbered = words.iter().zip(0..);
    numbered
        .map(|(word, at)| u32::from(holds(word)) << at)
        .sum()
}

/// The identifiers that the query may hold. A part of it that many products have as a word, or that
/// is a number with its unit, is none, even if some product has such a part number.
fn identifiers(
    query: &ParsedQuery,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Vec<Identifier>> {
    let is_measure = |identifier: &Identifier| {
        let mut measures = query.words.iter().filter(|word| word.word.is_measure);
        measures.any(|QueriedWord { word, .. }| {
            let typed = query
                .text
                .get(word.from..word.to)
                .and_then(index::identifier);
            typed.as_ref() == Some(&identifier.text)
        })
    };
    let mut identifiers = Vec::new();
    for identifier in &query.identifiers {
        let is_common = || {
            let documents = vocabulary.documents(&identifier.text)?;
            tantivy::Result::Ok(documents > WORDS_OF_IDENTIFIER_MAX)
        };
        let is_number = identifier.text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && is_a_quantity(query, identifier) {
            continue;
        }
        if identifier.is_whole || is_number || !is_measure(identifier) && !is_common()? {
            identifiers.push(identifier.clone());
        }
    }
    Ok(identifiers)
}

/// Whether some digits are typed as a fraction, a decimal or a length: 1/2" is no part number 12.
fn is_a_quantity(query: &ParsedQuery, identifier: &Identifier) -> bool {
    let is_sign = |sign: char| matches!(sign, '/' | '.' | ',' | '"' | '\'' | '½' | '¼' | '¾');
    let mut typed = query.text.split_whitespace();
    identifier.text.len() <= QUANTITY_DIGITS_MAX
        && typed.any(|part| {
            part.contains(is_sign) && index::identifier(part).as_ref() == Some(&identifier.text)
        })
}

/// Adds the synonyms of words and phrases, but not to words that are quoted.
fn add_synonyms(
    words: &mut [UnderstoodWord],
    language: Language,
    synonyms: &Synonyms,
    weights: &KeywordWeights,
) {
    // Who has typed "sneak" finds what will be found for "sneakers".
    let stems: Vec<String> = words
        .iter()
        .map(|word| match &word.completed {
            Some(completed) => language.stem(completed),
            None => word.stem.clone(),
        })
        .collect();
    let stems: Vec<&str> = stems.iter().map(String::as_str).collect();
    let expansions = synonyms.find(&stems);
    for found in expansions {
        let of_rule = &mut words[found.first..found.first + found.words];
        for word in of_rule.iter_mut().filter(|word| !word.is_quoted) {
            word.add_synonyms(found.synonyms, weights);
        }
    }
    // A word that products write as two has the synonyms of the two.
    for word in words.iter_mut().filter(|word| !word.is_quoted) {
        let rows = word.word.alternatives.iter().map(|row| row.stems.clone());
        for row in rows.filter(|row| row.len() == 2).collect::<Vec<_>>() {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            let of_all = synonyms
                .find(&row)
                .into_iter()
                .filter(|found| found.words == 2);
            for found in of_all {
                word.add_synonyms(found.synonyms, weights);
            }
        }
    }
}
