//! The words in the products of one snapshot. They serve to correct spelling and to split
//! compounds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::{Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::schema::Fields;
use crate::index::once::Memo;
use crate::index::scoring::postings::{Postings, StemPlaces, living_with, living_with_all};
use crate::index::text::language::Language;
use crate::index::text::letters;
use crate::index::text::long_words::LongWords;
use crate::index::text::scripts::Script;
use crate::index::text::spellings::Spelling;

/// The most documents that are read to see whether words occur together.
const PROBED_MAX: usize = 2_000;
/// The most words of one segment that are compared to find the frequent ones that begin alike.
const CONTINUATIONS_SEEN_MAX: usize = 20_000;
/// The most similar words that are returned.
const CANDIDATES_MAX: usize = 64;
/// The most counts and lists of words that are kept of a snapshot.
const COUNTS_MAX: usize = 65_536;
const LISTS_MAX: usize = 1_024;
/// The most words whose places in the segments are kept: some hundred bytes each.
const PLACES_MAX: usize = 16_384;
/// The most longer words of a word.
const LONGER_MAX: usize = 64;

/// How many products have each of some words.
type Frequencies = HashMap<String, u64>;

pub(crate) struct Vocabulary<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) fields: &'a Fields,
    long_words: &'a LongWords,
    learned: &'a Learned,
}

/// What searches have asked of the vocabulary of a snapshot. Each answer takes a walk through the
/// dictionary or through postings, and the same words come again and again.
#[derive(Clone, Default)]
pub(crate) struct Learned {
    counts: Memo<(Count, String), u64, COUNTS_MAX>,
    places: Memo<(Field, String), StemPlaces, PLACES_MAX>,
    /// What is near to a word, by the word and the distance.
    near: Memo<(String, u8), Arc<Frequencies>, LISTS_MAX>,
    /// The longer words of a word.
    longer: Memo<(Longer, String), Arc<[KnownWord]>, LISTS_MAX>,
}

/// What is counted of one or more words.
#[derive(PartialEq, Eq, Hash)]
enum Count {
    /// The products that have it in a field.
    Of(Field),
    /// All words in a field.
    Words(Field),
    /// The texts, or titles, that have them in a row, up to a bound.
    Rows { in_titles: bool, most: u64 },
    /// The products that have them in a row in a field, up to a bound.
    Row(Field),
    /// The products that have them all in a field.
    Together(Field),
}

/// What part of a longer word a word is.
#[derive(PartialEq, Eq, Hash)]
enum Longer {
    Beginning,
    Inner,
}

/// A word that some product has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownWord {
    pub(crate) surface: String,
    /// The products that have it in this form.
    pub(crate) documents: u64,
}

