//! The errors of the index, for searches and for writers.

use std::io;

use catalog_events::Position;
use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error("the folder of the keyword index cannot be used")]
    Folder(#[source] io::Error),
    #[error("the disk is behind the keyword index by {held} bytes in memory: {error}")]
    DiskBehind { held: usize, error: String },
    #[error("the keyword index is built up to position {at}, and answers from {needed} on")]
    NotBuilt { at: Position, needed: Position },
    #[error("another writer has the keyword index open")]
    Locked,
    #[error("the writer of the keyword index is closed")]
    Closed,
    /// The name of an attribute that no product has ends like a bound, and its value is no number.
    #[error("no product has an attribute {0}, and a bound is a number")]
    NoBound(String),
    #[error("the keyword index failed")]
    Tantivy(#[source] TantivyError),
}

impl From<TantivyError> for IndexError {
    fn from(err: TantivyError) -> Self {
        match err {
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Locked,
            err => Self::Tantivy(err),
        }
    }
}

impl From<OpenDirectoryError> for IndexError {
    fn from(err: OpenDirectoryError) -> Self {
        Self::Tantivy(err.into())
    }
}
