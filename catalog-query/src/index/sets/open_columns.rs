//! Columns of segments that stay open, with the values of their terms. Opening a column and reading its
//! dictionary costs more than counting what a few thousand documents have in it. A segment never
//! changes, so what is known of one serves every snapshot that has it. Invariant: the memory is bounded
//! for each segment, and given back with it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::columnar::{DynamicColumn, StrColumn};
use tantivy::{Searcher, SegmentReader};

use crate::index::document::columns::{FieldName, NAMES};
use crate::index::once::PerSegment;
use crate::index::sets::doc_sets::DocBits;
use crate::index::sets::facet_values::{Key, text_key};

/// The terms of a column with more of them are read whenever they are counted.
const TERMS_MAX: usize = 8_192;
/// What may be kept of a segment. All is forgotten when it would be more: what is asked for often is
/// soon known again.
const BYTES_MAX: usize = 4 << 20;
/// A set with fewer documents than one for so many terms of a column is counted without a place for each
/// term.
const SPARSE: u64 = 16;
/// About what a column takes beside its terms, and a term beside its texts.
const COLUMN_BYTES: usize = 1_024;
const TERM_BYTES: usize = 64;

/// The open columns of the segments of a snapshot.
#[derive(Clone)]
pub(crate) struct OpenColumns(PerSegment<Mutex<Known>>);

#[derive(Default)]
struct Known {
    columns: HashMap<Source, Arc<[OpenColumn]>>,
    bytes: usize,
}

/// What a column holds.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Source {
    Values(FieldName),
    /// The names of attributes.
    Names,
}

/// A column of one type of value.
pub(super) struct OpenColumn {
    pub(super) column: DynamicColumn,
    source: Source,
    /// The values of the terms in the order of their ordinals, where there are not too many.
    terms: Option<Box<[Spelled]>>,
}

/// A value as a term spells it.
struct Spelled {
    key: Key<'static>,
    text: Box<str>,
}

impl OpenColumns {
    pub(crate) fn of(searcher: &Searcher) -> Self {
        Self(PerSegment::of(searcher))
    }

    /// Those of the next snapshot.
    pub(crate) fn next(&self, searcher: &Searcher) -> Self {
        Self(self.0.next(searcher))
    }

    /// The columns of a field, one for each type of value that it has in a segment of this snapshot.
    pub(super) fn values(
        &self,
        segment: &SegmentReader,
        field: &FieldName,
    ) -> tantivy::Result<Arc<[OpenColumn]>> {
        let source = Source::Values(field.stored().clone());
        self.open(segment, source, || field.columns(segment))
    }

    /// The column of the names of attributes.
    pub(super) fn names(&self, segment: &SegmentReader) -> tantivy::Result<Arc<[OpenColumn]>> {
        self.open(segment, Source::Names, || {
            let names = segment.fast_fields().str(NAMES)?;
            Ok(names.into_iter().map(DynamicColumn::Str).collect())
        })
    }

    fn open(
        &self,
        segment: &SegmentReader,
        source: Source,
        open: impl FnOnce() -> tantivy::Result<Vec<DynamicColumn>>,
    ) -> tantivy::Result<Arc<[OpenColumn]>> {
        let known = self.0.get(segment);
        let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(columns) = lock().columns.get(&source) {
            return Ok(Arc::clone(columns));
        }
        let columns = open()?.into_iter();
        let columns: Arc<[OpenColumn]> = columns
            .map(|column| OpenColumn::of(column, source.clone()))
            .collect::<tantivy::Result<_>>()?;
        lock().keep(source, Arc::clone(&columns));
        Ok(columns)
    }
}

impl Known {
    fn keep(&mut self, source: Source, columns: Arc<[OpenColumn]>) {
        let bytes = COLUMN_BYTES + columns.iter().map(OpenColumn::bytes).sum::<usize>();
        if self.bytes + bytes > BYTES_MAX {
            *self = Self::default();
        }
        if self.columns.insert(source, columns).is_none() {
            self.bytes += bytes;
        }
    }
}

impl OpenColumn {
    fn of(column: DynamicColumn, source: Source) -> tantivy::Result<Self> {
        let terms = match &column {
            DynamicColumn::Str(texts) if texts.num_terms() <= TERMS_MAX => {
                Some(source.terms(texts)?)
            }
            _ => None,
        };
        Ok(Self {
            column,
            source,
            terms,
        })
    }

    fn bytes(&self) -> usize {
        let terms = self.terms.iter().flatten();
        let terms = terms.map(|term| TERM_BYTES + term.key.bytes() + term.text.len());
        COLUMN_BYTES + terms.sum::<usize>()
    }

    /// The ordinal of a term, in a column whose terms are few.
    pub(super) fn ordinal(&self, text: &str) -> Option<u64> {
        let mut terms = (0..).zip(self.terms.iter().flatten());
        terms.find_map(|(ordinal, term)| (*term.text == *text).then_some(ordinal))
    }

