//! The words in the products of one snapshot. They serve to correct spelling and to split
//! compounds.

use std::collections::HashMap;

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::schema::Fields;
use crate::index::scoring::postings::{Postings, seek};
use crate::index::text::language::Language;

/// The most documents that are read to see whether words occur together.
const PROBED_MAX: usize = 2_000;
/// The most similar words that are returned.
const CANDIDATES_MAX: usize = 64;

pub(crate) struct Vocabulary<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
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
    pub(crate) fn new(searcher: &'a Searcher, fields: &'a Fields) -> Self {
        Self { searcher, fields }
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
        let mut found = self.within(surface, distance)?;
        if distance > 1 {
            for nearer in self.within(surface, distance - 1)?.keys() {
                found.remove(nearer);
            }
        }
        let mut words: Vec<KnownWord> = found
            .into_iter()
            .map(|(surface, documents)| KnownWord { surface, documents })
            .collect();
        words.sort_by(|a, b| {
            let by_documents = b.documents.cmp(&a.documents);
            by_documents.then_with(|| a.surface.cmp(&b.surface))
        });
        words.truncate(CANDIDATES_MAX);
        Ok(words)
    }

    fn within(&self, surface: &str, distance: u8) -> tantivy::Result<HashMap<String, u64>> {
        let term = Term::from_field_text(self.fields.surface, surface);
        let query = FuzzyTermQuery::new(term, distance, true);
        let mut found: HashMap<String, u64> = HashMap::new();
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

    /// Counts the titles and descriptions with the words in a row, in any form, up to a bound.
    pub(crate) fn in_a_row(&self, surfaces: &[&str]) -> tantivy::Result<u64> {
        let stems = self.stems(surfaces);
        let mut count = 0;
        for segment in self.searcher.segment_readers() {
            for field in [self.fields.title, self.fields.description] {
                let Some(mut postings) = Postings::open(segment, field, &stems)? else {
                    continue;
                };
                while postings.doc() != TERMINATED && count < PROBED_MAX as u64 {
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
