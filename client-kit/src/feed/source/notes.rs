//! What a reader found out by itself and a person should know: which element holds the products,
//! which encoding a text was taken for.

use std::sync::{Arc, Mutex, PoisonError};

/// The notes of a feed, in order; readers add to them while they read.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    /// Takes the notes that were not taken yet.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(in crate::feed) fn add(&self, note: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(note.into());
    }
}
