//! How a command can fail, and one try of it.

use crate::domain::{KeyRejection, Rejection, RuleRejection, WebhookRejection};
use crate::store::Conflict;

/// A writer that loses this often in a row gives up and says so.
pub(super) const RACES_MAX: u32 = 10;

/// Why a command did not write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    RuleRejected(#[from] RuleRejection),
    #[error(transparent)]
    KeyRejected(#[from] KeyRejection),
    #[error(transparent)]
    WebhookRejected(#[from] WebhookRejection),
    #[error("the operating system has no random numbers")]
    Random(#[from] getrandom::Error),
    #[error("the request id was used for another request")]
    RequestIdReused,
    #[error("too many writers at once on this product")]
    Contended,
    #[error("database")]
    Database(#[from] sqlx::Error),
}

/// How one try of a command can fail.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Another writer came first: the command is to be tried again.
    Lost,
    /// Trying again would not help.
    Final(CommandError),
}

impl Attempt {
    /// The error that ends the command; none when it is to be tried again.
    pub(super) fn unless_lost(self) -> Result<(), CommandError> {
        match self {
            Attempt::Lost => Ok(()),
            Attempt::Final(err) => Err(err),
        }
    }
}

impl From<Rejection> for Attempt {
    fn from(rejection: Rejection) -> Self {
        Attempt::Final(rejection.into())
    }
}

impl From<CommandError> for Attempt {
    fn from(err: CommandError) -> Self {
        Attempt::Final(err)
    }
}

impl From<Conflict> for Attempt {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Lost => Attempt::Lost,
            Conflict::Database(err) => err.into(),
        }
    }
}

impl From<sqlx::Error> for Attempt {
    fn from(err: sqlx::Error) -> Self {
        Attempt::Final(CommandError::Database(err))
    }
}
