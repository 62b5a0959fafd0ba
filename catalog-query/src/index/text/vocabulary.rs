//! The words in the products of one snapshot. They serve to correct spelling and to split
//! compounds.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::schema::Fields;
use crate::index::scoring::postings::{Postings, seek};
use crate::index::text::language::Language;
use crate::index::text::long_words::LongWords;
use crate::index::text::scripts::Script;
use crate::index::text::spellings::Spelling;

/// The most documents that are read to see whether words occur together.
const PROBED_MAX: usize = 2_000;
/// The most words of one segment that are compared to find the frequent ones that begin alike.
const CONTINUATIONS_SEEN_MAX: usize = 20_000;
/// About how many words of a segment the letters are taken from.
const LETTER_WORDS: usize = 2_000;
/// The most similar words that are returned.
const CANDIDATES_MAX: usize = 64;

/// How many products have each of some words.
type Frequencies = HashMap<String, u64>;

pub(crate) struct Vocabulary<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    long_words: &'a LongWords,
    /// What is near to a word, by the word and the distance: it is asked several times to understand one
    /// word, and each time walks through the dictionary.
    near: RefCell<HashMap<(String, u8), Rc<Frequencies>>>,
}

/// A word that some product has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownWord {
    pub(crate) surface: String,
    /// The products that have it in this form, including deleted ones until their segment is
    /// merged.
    pub(crate) documents: u64,
}

