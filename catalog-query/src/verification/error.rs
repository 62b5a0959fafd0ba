//! Why a projection cannot be checked or repaired.

use crate::events::LogError;
use crate::index::IndexError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum VerificationError {
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(
        "the event log cannot be asked: set CATALOG_QUERY_COMMAND_GRPC_TARGET to the gRPC address \
         of catalog-command"
    )]
    NoLog,
    #[error("another check or listing is under way at this replica: try again when it has ended")]
    Busy,
    #[error("nobody reads the answers: given up")]
    NotRead,
    #[error("a thread panicked")]
    Panicked(#[from] tokio::task::JoinError),
}