impl<'a> Vocabulary<'a> {
    pub(crate) fn new(
        searcher: &'a Searcher,
        fields: &'a Fields,
        long_words: &'a LongWords,
        learned: &'a Learned,
    ) -> Self {
        Self {
            searcher,
            fields,
            long_words,
            learned,
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

    /// Whether any product has the word in this or another form.
    pub(crate) fn is_word(&self, surface: &str) -> tantivy::Result<bool> {
        if self.documents(surface)? > 0 {
            return Ok(true);
        }
        self.has(&self.language().stem(surface))
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

    /// Whether most titles with a form of the word call their product so: "kettle" in "electric kettle 2 l".
    pub(crate) fn names_kind(&self, stem: &str) -> tantivy::Result<bool> {
        let called = self.frequency(self.fields.kind.heads, stem)?;
        Ok(called > 0 && 2 * called >= self.frequency(self.fields.title, stem)?)
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

    /// Whether some segment still has deleted documents, which its dictionary counts.
    pub(crate) fn has_deleted(&self) -> bool {
        let mut segments = self.searcher.segment_readers().iter();
        segments.any(SegmentReader::has_deletes)
    }

    /// How many products have the term in a field. What was deleted does not count: a word that only a
    /// deleted product had is a word of none.
    pub(crate) fn frequency(&self, field: Field, text: &str) -> tantivy::Result<u64> {
        self.count_of(Count::Of(field), text.to_owned(), || {
            let term = Term::from_field_text(field, text);
            let mut documents = 0;
            for segment in self.searcher.segment_readers() {
                documents += living_with(segment, &term)?;
            }
            Ok(documents)
        })
    }

    /// Counts the products that have the stems in a row in a field, up to a bound.
    pub(crate) fn in_a_row_of(&self, field: Field, stems: &[String]) -> tantivy::Result<u64> {
        self.count_of(Count::Row(field), stems.join(" "), || {
            self.rows_in(&[field], stems, PROBED_MAX as u64)
        })
    }

    /// Where each segment has the term in a field.
    pub(crate) fn places(&self, field: Field, text: &str) -> tantivy::Result<StemPlaces> {
        self.learned.places.get((field, text.to_owned()), || {
            let term = Term::from_field_text(field, text);
            let segments = self.searcher.segment_readers().iter();
            let place = |segment: &SegmentReader| {
                Ok(segment.inverted_index(field)?.get_term_info(&term)?)
            };
            segments.map(place).collect()
        })
    }

    /// How many words all products have in a field.
    pub(crate) fn words_in(&self, field: Field) -> tantivy::Result<u64> {
        self.count_of(Count::Words(field), String::new(), || {
            let mut words = 0;
            for segment in self.searcher.segment_readers() {
                words += segment.inverted_index(field)?.total_num_tokens();
            }
            Ok(words)
        })
    }

    fn count_of(
        &self,
        count: Count,
        words: String,
        compute: impl FnOnce() -> tantivy::Result<u64>,
    ) -> tantivy::Result<u64> {
        self.learned.counts.get((count, words), compute)
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
        self.living(most_frequent(found, CANDIDATES_MAX))
    }

    /// The words that some product still has, with how many products have each.
    fn living(&self, words: Vec<KnownWord>) -> tantivy::Result<Vec<KnownWord>> {
        if !self.has_deleted() {
            return Ok(words);
        }
        let mut living = Vec::with_capacity(words.len());
        for word in words {
            let documents = self.documents(&word.surface)?;
            if documents > 0 {
                living.push(KnownWord { documents, ..word });
            }
        }
        living.sort_by_key(|word| std::cmp::Reverse(word.documents));
        Ok(living)
    }

    fn within(&self, surface: &str, distance: u8) -> tantivy::Result<Arc<Frequencies>> {
        let asked = (surface.to_owned(), distance);
        self.learned.near.get(asked, || {
            let term = Term::from_field_text(self.fields.surface, surface);
            let found = self.accepted(&FuzzyTermQuery::new(term, distance, true))?;
            Ok(Arc::new(found))
        })
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
        letters::sampled(self.searcher, self.fields.surface)
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

    /// Returns how many products have the word in this form.
    pub(crate) fn documents(&self, surface: &str) -> tantivy::Result<u64> {
        self.frequency(self.fields.surface, surface)
    }

    /// Returns the words that begin so, the most frequent first, without the word itself.
    pub(crate) fn continuations(
        &self,
        surface: &str,
        words_max: usize,
    ) -> tantivy::Result<Vec<KnownWord>> {
        let asked = (Longer::Beginning, surface.to_owned());
        let found = self.learned.longer.get(asked, || self.beginning(surface))?;
        Ok(found[..found.len().min(words_max)].to_vec())
    }

    fn beginning(&self, surface: &str) -> tantivy::Result<Arc<[KnownWord]>> {
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
        Ok(self.living(most_frequent(found, LONGER_MAX))?.into())
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
        self.living(most_frequent(self.accepted(&query)?, words_max))
    }

    /// Returns the long words that have `part` at their beginning, at their end or between other
    /// parts, the most frequent first.
    pub(crate) fn compounds_of(
        &self,
        part: &str,
        words_max: usize,
    ) -> tantivy::Result<Vec<KnownWord>> {
        let asked = (Longer::Inner, part.to_owned());
        let found = self.learned.longer.get(asked, || {
            let mut found = Frequencies::new();
            let compounds = self
                .long_words
                .with_part(self.searcher, self.fields, part)?;
            for word in compounds {
                let documents = self.documents(&word)?;
                if documents > 0 {
                    found.insert(word, documents);
                }
            }
            Ok(most_frequent(found, LONGER_MAX).into())
        })?;
        Ok(found[..found.len().min(words_max)].to_vec())
    }

    /// Counts the texts with the words in a row, in any form, up to a bound.
    pub(crate) fn in_a_row(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        self.count_rows(&self.stems(surfaces), PROBED_MAX as u64)
    }

    /// Counts the titles with the words in a row, in any form, up to a bound.
    pub(crate) fn in_a_row_in_titles(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        self.rows(true, &self.stems(surfaces), PROBED_MAX as u64)
    }

    fn count_rows(&self, stems: &[String], most: u64) -> tantivy::Result<u64> {
        self.rows(false, stems, most)
    }

    fn rows(&self, in_titles: bool, stems: &[String], most: u64) -> tantivy::Result<u64> {
        self.count_of(Count::Rows { in_titles, most }, stems.join(" "), || {
            if in_titles {
                self.rows_in(&[self.fields.title], stems, most)
            } else {
                self.rows_in(&self.fields.searched(), stems, most)
            }
        })
    }

    fn rows_in(&self, fields: &[Field], stems: &[String], most: u64) -> tantivy::Result<u64> {
        let mut count = 0;
        for segment in self.searcher.segment_readers() {
            for field in fields {
                let Some(mut postings) = Postings::open(segment, *field, stems)? else {
                    continue;
                };
                let living = segment.alive_bitset();
                while postings.doc() != TERMINATED && count < most {
                    let lives = living.is_none_or(|living| living.is_alive(postings.doc()));
                    count += u64::from(lives);
                    postings.advance();
                }
            }
        }
        Ok(count)
    }

    /// Counts the products that have all of these words in this form, looking at a bounded number.
    pub(crate) fn together(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        self.together_in(self.fields.surface, surfaces)
    }

    /// Counts the titles that have all of these words in any form, looking at a bounded number.
    pub(crate) fn together_in_titles(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        let stems = self.stems(surfaces);
        let stems: Vec<&str> = stems.iter().map(String::as_str).collect();
        self.together_in(self.fields.title, &stems)
    }

    fn stems(&self, surfaces: &[&str]) -> Vec<String> {
        let language = self.language();
        surfaces.iter().map(|word| language.stem(word)).collect()
    }

    fn together_in(&self, field: Field, words: &[&str]) -> tantivy::Result<u64> {
        self.count_of(Count::Together(field), words.join(" "), || {
            let mut count = 0;
            for segment in self.searcher.segment_readers() {
                count += living_with_all(segment, field, words, PROBED_MAX)?;
            }
            Ok(count)
        })
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