impl<'a> Vocabulary<'a> {
    pub(crate) fn new(
        searcher: &'a Searcher,
        fields: &'a Fields,
        long_words: &'a LongWords,
    ) -> Self {
        Self {
            searcher,
            fields,
            long_words,
            near: RefCell::default(),
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.fields.language
    }

    /// Whether any product has a form of the word.
    pub(crate) fn has(&self, stem: &str) -> tantivy::Result<bool> {
        for field in self.fields.searched() {
            if self.frequency(field, stem)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether any product has the word in this form, or the form without an ending.
    pub(crate) fn is_word(&self, surface: &str) -> tantivy::Result<bool> {
        if self.documents(surface)? > 0 {
            return Ok(true);
        }
        let stem = self.language().stem(surface);
        Ok(stem != surface && self.has(&stem)?)
    }

    /// How many products have a form of the word in the field where most have it.
    pub(crate) fn count(&self, stem: &str) -> tantivy::Result<u64> {
        self.most_in(&self.fields.searched(), stem)
    }

    /// How many products have a form of the word in their title, brand or category, whichever has it
    /// most.
    pub(crate) fn names_with(&self, stem: &str) -> tantivy::Result<u64> {
        let Fields {
            title,
            brand,
            categories,
            ..
        } = *self.fields;
        self.most_in(&[title, brand, categories], stem)
    }

    fn most_in(&self, fields: &[Field], stem: &str) -> tantivy::Result<u64> {
        let mut most = 0;
        for field in fields {
            most = most.max(self.frequency(*field, stem)?);
        }
        Ok(most)
    }

    /// Whether any product has the identifier.
    pub(crate) fn has_identifier(&self, canonical: &str) -> tantivy::Result<bool> {
        Ok(self.frequency(self.fields.identifiers, canonical)? > 0)
    }

    fn frequency(&self, field: Field, text: &str) -> tantivy::Result<u64> {
        self.searcher.doc_freq(&Term::from_field_text(field, text))
    }

    /// Returns the words of letters that are exactly `distance` edits away, the most frequent
    /// first. A transposition is one edit.
    pub(crate) fn near(&self, surface: &str, distance: u8) -> tantivy::Result<Vec<KnownWord>> {
        let mut found = HashMap::clone(&*self.within(surface, distance)?);
        if distance > 1 {
            for nearer in self.within(surface, distance - 1)?.keys() {
                found.remove(nearer);
            }
        }
        Ok(most_frequent(found, CANDIDATES_MAX))
    }

    fn within(&self, surface: &str, distance: u8) -> tantivy::Result<Rc<Frequencies>> {
        let asked = (surface.to_owned(), distance);
        if let Some(known) = self.near.borrow().get(&asked) {
            return Ok(Rc::clone(known));
        }
        let term = Term::from_field_text(self.fields.surface, surface);
        let found = self.accepted(&FuzzyTermQuery::new(term, distance, true))?;
        let found = Rc::new(found);
        self.near.borrow_mut().insert(asked, Rc::clone(&found));
        Ok(found)
    }

    /// Returns the words of letters that a fuzzy query finds, with their frequencies.
    fn accepted(&self, query: &FuzzyTermQuery) -> tantivy::Result<Frequencies> {
        let mut found = Frequencies::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.surface)?;
            let mut stream = index.terms().search(query.automaton()?).into_stream()?;
            while stream.advance() {
                if let Ok(word) = str::from_utf8(stream.key())
                    && word.chars().all(char::is_alphabetic)
                {
                    let documents = u64::from(stream.value().doc_freq);
                    *found.entry(word.to_owned()).or_default() += documents;
                }
            }
        }
        Ok(found)
    }

    /// Returns the letters of words by script: each as often as it comes in a sample of them.
    pub(crate) fn letters(&self) -> tantivy::Result<BTreeMap<Script, Vec<char>>> {
        let mut letters: BTreeMap<Script, Vec<char>> = BTreeMap::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.surface)?;
            let step = index.terms().num_terms() / LETTER_WORDS + 1;
            let mut terms = index.terms().stream()?;
            let mut number = 0;
            while terms.advance() {
                number += 1;
                if number % step != 0 {
                    continue;
                }
                let word = str::from_utf8(terms.key()).unwrap_or_default();
                for c in word.chars() {
                    if let Some(script) = Script::of(c) {
                        letters.entry(script).or_default().push(c);
                    }
                }
            }
        }
        Ok(letters)
    }

    /// Whether any product has one of the spellings.
    pub(crate) fn has_spelling(&self, spellings: &[Spelling]) -> tantivy::Result<bool> {
        for Spelling { stems, .. } in spellings {
            let is_known = match &stems[..] {
                [stem] => self.has(stem)?,
                row => self.count_rows(row, 1)? > 0,
            };
            if is_known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns how many products have the word in this form, including deleted ones until their
    /// segment is merged.
    pub(crate) fn documents(&self, surface: &str) -> tantivy::Result<u64> {
        self.frequency(self.fields.surface, surface)
    }

    /// Returns the words that begin so, the most frequent first, without the word itself.
    pub(crate) fn continuations(
        &self,
        surface: &str,
        words_max: usize,
    ) -> tantivy::Result<Vec<KnownWord>> {
        let mut found = Frequencies::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.surface)?;
            let range = index.terms().range().ge(surface.as_bytes());
            let mut stream = range.into_stream()?;
            let mut seen = 0;
            while stream.advance() && seen < CONTINUATIONS_SEEN_MAX {
                let key = stream.key();
                if !key.starts_with(surface.as_bytes()) {
                    break;
                }
                seen += 1;
                if key.len() > surface.len()
                    && let Ok(word) = str::from_utf8(key)
                {
                    let documents = u64::from(stream.value().doc_freq);
                    *found.entry(word.to_owned()).or_default() += documents;
                }
            }
        }
        Ok(most_frequent(found, words_max))
    }

    /// Returns the words of letters that begin with something one edit away from `surface`, the most
    /// frequent first.
    pub(crate) fn nearly_beginning(
        &self,
        surface: &str,
        words_max: usize,
    ) -> tantivy::Result<Vec<KnownWord>> {
        let term = Term::from_field_text(self.fields.surface, surface);
        let query = FuzzyTermQuery::new_prefix(term, 1, true);
        Ok(most_frequent(self.accepted(&query)?, words_max))
    }

    /// Returns the long words that have `part` at their beginning, at their end or between other
    /// parts, the most frequent first.
    pub(crate) fn compounds_of(
        &self,
        part: &str,
        words_max: usize,
    ) -> tantivy::Result<Vec<KnownWord>> {
        let mut found = Frequencies::new();
        for word in self
            .long_words
            .with_part(self.searcher, self.fields, part)?
        {
            let documents = self.documents(&word)?;
            found.insert(word, documents);
        }
        Ok(most_frequent(found, words_max))
    }

    /// Counts the texts with the words in a row, in any form, up to a bound.
    pub(crate) fn in_a_row(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        self.count_rows(&self.stems(surfaces), PROBED_MAX as u64)
    }

    /// Counts the titles with the words in a row, in any form, up to a bound.
    pub(crate) fn in_a_row_in_titles(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        let stems = self.stems(surfaces);
        self.count_rows_in(&[self.fields.title], &stems, PROBED_MAX as u64)
    }

    fn count_rows(&self, stems: &[String], most: u64) -> tantivy::Result<u64> {
        self.count_rows_in(&self.fields.searched(), stems, most)
    }

    fn count_rows_in(&self, fields: &[Field], stems: &[String], most: u64) -> tantivy::Result<u64> {
        let mut count = 0;
        for segment in self.searcher.segment_readers() {
            for field in fields {
                let Some(mut postings) = Postings::open(segment, *field, stems)? else {
                    continue;
                };
                while postings.doc() != TERMINATED && count < most {
                    count += 1;
                    postings.advance();
                }
            }
        }
        Ok(count)
    }

    /// Counts the products that have all of these words in this form, looking at a bounded number.
    pub(crate) fn together(&self, surfaces: &[&str]) -> tantivy::Result<usize> {
        self.together_in(self.fields.surface, surfaces)
    }

    /// Counts the titles that have all of these words in any form, looking at a bounded number.
    pub(crate) fn together_in_titles(&self, surfaces: &[&str]) -> tantivy::Result<usize> {
        self.together_in(self.fields.title, &self.stems(surfaces))
    }

    fn stems(&self, surfaces: &[&str]) -> Vec<String> {
        let language = self.language();
        surfaces.iter().map(|word| language.stem(word)).collect()
    }

    fn together_in(&self, field: Field, words: &[impl AsRef<str>]) -> tantivy::Result<usize> {
        let mut count = 0;
        for segment in self.searcher.segment_readers() {
            count += together_in_segment(segment, field, words)?;
        }
        Ok(count)
    }
}

