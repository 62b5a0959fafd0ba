//! Maps product ids to the documents of a segment, and back.

use catalog_events::ProductId;
use tantivy::index::InvertedIndexReader;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, Searcher, TERMINATED, Term};

use crate::index::document::schema::ID;
use crate::index::sets::doc_sets::DocSets;

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
        let (Some(bits), Some(ids)) = (of.segment(number), segment.fast_fields().str(ID)?) else {
            continue;
        };
        let mut ordinals: Vec<u64> = bits
            .iter()
            .filter_map(|doc| ids.term_ords(doc).next())
            .collect();
        ordinals.sort_unstable();
        ids.dictionary().sorted_ords_to_term_cb(&ordinals, |text| {
            let id = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            found.extend(id);
        })?;
    }
    Ok(found)
}
