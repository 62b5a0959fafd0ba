//! Views of products, which searches weigh and sort by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalog_events::ProductId;
use tantivy::index::SegmentId;
use tantivy::{DocId, SegmentReader};

use crate::index::document::schema::ID;
use crate::index::sets::doc_sets::DocBits;
use crate::index::sets::product_ids::each_document;

/// Views by product, as they were at one time. A product that is not listed has 0.
#[derive(Debug, Default)]
pub(crate) struct Popularity {
    views: HashMap<ProductId, u64>,
    most: u64,
    /// The views by document, kept for each segment that was asked for.
    by_segment: Mutex<HashMap<SegmentId, Arc<SegmentViews>>>,
}

impl Popularity {
    /// Bounds `by_segment`, as segments come and go with every commit.
    const SEGMENTS_MAX: usize = 64;

    pub(crate) fn new(views: HashMap<ProductId, u64>) -> Self {
        Self {
            most: views.values().copied().max().unwrap_or(0),
            views,
            by_segment: Mutex::default(),
        }
    }

    /// Whether these views are the same.
    pub(crate) fn is_of(&self, views: &HashMap<ProductId, u64>) -> bool {
        self.views == *views
    }

    /// The popularity of a product from 0 to 1, which is that of the most viewed one. It is
    /// logarithmic: a product with the square root of the most views has about half.
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

/// The views of the documents in one segment.
#[derive(Debug, Default)]
pub(crate) struct SegmentViews {
    views: HashMap<DocId, u64>,
    /// The documents with any views. Most have none, and this set is quicker to ask than the map.
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
        // The shorter of the two lists is walked.
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
                let text = str::from_utf8(terms.key()).ok();
                let id = text.and_then(|text| text.parse::<ProductId>().ok());
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
        if self.viewed.contains(doc) {
            self.views.get(&doc).copied().unwrap_or_default()
        } else {
            0
        }
    }
}