fn most_frequent(found: Frequencies, words_max: usize) -> Vec<KnownWord> {
    let mut words: Vec<KnownWord> = found
        .into_iter()
        .map(|(surface, documents)| KnownWord { surface, documents })
        .collect();
    words.sort_by(|a, b| {
        let by_documents = b.documents.cmp(&a.documents);
        by_documents.then_with(|| a.surface.cmp(&b.surface))
    });
    words.truncate(words_max);
    words
}

fn together_in_segment(
    segment: &SegmentReader,
    field: Field,
    words: &[impl AsRef<str>],
) -> tantivy::Result<usize> {
    let index = segment.inverted_index(field)?;
    let mut postings = Vec::new();
    for word in words {
        let term = Term::from_field_text(field, word.as_ref());
        match index.read_postings(&term, IndexRecordOption::Basic)? {
            Some(found) => postings.push(found),
            None => return Ok(0),
        }
    }
    postings.sort_by_key(|postings| postings.size_hint());
    let Some((rarest, others)) = postings.split_first_mut() else {
        return Ok(0);
    };
    let mut count = 0;
    for _ in 0..PROBED_MAX {
        let doc = rarest.doc();
        if doc == TERMINATED {
            break;
        }
        let has_all = others.iter_mut().all(|other| seek(other, doc) == doc);
        count += usize::from(has_all);
        rarest.advance();
    }
    Ok(count)
}
