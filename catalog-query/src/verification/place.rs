//! Lets one check or listing run at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::verification::error::VerificationError;

/// How long the place is waited for.
pub(crate) const PLACE_WAIT_MS_MAX: u64 = 1_000;

/// The place for one check or listing: each reads everything, and holds a snapshot meanwhile.
#[derive(Clone)]
pub(crate) struct Place(Arc<Semaphore>);

impl Default for Place {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Place {
    /// Takes the place until the permit is dropped. Waits a moment for work that is about to end.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, VerificationError> {
        let waited = Duration::from_millis(PLACE_WAIT_MS_MAX);
        let taken = tokio::time::timeout(waited, self.0.clone().acquire_owned()).await;
        // The semaphore is never closed.
        taken
            .ok()
            .and_then(Result::ok)
            .ok_or(VerificationError::Busy)
    }
}
