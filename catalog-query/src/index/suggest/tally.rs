//! Counts the products of a term and their views, and estimates the rest of a long list.

use tantivy::postings::SegmentPostings;
use tantivy::{DocId, DocSet as _, TERMINATED};

use crate::index::scoring::postings::seek;

/// How many products have a term, and their views.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) documents: u64,
    pub(crate) views: u64,
}

impl Counts {
    /// Of `all`, when only `looked_at` were looked at.
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

/// Of up to `max` documents those that count, by their views; what comes behind is estimated.
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

pub(crate) fn size(postings: &SegmentPostings) -> u64 {
    u64::from(postings.size_hint())
}

/// To be asked for documents in their order.
pub(crate) fn has(postings: &mut SegmentPostings, doc: DocId) -> bool {
    seek(postings, doc) == doc
}
