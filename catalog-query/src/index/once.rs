//! Values that are computed once, at their first use: for a snapshot, or for a segment.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};

/// A value of one snapshot that the first search that needs it computes. Clones share it.
#[derive(Debug)]
pub(super) struct Once<T>(Arc<OnceLock<T>>);

impl<T> Once<T> {
    /// Returns the value. Where several callers compute it at once, one of them is kept.
    pub(super) fn get(&self, compute: impl FnOnce() -> tantivy::Result<T>) -> tantivy::Result<&T> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let computed = compute()?;
        Ok(self.0.get_or_init(|| computed))
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Once<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What is known of each segment of a snapshot. A segment never changes, so it serves every snapshot that
/// has it, and is given back with it.
#[derive(Debug)]
pub(super) struct PerSegment<T>(Vec<(SegmentId, Arc<T>)>);

impl<T: Default> PerSegment<T> {
    /// Nothing is known yet.
    pub(super) fn of(searcher: &Searcher) -> Self {
        Self(Vec::new()).next(searcher)
    }

    /// What another snapshot begins with: all that is known of the segments that both have.
    pub(super) fn next(&self, searcher: &Searcher) -> Self {
        let segments = searcher.segment_readers().iter();
        Self(
            segments
                .map(|segment| (segment.segment_id(), self.get(segment)))
                .collect(),
        )
    }

    /// What is known of a segment; what is learned of one of another snapshot is forgotten.
    pub(super) fn get(&self, segment: &SegmentReader) -> Arc<T> {
        let id = segment.segment_id();
        let known = self.0.iter().find(|(known, _)| *known == id);
        known.map_or_else(Arc::default, |(_, known)| Arc::clone(known))
    }
}

impl<T> Clone for PerSegment<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Answers of one snapshot to questions that searches ask again and again. Clones share them.
#[derive(Debug)]
pub(super) struct Memo<Q, A, const MAX: usize>(Arc<Mutex<HashMap<Q, A>>>);

impl<Q: Eq + Hash, A: Clone, const MAX: usize> Memo<Q, A, MAX> {
    /// Returns the answer to a question, and keeps it. All are forgotten when there are `MAX` of them:
    /// what is asked often is soon known again.
    pub(super) fn get(
        &self,
        question: Q,
        answer: impl FnOnce() -> tantivy::Result<A>,
    ) -> tantivy::Result<A> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&question) {
            return Ok(known.clone());
        }
        let answer = answer()?;
        let mut known = lock();
        if known.len() >= MAX {
            known.clear();
        }
        known.insert(question, answer.clone());
        Ok(answer)
    }
}

impl<Q, A, const MAX: usize> Default for Memo<Q, A, MAX> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<Q, A, const MAX: usize> Clone for Memo<Q, A, MAX> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
