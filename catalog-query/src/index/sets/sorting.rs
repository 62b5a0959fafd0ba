//! Pages of a set, sorted by a column and then by product id. A page begins after a place in that
//! order, so that products that come or go elsewhere do not move it.

use std::collections::BinaryHeap;
use std::ops::Bound;
use std::sync::Arc;

use catalog_events::ProductId;
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Searcher, SegmentReader};

use crate::index::Popularity;
use crate::index::document::columns::{CREATED_AT, PRICE};
use crate::index::document::schema::ID;
use crate::index::popularity::SegmentViews;
use crate::index::sets::doc_sets::{DocBits, DocSets};

#[derive(Clone, Debug)]
pub(crate) enum Order {
    PriceAscending,
    PriceDescending,
    Newest,
    Popularity(Arc<Popularity>),
}

/// The place where a page ended: its sort key, of which lower ones come first, and the product id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: u64,
    pub(crate) id: ProductId,
}

/// Returns the first `limit` places after `after`.
pub(crate) fn page(
    searcher: &Searcher,
    among: &DocSets,
    order: &Order,
    after: Option<&Place>,
    limit: usize,
) -> tantivy::Result<Vec<Place>> {
    let mut places = Vec::new();
    for (segment, number) in searcher.segment_readers().iter().zip(0..) {
        let (Some(bits), Some(ids)) = (among.segment(number), segment.fast_fields().str(ID)?)
        else {
            continue;
        };
        let keys = Keys::of(order, segment)?;
        // Within a segment, ordinals sort as the ids do.
        let bound = match after {
            Some(place) => Some((place.key, first_after(&ids, &place.id)?)),
            None => None,
        };
        let first = first_of_segment(bits, &ids, &keys, bound, limit);
        places.append(&mut resolve(&ids, first)?);
    }
    places.sort();
    places.truncate(limit);
    Ok(places)
}

/// Returns the sort key and the ordinal of the id for the first `limit` documents from `bound` on, in
/// no particular order.
fn first_of_segment(
    bits: &DocBits,
    ids: &StrColumn,
    keys: &Keys,
    bound: Option<(u64, u64)>,
    limit: usize,
) -> Vec<(u64, u64)> {
    let mut best: BinaryHeap<(u64, u64)> = BinaryHeap::with_capacity(limit + 1);
    for doc in bits.iter() {
        let key = keys.get(doc);
        if bound.is_some_and(|(after, _)| key < after) {
            continue;
        }
        let Some(id) = ids.term_ords(doc).next() else {
            continue;
        };
        let entry = (key, id);
        if bound.is_some_and(|bound| entry < bound) {
            continue;
        }
        if best.len() < limit {
            best.push(entry);
        } else if let Some(mut worst) = best.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }
    best.into_vec()
}

/// Returns the ordinal of the first id that is greater.
fn first_after(ids: &StrColumn, id: &ProductId) -> tantivy::Result<u64> {
    let from = Bound::Excluded(id.as_str());
    let (from, _) = ids
        .dictionary()
        .term_bounds_to_ord(from, Bound::Unbounded)?;
    Ok(match from {
        Bound::Included(ordinal) => ordinal,
        Bound::Excluded(ordinal) => ordinal + 1,
        Bound::Unbounded => 0,
    })
}

fn resolve(ids: &StrColumn, entries: Vec<(u64, u64)>) -> tantivy::Result<Vec<Place>> {
    let mut places = Vec::with_capacity(entries.len());
    let mut text = String::new();
    for (key, ordinal) in entries {
        if ids.ord_to_str(ordinal, &mut text)?
            && let Ok(id) = text.parse()
        {
            places.push(Place { key, id });
        }
    }
    Ok(places)
}

/// The sort keys of the documents in a segment. Lower keys come first.
enum Keys {
    Price {
        column: Column<u64>,
        descending: bool,
    },
    Newest(Column<i64>),
    Popularity(Arc<SegmentViews>),
}

impl Keys {
    fn of(order: &Order, segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(match order {
            Order::PriceAscending | Order::PriceDescending => Self::Price {
                column: columns.u64(PRICE)?,
                descending: matches!(order, Order::PriceDescending),
            },
            Order::Newest => Self::Newest(columns.i64(CREATED_AT)?),
            Order::Popularity(popularity) => Self::Popularity(popularity.of(segment)?),
        })
    }

    fn get(&self, doc: DocId) -> u64 {
        match self {
            Self::Price { column, descending } => {
                let price = column.first(doc).unwrap_or_default();
                if *descending { !price } else { price }
            }
            Self::Newest(column) => !tantivy::i64_to_u64(column.first(doc).unwrap_or(i64::MIN)),
            Self::Popularity(views) => !views.get(doc),
        }
    }
}
