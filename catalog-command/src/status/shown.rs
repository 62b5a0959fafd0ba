//! An error that `status` shows.

use std::sync::{Arc, RwLock};

/// An error, shown for as long as it holds. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Shown(Arc<RwLock<Option<String>>>);

impl Shown {
    pub(super) fn get(&self) -> Option<String> {
        self.0.read().ok().and_then(|error| error.clone())
    }

    pub(super) fn set(&self, error: Option<String>) {
        if let Ok(mut current) = self.0.write() {
            *current = error;
        }
    }
}