    /// Calls `each` with every term that documents of a set have, and how often they have it. Without a
    /// column of texts there is none.
    pub(super) fn each_term<'a>(
        &'a self,
        among: &DocBits,
        mut each: impl FnMut(Term<'a>, u64),
    ) -> tantivy::Result<()> {
        let DynamicColumn::Str(texts) = &self.column else {
            return Ok(());
        };
        let mut unknown = Vec::new();
        for (ordinal, count) in ordinal_counts(texts, among) {
            let known = self
                .terms
                .as_ref()
                .and_then(|terms| terms.get(ordinal as usize));
            let Some(Spelled { key, text }) = known else {
                unknown.push((ordinal, count));
                continue;
            };
            let term = Term {
                ordinal,
                key: key.borrowed(),
                text: Cow::Borrowed(text),
            };
            each(term, count);
        }
        each_text(texts, &unknown, |ordinal, count, text| {
            let term = Term {
                ordinal,
                key: self.source.key(&text),
                text: Cow::Owned(text),
            };
            each(term, count);
        })
    }
}

/// A term of a column of texts.
pub(super) struct Term<'a> {
    pub(super) ordinal: u64,
    /// The value that it spells.
    pub(super) key: Key<'a>,
    pub(super) text: Cow<'a, str>,
}

impl Source {
    fn key(&self, text: &str) -> Key<'static> {
        match self {
            Self::Values(field) => text_key(field, text),
            Self::Names => Key::Text(Cow::Owned(text.to_owned())),
        }
    }

    /// The values of all terms of a column.
    fn terms(&self, texts: &StrColumn) -> tantivy::Result<Box<[Spelled]>> {
        let mut terms = Vec::with_capacity(texts.num_terms());
        let mut stream = texts.dictionary().stream()?;
        while stream.advance() {
            let text = String::from_utf8_lossy(stream.key());
            terms.push(Spelled {
                key: self.key(&text),
                text: Box::from(text),
            });
        }
        Ok(terms.into())
    }
}

/// Counts the documents of each term ordinal that occurs, in the order of the ordinals.
fn ordinal_counts(column: &StrColumn, among: &DocBits) -> Vec<(u64, u64)> {
    let ordinals = among.iter().flat_map(|doc| column.term_ords(doc));
    if among.len() * SPARSE < column.num_terms() as u64 {
        let mut ordinals: Vec<u64> = ordinals.collect();
        ordinals.sort_unstable();
        let equal = ordinals.chunk_by(|a, b| a == b);
        return equal.map(|equal| (equal[0], equal.len() as u64)).collect();
    }
    let mut counts = vec![0_u32; column.num_terms()];
    ordinals.for_each(|ordinal| counts[ordinal as usize] += 1);
    let counts = (0..).zip(counts.into_iter().map(u64::from));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// Calls `each` with the ordinal, the count and the text of every term that was counted.
fn each_text(
    column: &StrColumn,
    counts: &[(u64, u64)],
    mut each: impl FnMut(u64, u64, String),
) -> tantivy::Result<()> {
    let ordinals: Vec<u64> = counts.iter().map(|(ordinal, _)| *ordinal).collect();
    let mut next = counts.iter();
    column
        .dictionary()
        .sorted_ords_to_term_cb(&ordinals, |text| {
            if let Some((ordinal, count)) = next.next() {
                let text = String::from_utf8_lossy(text).into_owned();
                each(*ordinal, *count, text);
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::support::{index_in_one_go, with_attributes};

    #[test]
    fn what_is_known_of_a_segment_is_kept_while_it_is_there() {
        let red = with_attributes("a", "mouse", &[("colour", "Red")]);
        let blue = with_attributes("b", "mouse", &[("colour", "Blue")]);
        let (_folder, index) = index_in_one_go(&[red, blue]);
        let snapshot = index.snapshot();
        let [segment] = snapshot.searcher.segment_readers() else {
            panic!("more than one segment");
        };
        let colour = FieldName::Attribute("colour".to_owned());
        let values = |columns: &OpenColumns| columns.values(segment, &colour).expect("column");
        let first = OpenColumns::of(&snapshot.searcher);
        let opened = values(&first);
        assert!(Arc::ptr_eq(&opened, &values(&first)));
        let next = first.next(&snapshot.searcher);
        assert!(Arc::ptr_eq(&opened, &values(&next)));
        let (_other, other) = index_in_one_go(&[with_attributes("c", "mouse", &[])]);
        let without = next.next(&other.snapshot().searcher);
        assert!(!Arc::ptr_eq(&opened, &values(&without)));

        let mut counted = Vec::new();
        let all = DocBits::all(segment.max_doc());
        for open in &opened[..] {
            let count = open.each_term(&all, |term, count| {
                counted.push((term.key, term.text.into_owned(), count));
            });
            count.expect("terms");
        }
        let value = |folded, text: &str| (Key::Text(Cow::Borrowed(folded)), text.to_owned(), 1);
        assert_eq!(counted, [value("blue", "Blue"), value("red", "Red")]);
    }

    /// What a segment keeps is bounded.
    #[test]
    fn all_is_forgotten_when_it_is_too_much() {
        let (_folder, index) = index_in_one_go(&[with_attributes("a", "mouse", &[])]);
        let snapshot = index.snapshot();
        let segment = &snapshot.searcher.segment_readers()[0];
        let open = OpenColumns::of(&snapshot.searcher);
        let brand = open.values(segment, &FieldName::Brand).expect("column");
        for number in 0..BYTES_MAX / COLUMN_BYTES + 9 {
            let name = FieldName::Attribute(format!("a{number}"));
            open.values(segment, &name).expect("no column");
        }
        let known = open.0.get(segment);
        let known = known.lock().expect("lock");
        assert!(known.bytes <= BYTES_MAX && known.columns.len() > 1);
        drop(known);
        let anew = open.values(segment, &FieldName::Brand).expect("column");
        assert!(!Arc::ptr_eq(&brand, &anew));
    }
}
