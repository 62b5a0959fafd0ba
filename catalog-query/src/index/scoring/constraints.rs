//! The phrases and exclusions of a query.

use tantivy::{DocId, SegmentReader, TERMINATED};

use crate::index::document::schema::Fields;
use crate::index::scoring::postings::Postings;
use crate::index::scoring::terms::{QueryTerms, Rows};
use crate::index::sets::doc_sets::DocBits;

/// The phrases and exclusions of a query as sets of documents in one segment.
pub(crate) struct Constraints {
    /// The documents that have every phrase; None if the query has no phrases.
    required: Option<DocBits>,
    /// The documents that have any of the exclusions; None if the query has none.
    excluded: Option<DocBits>,
}

impl Constraints {
    pub(crate) fn of(
        segment: &SegmentReader,
        fields: &Fields,
        terms: &QueryTerms,
    ) -> tantivy::Result<Self> {
        let mut constraints = Self {
            required: None,
            excluded: None,
        };
        for phrase in &terms.phrases {
            let have = with_phrase(segment, fields, phrase)?;
            match &mut constraints.required {
                None => constraints.required = Some(have),
                Some(docs) => docs.intersect(&have),
            }
        }
        for exclusion in &terms.exclusions {
            let have = with_phrase(segment, fields, exclusion)?;
            match &mut constraints.excluded {
                None => constraints.excluded = Some(have),
                Some(docs) => docs.unite(&have),
            }
        }
        Ok(constraints)
    }

    pub(crate) fn allow(&self, doc: DocId) -> bool {
        let required = self.required.as_ref();
        let excluded = self.excluded.as_ref();
        required.is_none_or(|docs| docs.contains(doc))
            && excluded.is_none_or(|docs| !docs.contains(doc))
    }

    /// Keeps the documents of a set that are allowed.
    pub(crate) fn narrow(&self, docs: &mut DocBits) {
        if let Some(required) = &self.required {
            docs.intersect(required);
        }
        if let Some(excluded) = &self.excluded {
            docs.subtract(excluded);
        }
    }
}

/// Returns the documents that have any of the rows of stems in some field.
pub(crate) fn with_phrase(
    segment: &SegmentReader,
    fields: &Fields,
    rows: &Rows,
) -> tantivy::Result<DocBits> {
    let mut docs = DocBits::none(segment.max_doc());
    for row in rows {
        for field in fields.searched() {
            if let Some(mut postings) = Postings::open(segment, field, row)? {
                while postings.doc() != TERMINATED {
                    docs.insert(postings.doc());
                    postings.advance();
                }
            }
        }
    }
    Ok(docs)
}
