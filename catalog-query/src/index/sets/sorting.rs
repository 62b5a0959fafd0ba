//! Pages of a set, sorted by a column and then by product id. A page begins after a place in that
//! order, so that products that come or go elsewhere do not move it.

use std::collections::BinaryHeap;
use std::ops::Bound;
use std::sync::Arc;

use catalog_events::{Currency, ProductId};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Searcher, SegmentReader};

use crate::index::Popularity;
use crate::index::document::columns::{CREATED_AT, ColumnFields, PRICE};
use crate::index::document::schema::ID;
use crate::index::popularity::SegmentViews;
use crate::index::sets::doc_sets::{DocBits, DocSets};
use crate::index::sets::filter::{Evaluation, Filter};
use crate::index::sets::price::CurrencyCodes;

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) by: OrderBy,
    /// The currency of the prices that come first; None stands for that of the catalog. Prices in other
    /// currencies follow, by currency and then by price.
    pub(crate) currency: Option<Currency>,
    /// Whether discontinued products come after all others.
    pub(crate) discontinued_last: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum OrderBy {
    PriceAscending,
    PriceDescending,
    Newest,
    Popularity(Arc<Popularity>),
}

/// The place where a page ended: its sort key, of which lower ones come first, and the product id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: u128,
    pub(crate) id: ProductId,
}

/// Returns the first `limit` places after `after`.
pub(crate) fn page(
    searcher: &Searcher,
    fields: &ColumnFields,
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
        let keys = Keys::of(order, segment, fields)?;
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
    bound: Option<(u128, u64)>,
    limit: usize,
) -> Vec<(u128, u64)> {
    let mut best: BinaryHeap<(u128, u64)> = BinaryHeap::with_capacity(limit + 1);
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

fn resolve(ids: &StrColumn, entries: Vec<(u128, u64)>) -> tantivy::Result<Vec<Place>> {
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

/// The sort keys of the documents in a segment. Lower keys come first: the highest bit is set for
/// products that come last, the bits below tell the currency of a price, and the lowest 64 hold the
/// value.
struct Keys {
    values: Values,
    /// The discontinued documents, where they come last.
    last: Option<DocBits>,
}

enum Values {
    Price {
        column: Column<u64>,
        codes: CurrencyCodes,
        currency: Option<Currency>,
        descending: bool,
    },
    Newest(Column<i64>),
    Popularity(Arc<SegmentViews>),
}

const LAST: u128 = 1 << 127;

impl OrderBy {
    pub(crate) fn is_price(&self) -> bool {
        matches!(self, Self::PriceAscending | Self::PriceDescending)
    }
}

impl Keys {
    fn of(order: &Order, segment: &SegmentReader, fields: &ColumnFields) -> tantivy::Result<Self> {
        let discontinued = || {
            let evaluation = Evaluation { segment, fields };
            let mut sold = evaluation.of(&Filter::Sold)?;
            sold.complement();
            Ok::<_, tantivy::TantivyError>(sold)
        };
        Ok(Self {
            values: Values::of(order, segment)?,
            last: order.discontinued_last.then(discontinued).transpose()?,
        })
    }

    fn get(&self, doc: DocId) -> u128 {
        let is_last = self.last.as_ref().is_some_and(|last| last.contains(doc));
        let value = self.values.get(doc);
        if is_last { value | LAST } else { value }
    }
}

impl Values {
    fn of(order: &Order, segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(match &order.by {
            by @ (OrderBy::PriceAscending | OrderBy::PriceDescending) => Self::Price {
                column: columns.u64(PRICE)?,
                codes: CurrencyCodes::of(segment)?,
                currency: order.currency,
                descending: matches!(by, OrderBy::PriceDescending),
            },
            OrderBy::Newest => Self::Newest(columns.i64(CREATED_AT)?),
            OrderBy::Popularity(popularity) => Self::Popularity(popularity.of(segment)?),
        })
    }

    fn get(&self, doc: DocId) -> u128 {
        match self {
            Self::Price {
                column,
                codes,
                currency,
                descending,
            } => {
                let price = column.first(doc).unwrap_or_default();
                let price = if *descending { !price } else { price };
                let code = codes.get(doc).unwrap_or_default();
                let is_first = currency.is_some_and(|currency| currency.code() == code);
                let rank = if is_first { 0 } else { rank(code) };
                rank << 64 | u128::from(price)
            }
            Self::Newest(column) => {
                u128::from(!tantivy::i64_to_u64(column.first(doc).unwrap_or(i64::MIN)))
            }
            Self::Popularity(views) => u128::from(!views.get(doc)),
        }
    }
}

/// The place of a currency among those that a search does not compare: by its code, after 0.
fn rank(code: &str) -> u128 {
    code.bytes()
        .take(3)
        .fold(1, |rank, byte| rank << 8 | u128::from(byte))
}
