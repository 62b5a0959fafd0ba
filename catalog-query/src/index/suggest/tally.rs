//! Counts the products of a term and their views, and estimates the rest of a long list.

use std::io;

use tantivy::index::InvertedIndexReader;
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, TERMINATED};

use crate::index::popularity::SegmentViews;
use crate::index::scoring::postings::seek;

/// The number of products that have a term, and of their views.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) documents: u64,
    pub(crate) views: u64,
}

impl Counts {
    /// Extrapolates counts from `looked_at` documents to `all`.
    pub(crate) fn scaled(self, looked_at: u64, all: u64) -> Self {
        let scale = |number: u64| {
            if looked_at < all {
                number * all / looked_at.max(1)
            } else {
                number
            }
        };
        Self {
            documents: scale(self.documents),
            views: scale(self.views),
        }
    }

    pub(crate) fn add(&mut self, views: Option<u64>) {
        self.documents += u64::from(views.is_some());
        self.views += views.unwrap_or_default();
    }
}

/// Counts the first `max` documents for which `views` is some, with their views, and estimates the
/// rest.
pub(crate) fn tally(
    postings: &mut SegmentPostings,
    max: u64,
    mut views: impl FnMut(DocId) -> Option<u64>,
) -> Counts {
    let all = size(postings);
    let (mut counts, mut looked_at) = (Counts::default(), 0);
    while postings.doc() != TERMINATED && looked_at < max {
        counts.add(views(postings.doc()));
        looked_at += 1;
        postings.advance();
    }
    counts.scaled(looked_at, all)
}

/// Returns the views of all products with a term, estimated beyond the first `max`.
pub(crate) fn views_of_term(
    index: &InvertedIndexReader,
    info: &TermInfo,
    max: u64,
    viewed: &SegmentViews,
) -> io::Result<u64> {
    if viewed.is_empty() {
        return Ok(0);
    }
    let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    Ok(tally(&mut postings, max, |doc| Some(viewed.get(doc))).views)
}

pub(crate) fn size(postings: &SegmentPostings) -> u64 {
    u64::from(postings.size_hint())
}

/// Whether a document is in the postings. Documents must be asked for in ascending order.
pub(crate) fn has(postings: &mut SegmentPostings, doc: DocId) -> bool {
    seek(postings, doc) == doc
}
