//! Completes what a user has begun to type with words and word pairs of titles, and brands. Those
//! of viewed products come first, then the most common.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::suggestion_terms::{TITLE_WORDS_MAX, words};
use crate::index::popularity::Popularity;
use crate::index::sets::doc_sets::DocBits;
use crate::index::suggest::tally::{Counts, has, size, tally, views_of_term};

pub(crate) use crate::index::suggest::table::SuggestionTable;

/// The shortest word in which a typo is forgiven: any word resembles some other of fewer letters.
const TYPO_CHARS_MIN: usize = 4;
const TWO_TYPOS_CHARS_MIN: usize = 8;
/// How many more candidates than twice the number asked for are counted exactly, both of the most
/// viewed and of the most common.
const CANDIDATES_BESIDES: usize = 16;
/// The products of a suggestion that are counted one by one. The rest is estimated.
const COUNTED_MAX: u64 = 10_000;
/// The terms that are scanned. A catalog that needs no table has hardly more.
const SCANNED_TERMS_MAX: usize = 20_000;
/// The terms that are scanned if the table does not know enough.
const SCANNED_TERMS_BESIDE_TABLE_MAX: usize = 4_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) text: String,
    /// The number of products with all words of the text, exact up to 10,000.
    pub(crate) documents: u64,
    /// The number of views of these products.
    pub(crate) views: u64,
}

/// The sources of suggestions.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) field: Field,
    /// None in a catalog so small that all terms are scanned.
    pub(crate) table: Option<&'a SuggestionTable>,
    pub(crate) popularity: &'a Popularity,
}

/// Returns the most viewed and most common completions of what was typed. If they are few, similar
/// words are added.
pub(crate) fn complete(
    source: Source<'_>,
    typed: &str,
    limit: usize,
) -> tantivy::Result<Vec<Suggestion>> {
    let words = words(typed, TITLE_WORDS_MAX);
    let Some((last, before)) = words.split_last() else {
        return Ok(Vec::new());
    };
    // After a space the user wants another word.
    let prefix = if typed.ends_with(char::is_whitespace) {
        format!("{last} ")
    } else {
        last.clone()
    };
    let mut found = Completion {
        source,
        limit,
        suggestions: Vec::new(),
    };
    // The last two words are tried as a pair first: for "a b c", completions of "b c" in products
    // that have "a".
    if let Some((previous, first)) = before.split_last() {
        found.add(first, &format!("{previous} {prefix}"), None)?;
    }
    found.add(before, &prefix, None)?;
    let chars = last.chars().count();
    // A finished word that is known is no typo.
    let complete = prefix.ends_with(' ') && !found.suggestions.is_empty();
    if chars >= TYPO_CHARS_MIN && !complete {
        let typos = 1 + u8::from(chars >= TWO_TYPOS_CHARS_MIN);
        found.add(before, last, Some(typos))?;
    }
    Ok(found.suggestions)
}

struct Completion<'a> {
    source: Source<'a>,
    limit: usize,
    suggestions: Vec<Suggestion>,
}

impl Completion<'_> {
    /// Adds completions of `prefix` in products that have `before`, up to the limit.
    fn add(&mut self, before: &[String], prefix: &str, typos: Option<u8>) -> tantivy::Result<()> {
        if self.suggestions.len() >= self.limit {
            return Ok(());
        }
        let candidates = self.source.candidates(prefix, typos, self.limit)?;
        let within = if before.is_empty() || candidates.is_empty() {
            None
        } else {
            Some(self.source.with_all(before)?)
        };
        let mut counted = Vec::new();
        for text in candidates {
            let repeats = |word: &str| before.iter().any(|known| known == word);
            if text.split(' ').any(repeats) {
                continue;
            }
            let Counts { documents, views } = self.source.count(&text, within.as_deref())?;
            let words = before.iter().map(String::as_str).chain([text.as_str()]);
            let whole = words.collect::<Vec<_>>().join(" ");
            let is_new = self.suggestions.iter().all(|known| known.text != whole);
            if documents > 0 && is_new {
                counted.push(Suggestion {
                    text: whole,
                    documents,
                    views,
                });
            }
        }
        counted.sort_by(|a, b| {
            let popular = (b.views, b.documents).cmp(&(a.views, a.documents));
            popular.then_with(|| a.text.cmp(&b.text))
        });
        counted.truncate(self.limit - self.suggestions.len());
        self.suggestions.append(&mut counted);
        Ok(())
    }
}

