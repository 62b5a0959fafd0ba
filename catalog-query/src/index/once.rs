//! Values that are computed once, at their first use.

use std::sync::{Arc, OnceLock};

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
