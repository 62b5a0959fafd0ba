//! Why a rebuild or a rollback did not switch.

use catalog_events::{Digest, Position};

use crate::events::{ConsumerError, LogError};
use crate::index::IndexError;
use crate::projectors::EmbeddingError;
use crate::verification::VerificationError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildError {
    #[error("a rebuild is under way")]
    Busy,
    #[error("there is no earlier generation to roll back to")]
    NothingToRollBackTo,
    /// The new generation is not what it was compared with, and nothing was switched.
    #[error(
        "at position {position} {reference} has digest {expected} ({documents} documents), the new \
         read model {new}, its keyword index {index}: not switched"
    )]
    Differs {
        position: Position,
        /// The name of what it was compared with.
        reference: &'static str,
        documents: i64,
        expected: Digest,
        new: Digest,
        index: Digest,
    },
    #[error("another replica applies events to that generation")]
    Contended,
    #[error("the live read model differs, and the event log cannot tell who is right")]
    Log(#[from] LogError),
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Verification(#[from] VerificationError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}