impl Source<'_> {
    /// Returns the terms that are worth counting exactly: the most viewed and the most common, with
    /// deleted products included.
    fn candidates(
        &self,
        prefix: &str,
        typos: Option<u8>,
        limit: usize,
    ) -> tantivy::Result<BTreeSet<String>> {
        let max = limit * 2 + CANDIDATES_BESIDES;
        let mut candidates = BTreeSet::new();
        if let (Some(table), None) = (self.table, typos)
            && table.add_completions(prefix, max, &mut candidates)
        {
            return Ok(candidates);
        }
        let mut seen = self.scan_terms(prefix, typos)?;
        for rank in [|seen: &Counts| seen.views, |seen: &Counts| seen.documents] {
            seen.sort_by_key(|(_, seen)| Reverse(rank(seen)));
            let best = seen.iter().take(max).filter(|(_, seen)| rank(seen) > 0);
            candidates.extend(best.filter_map(|(text, _)| String::from_utf8(text.clone()).ok()));
        }
        Ok(candidates)
    }

    /// Scans the terms that begin with `prefix`, or nearly so, up to a bound.
    fn scan_terms(
        &self,
        prefix: &str,
        typos: Option<u8>,
    ) -> tantivy::Result<Vec<(Vec<u8>, Counts)>> {
        let mut seen = BTreeMap::new();
        let mut left = match self.table {
            Some(_) => SCANNED_TERMS_BESIDE_TABLE_MAX,
            None => SCANNED_TERMS_MAX,
        };
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.field)?;
            let terms = index.terms();
            let viewed = match self.table {
                None => self.popularity.of(segment)?,
                Some(_) => Arc::default(),
            };
            let mut see = |term: &[u8], info: &TermInfo| {
                left -= 1;
                let views = views_of_term(&index, info, COUNTED_MAX, &viewed)?;
                add(&mut seen, term, u64::from(info.doc_freq), views);
                tantivy::Result::Ok(left > 0)
            };
            match typos {
                None => {
                    let end = [prefix.as_bytes(), &[0xff]].concat();
                    let mut stream = terms.range().ge(prefix).lt(end).into_stream()?;
                    while stream.advance() && see(stream.key(), stream.value())? {}
                }
                Some(typos) => {
                    let like = Term::from_field_text(self.field, prefix);
                    let query = FuzzyTermQuery::new_prefix(like, typos, true);
                    let mut stream = terms.search(query.automaton()?).into_stream()?;
                    while stream.advance() && see(stream.key(), stream.value())? {}
                }
            }
            if left == 0 {
                break;
            }
        }
        Ok(seen.into_iter().collect())
    }

    fn count(&self, text: &str, within: Option<&[SegmentDocs]>) -> tantivy::Result<Counts> {
        let mut found = Vec::new();
        for (number, segment) in self.searcher.segment_readers().iter().enumerate() {
            if let Some(postings) = postings(segment, self.field, text)? {
                found.push((number, segment, postings));
            }
        }
        let all: u64 = found.iter().map(|(_, _, postings)| size(postings)).sum();
        let mut seen = Counts::default();
        for (number, segment, postings) in &mut found {
            let viewed = self.popularity.of(segment)?;
            let alive = segment.alive_bitset();
            let live = |doc| alive.is_none_or(|alive| alive.is_alive(doc));
            // Each segment is looked at in proportion to its share of all products.
            let max = (COUNTED_MAX * size(postings)).div_ceil(all.max(1));
            let of_segment = match within.and_then(|within| within.get(*number)) {
                None => tally(postings, max, |doc| live(doc).then(|| viewed.get(doc))),
                Some(within) => within.tally(postings, max, |doc| viewed.get(doc)),
            };
            seen.documents += of_segment.documents;
            seen.views += of_segment.views;
        }
        if let (None, Some(table)) = (within, self.table)
            && all > COUNTED_MAX
        {
            seen.views = table.views(text);
        }
        Ok(seen)
    }

    /// Returns the live products that have all of these words, by segment.
    fn with_all(&self, words: &[String]) -> tantivy::Result<Vec<SegmentDocs>> {
        let segments = self.searcher.segment_readers().iter();
        let within = segments.map(|segment| {
            let docs = with_all(segment, self.field, words)?;
            let mut bits = DocBits::none(segment.max_doc());
            docs.iter().for_each(|doc| bits.insert(*doc));
            Ok(SegmentDocs { docs, bits })
        });
        within.collect()
    }
}

fn add(seen: &mut BTreeMap<Vec<u8>, Counts>, term: &[u8], documents: u64, views: u64) {
    let known = match seen.get_mut(term) {
        Some(known) => known,
        None => seen.entry(term.to_owned()).or_default(),
    };
    known.documents += documents;
    known.views += views;
}

/// The products of a segment to which a suggestion is restricted.
struct SegmentDocs {
    docs: Vec<DocId>,
    bits: DocBits,
}

impl SegmentDocs {
    fn tally(
        &self,
        postings: &mut SegmentPostings,
        max: u64,
        views: impl Fn(DocId) -> u64,
    ) -> Counts {
        if size(postings) <= self.docs.len() as u64 {
            let views = |doc| self.bits.contains(doc).then(|| views(doc));
            return tally(postings, max, views);
        }
        let (mut seen, mut looked_at) = (Counts::default(), 0);
        for doc in &self.docs {
            if looked_at == max {
                break;
            }
            looked_at += 1;
            seen.add(has(postings, *doc).then(|| views(*doc)));
        }
        seen.scaled(looked_at, self.docs.len() as u64)
    }
}

fn with_all(
    segment: &SegmentReader,
    field: Field,
    words: &[String],
) -> tantivy::Result<Vec<DocId>> {
    let mut with = Vec::new();
    for word in words {
        match postings(segment, field, word)? {
            Some(postings) => with.push(postings),
            None => return Ok(Vec::new()),
        }
    }
    with.sort_by_key(|postings| postings.size_hint());
    let Some((rarest, others)) = with.split_first_mut() else {
        return Ok(Vec::new());
    };
    let mut docs = Vec::new();
    while rarest.doc() != TERMINATED {
        if !segment.is_deleted(rarest.doc()) {
            docs.push(rarest.doc());
        }
        rarest.advance();
    }
    for other in others {
        docs.retain(|doc| has(other, *doc));
    }
    Ok(docs)
}

fn postings(
    segment: &SegmentReader,
    field: Field,
    text: &str,
) -> tantivy::Result<Option<SegmentPostings>> {
    let term = Term::from_field_text(field, text);
    let index = segment.inverted_index(field)?;
    Ok(index.read_postings(&term, IndexRecordOption::Basic)?)
}
