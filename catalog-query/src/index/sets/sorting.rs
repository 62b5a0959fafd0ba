//! The documents of a set in the order of a column, equal values by product id. A page begins after
//! a place in that order, so that products that come or go elsewhere do not move it.

use std::collections::{BinaryHeap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use catalog_events::ProductId;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::columns::{CREATED_AT, PRICE};
use crate::index::document::schema::ID;
use crate::index::sets::doc_sets::{DocBits, DocSets};

#[derive(Clone, Debug)]
pub(crate) enum Order {
    PriceAscending,
    PriceDescending,
    Newest,
    Popularity(Arc<Popularity>),
}

/// Where a page ended: what it was sorted by, less first, and the id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: u64,
    pub(crate) id: ProductId,
}

/// The first `limit` after `after`.
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
        // Within a segment ordinals sort as the ids do.
        let bound = after.map(|place| {
            Ok::<_, tantivy::TantivyError>((place.key, first_after(&ids, &place.id)?))
        });
        let bound = bound.transpose()?;
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
        places.append(&mut resolve(&ids, best.into_vec())?);
    }
    places.sort();
    places.truncate(limit);
    Ok(places)
}

/// The ordinal from which on ids are greater.
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

/// What documents of a segment are sorted by, less first.
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

/// Views by product, as they were at one time; none is 0.
#[derive(Debug, Default)]
pub(crate) struct Popularity {
    views: HashMap<ProductId, u64>,
    most: u64,
    /// By the document of a segment: who asks again for the same segment does not look up again.
    by_segment: Mutex<HashMap<SegmentId, Arc<SegmentViews>>>,
}

impl Popularity {
    /// Segments come and go with every commit.
    const SEGMENTS_MAX: usize = 64;

    pub(crate) fn new(views: HashMap<ProductId, u64>) -> Self {
        Self {
            most: views.values().copied().max().unwrap_or(0),
            views,
            by_segment: Mutex::default(),
        }
    }

    /// Whether these are the views it has.
    pub(crate) fn is_of(&self, views: &HashMap<ProductId, u64>) -> bool {
        self.views == *views
    }

    /// From 0 to 1 for the most viewed; a product with the square root of its views has half of that.
    pub(crate) fn share(&self, id: &ProductId) -> f64 {
        match self.views.get(id) {
            Some(views) if self.most > 0 => (*views as f64).ln_1p() / (self.most as f64).ln_1p(),
            _ => 0.0,
        }
    }

    pub(crate) fn of(&self, segment: &SegmentReader) -> tantivy::Result<Arc<SegmentViews>> {
        if self.views.is_empty() {
            return Ok(Arc::default());
        }
        let id = segment.segment_id();
        let known = self.lock().get(&id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let views = Arc::new(SegmentViews::new(segment, &self.views)?);
        let mut by_segment = self.lock();
        if by_segment.len() >= Self::SEGMENTS_MAX {
            by_segment.clear();
        }
        by_segment.insert(id, Arc::clone(&views));
        Ok(views)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentId, Arc<SegmentViews>>> {
        self.by_segment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Views by the document of a segment.
#[derive(Debug, Default)]
pub(crate) struct SegmentViews {
    views: HashMap<DocId, u64>,
    /// Who has any: most have none, and are asked about all the time.
    viewed: DocBits,
}

impl SegmentViews {
    fn new(segment: &SegmentReader, products: &HashMap<ProductId, u64>) -> tantivy::Result<Self> {
        let mut views = HashMap::new();
        let mut viewed = DocBits::none(segment.max_doc());
        let mut add = |doc, count: u64| {
            if count > 0 {
                views.insert(doc, count);
                viewed.insert(doc);
            }
        };
        // The shorter list is gone through.
        if products.len() < segment.max_doc() as usize {
            let field = segment.schema().get_field(ID)?;
            let index = segment.inverted_index(field)?;
            for (product, count) in products {
                each_document(&index, field, product, |doc| add(doc, *count))?;
            }
        } else if let Some(ids) = segment.fast_fields().str(ID)? {
            let mut of_ordinal = Vec::with_capacity(ids.num_terms());
            let mut terms = ids.dictionary().stream()?;
            while terms.advance() {
                let id = str::from_utf8(terms.key()).ok();
                let id = id.and_then(|id| id.parse::<ProductId>().ok());
                let count = id.and_then(|id| products.get(&id));
                of_ordinal.push(count.copied().unwrap_or_default());
            }
            for doc in 0..segment.max_doc() {
                let ordinal = ids.term_ords(doc).next();
                let count = ordinal.and_then(|ordinal| of_ordinal.get(ordinal as usize));
                add(doc, count.copied().unwrap_or_default());
            }
        }
        Ok(Self { views, viewed })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    pub(crate) fn get(&self, doc: DocId) -> u64 {
        match self.viewed.contains(doc) {
            true => self.views.get(&doc).copied().unwrap_or_default(),
            false => 0,
        }
    }
}

/// The documents that a product has in a segment, by the index of its ids; deleted ones included.
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

/// In no order.
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
