//! Why a projector stops following the events until its next try.

use crate::events::ConsumerError;
use crate::index::IndexError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectorError {
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error("the stream of events: {0}")]
    Stream(String),
    #[error("the keyword index cannot be made of the documents")]
    Copy(#[source] anyhow::Error),
    #[error("the index thread panicked")]
    Panicked,
}
