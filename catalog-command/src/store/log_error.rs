//! What can be wrong with a log.

use catalog_events::Position;

/// Why the log cannot be read or extended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("event log")]
    Database(#[from] sqlx::Error),
    #[error("the event at position {0} of the log cannot be read: the row is missing or corrupt")]
    Corrupt(Position),
}
