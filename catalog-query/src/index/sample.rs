//! Draws samples of products by their content hash, which is as good as chance. Invariant: replicas
//! that hold the same products draw the same ones, however their segments came about, so what is
//! learned from a sample ranks alike on all of them.

use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::{DocId, SegmentReader};

use crate::index::document::schema::HASH_HIGH;

/// A place in the order of chance: samples are those that come first.
pub(crate) type Lot = u64;

/// The lots of a segment's documents.
pub(crate) struct Lots(Arc<dyn ColumnValues<Lot>>);

impl Lots {
    pub(crate) fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let column = segment.fast_fields().u64(HASH_HIGH)?;
        Ok(Self(column.first_or_default_col(Lot::MAX)))
    }

    pub(crate) fn of(&self, doc: DocId) -> Lot {
        self.0.get_val(doc)
    }
}

/// Returns the lot up to which about `size` of `all` products lie.
pub(crate) fn last_lot(size: u64, all: u64) -> Lot {
    if all <= size {
        Lot::MAX
    } else {
        Lot::MAX / all * size
    }
}

/// Draws about `size` of all live documents, each with the number of its segment.
pub(crate) fn drawn(segments: &[SegmentReader], size: u64) -> tantivy::Result<Vec<(usize, DocId)>> {
    let live = segments.iter().map(|segment| segment.num_docs());
    let last = last_lot(size, live.map(u64::from).sum());
    let mut drawn = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let lots = Lots::open(segment)?;
        let docs = segment.doc_ids_alive();
        let docs = docs.filter(|doc| lots.of(*doc) <= last);
        drawn.extend(docs.map(|doc| (number, doc)));
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::index::keyword_index::KeywordIndex;
    use crate::index::sets::doc_sets::DocSets;
    use crate::index::sets::product_ids;
    use crate::index::tests::support::{index_in_one_go, index_of, product};

    #[test]
    fn the_same_products_are_drawn_whatever_the_segments() {
        let products: Vec<_> = (0..400)
            .map(|number| product(&format!("p{number}"), "a thing"))
            .collect();
        let mut backwards = products.clone();
        backwards.reverse();
        let (_one, one) = index_of(&products);
        let (_two, two) = index_in_one_go(&backwards);
        let ids = |index: &KeywordIndex, size| {
            let snapshot = index.snapshot();
            let searcher = &snapshot.searcher;
            let mut set = DocSets::none(searcher);
            for (segment, doc) in drawn(searcher.segment_readers(), size).expect("index") {
                set.insert(segment, doc);
            }
            let ids = product_ids::ids(searcher, &set).expect("index");
            ids.into_iter().collect::<BTreeSet<_>>()
        };
        let sample = ids(&one, 100);
        assert_eq!(sample, ids(&two, 100));
        assert!((70..130).contains(&sample.len()), "{}", sample.len());
        assert_eq!(ids(&two, 400).len(), 400);
    }
}
