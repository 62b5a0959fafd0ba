//! Why a relay stops publishing, and what a person can do about it.

use catalog_events::Position;
use uuid::Uuid;

use crate::relay::atomic_batch::PublishError;
use crate::relay::log::Log;
use crate::store::LogError;

/// Why the relay stopped before it had published everything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    /// The database was restored from a backup, or the stream belongs to another catalog. Going on
    /// would give two meanings to one position.
    #[error(
        "the stream {} is at {stream}, ahead of the {} at {head}: restore the log or delete the \
         stream, which is then filled from the log", .log.stream(), .log.name()
    )]
    StreamAhead {
        log: Log,
        stream: Position,
        head: Position,
    },
    /// The stream has other events at the same positions: its readers have seen what never was in this
    /// log.
    #[error(
        "the stream {} holds the event {in_stream} at position {position}, where the {} has \
         {in_log}: it belongs to another catalog, or the log was restored from a backup and written \
         on; point NATS_URL to the right broker, or restore the log, or delete the stream, which is \
         then filled from the log", .log.stream(), .log.name()
    )]
    ForeignStream {
        log: Log,
        position: Position,
        in_stream: String,
        in_log: Uuid,
    },
    /// The log has lost what the stream has told everybody; the stream is made anew of it in a moment.
    #[error(
        "the {} was set back to position {shared}, behind which the stream {} has other events up to {last}: \
         was its database restored from a backup? The stream is made anew from the log as soon as \
         nobody has written to it for 10 s", .log.name(), .log.stream()
    )]
    SetBack {
        log: Log,
        shared: Position,
        last: Position,
    },
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error("stream: {0}")]
    Stream(String),
    #[error("publish")]
    Publish(#[from] PublishError),
}

impl RelayError {
    /// Whether a person must mend it, so that it is shown at once: trying again is not enough.
    pub(super) fn needs_a_person(&self) -> bool {
        match self {
            RelayError::StreamAhead { .. }
            | RelayError::ForeignStream { .. }
            | RelayError::SetBack { .. }
            | RelayError::Log(LogError::Corrupt(_))
            | RelayError::Publish(PublishError::Full { .. }) => true,
            RelayError::Log(LogError::Database(_))
            | RelayError::Database(_)
            | RelayError::Stream(_)
            | RelayError::Publish(_) => false,
        }
    }
}
