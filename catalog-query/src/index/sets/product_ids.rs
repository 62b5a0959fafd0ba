//! Maps product ids to the documents of a segment, and back.

use std::collections::HashMap;

use catalog_events::ProductId;
use tantivy::index::InvertedIndexReader;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::schema::ID;
use crate::index::once::{Once, PerSegment};
use crate::index::sets::doc_sets::DocSets;

/// The ids of catalogs with at most as many products are kept in memory, at some 100 bytes each. Those of
/// a larger one are read from the index, at about a microsecond each.
const KNOWN_MAX: u64 = 100_000;

/// The product ids of the segments of a snapshot.
#[derive(Clone)]
pub(crate) struct KnownIds(PerSegment<Once<SegmentIds>>);

/// The product ids of one segment.
#[derive(Debug)]
struct SegmentIds {
    /// By document; None for an id that is not valid any more.
    ids: Vec<Option<ProductId>>,
    /// None for a product that the segment has twice: before and after a change.
    docs: HashMap<ProductId, Option<DocId>>,
}

impl KnownIds {
    pub(crate) fn of(searcher: &Searcher) -> Self {
        Self(PerSegment::of(searcher))
    }

    /// Those of the next snapshot.
    pub(crate) fn next(&self, searcher: &Searcher) -> Self {
        Self(self.0.next(searcher))
    }

    /// The ids of these documents of a segment, in their order.
    pub(crate) fn ids(
        &self,
        searcher: &Searcher,
        segment: &SegmentReader,
        docs: &[DocId],
    ) -> tantivy::Result<Vec<Option<ProductId>>> {
        if searcher.num_docs() > KNOWN_MAX {
            return read(segment, docs);
        }
        let known = self.0.get(segment);
        let known = known.get(|| SegmentIds::of(segment))?;
        let id = |doc: &DocId| known.ids.get(*doc as usize).cloned().flatten();
        Ok(docs.iter().map(id).collect())
    }

    /// Takes those of the products off the list that a segment has, and tells `found` the place and the
    /// live document of each.
    pub(crate) fn locate(
        &self,
        searcher: &Searcher,
        segment: &SegmentReader,
        missing: &mut Vec<(usize, &ProductId)>,
        mut found: impl FnMut(usize, DocId),
    ) -> tantivy::Result<()> {
        let field = segment.schema().get_field(ID)?;
        let known = self.0.get(segment);
        let known = if searcher.num_docs() > KNOWN_MAX {
            None
        } else {
            Some(known.get(|| SegmentIds::of(segment))?)
        };
        let index = segment.inverted_index(field)?;
        let mut failed = Ok(());
        missing.retain(|(place, id)| {
            let mut live = None;
            let mut see = |doc| {
                if !segment.is_deleted(doc) {
                    live = Some(doc);
                }
            };
            match known.map(|known| known.docs.get(*id)) {
                Some(None) => {}
                Some(Some(Some(doc))) => see(*doc),
                Some(Some(None)) | None => {
                    let seen = each_document(&index, field, id, see);
                    failed = std::mem::replace(&mut failed, Ok(())).and(seen);
                }
            }
            live.inspect(|doc| found(*place, *doc)).is_none()
        });
        failed
    }
}

impl SegmentIds {
    fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let all: Vec<DocId> = (0..segment.max_doc()).collect();
        let ids = read(segment, &all)?;
        let mut docs = HashMap::with_capacity(ids.len());
        for (id, doc) in ids.iter().zip(0..) {
            if let Some(id) = id {
                let known = docs.entry(id.clone());
                known.and_modify(|doc| *doc = None).or_insert(Some(doc));
            }
        }
        Ok(Self { ids, docs })
    }
}

/// Reads the ids of documents in their order: each block of ids is unpacked once.
fn read(segment: &SegmentReader, docs: &[DocId]) -> tantivy::Result<Vec<Option<ProductId>>> {
    let mut found = vec![None; docs.len()];
    let Some(ids) = segment.fast_fields().str(ID)? else {
        return Ok(found);
    };
    let ordinal = |doc: &DocId| ids.term_ords(*doc).next();
    let mut wanted: Vec<(u64, usize)> = docs
        .iter()
        .zip(0..)
        .filter_map(|(doc, place)| Some((ordinal(doc)?, place)))
        .collect();
    wanted.sort_unstable();
    let ordinals: Vec<u64> = wanted.iter().map(|(ordinal, _)| *ordinal).collect();
    let mut in_order = wanted.iter();
    ids.dictionary().sorted_ords_to_term_cb(&ordinals, |text| {
        if let Some((_, place)) = in_order.next() {
            found[*place] = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        }
    })?;
    Ok(found)
}

/// Calls `each` with the documents of a product in a segment, deleted ones included. `index` is
/// that of the ids.
pub(crate) fn each_document(
    index: &InvertedIndexReader,
    field: Field,
    product: &ProductId,
    mut each: impl FnMut(DocId),
) -> tantivy::Result<()> {
    let term = Term::from_field_text(field, product.as_str());
    if let Some(mut found) = index.read_postings(&term, IndexRecordOption::Basic)? {
        let mut doc = found.doc();
        while doc != TERMINATED {
            each(doc);
            doc = found.advance();
        }
    }
    Ok(())
}

/// Returns the product ids of a set, in no particular order.
pub(crate) fn ids(searcher: &Searcher, of: &DocSets) -> tantivy::Result<Vec<ProductId>> {
    let mut found = Vec::new();
    for (segment, number) in searcher.segment_readers().iter().zip(0..) {
        if let Some(bits) = of.segment(number) {
            let docs: Vec<DocId> = bits.iter().collect();
            found.extend(read(segment, &docs)?.into_iter().flatten());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::support::{index_in_one_go, product};

    #[test]
    fn ids_are_those_that_the_index_tells() {
        let products: Vec<_> = (0..50)
            .map(|number| product(&format!("p{number:02}"), "mouse"))
            .collect();
        let (_folder, index) = index_in_one_go(&products);
        let snapshot = index.snapshot();
        let segment = &snapshot.searcher.segment_readers()[0];
        let docs: Vec<DocId> = (0..segment.max_doc()).rev().collect();
        let known = KnownIds::of(&snapshot.searcher);
        let ids = known.ids(&snapshot.searcher, segment, &docs).expect("ids");
        assert_eq!(ids, read(segment, &docs).expect("ids"));
        let other: ProductId = "other".parse().expect("id");
        let mut missing = vec![(7, &other)];
        missing.extend(ids.iter().flatten().map(|id| (0, id)));
        let mut located = Vec::new();
        known
            .locate(&snapshot.searcher, segment, &mut missing, |_, doc| {
                located.push(doc);
            })
            .expect("index");
        assert_eq!((located, missing), (docs, vec![(7, &other)]));
    }
}
