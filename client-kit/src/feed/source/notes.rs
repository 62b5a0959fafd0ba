//! What a reader found out by itself and a person should know: which element holds the products,
//! which encoding a text was taken for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::feed::form::Encoding;

/// The notes of a feed, in order; readers add to them while they read.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    notes: Vec<String>,
    encoding: Option<&'static str>,
}

impl Notes {
    /// Takes the notes that were not taken yet.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().notes)
    }

    pub(in crate::feed) fn add(&self, note: impl Into<String>) {
        self.lock().notes.push(note.into());
    }

    /// The name of the encoding that a text is read as so far; none for a spreadsheet.
    pub(crate) fn encoding(&self) -> Option<&'static str> {
        self.lock().encoding
    }

    pub(in crate::feed) fn set_encoding(&self, encoding: Encoding) {
        self.lock().encoding = Some(encoding.name());
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
