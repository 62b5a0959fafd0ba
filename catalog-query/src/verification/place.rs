//! The place for one check or listing at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::verification::error::VerificationError;

pub(crate) const PLACE_WAIT_MS_MAX: u64 = 1_000;

/// For one check or listing at a time: each reads everything, and holds a snapshot meanwhile.
#[derive(Clone)]
pub(crate) struct Place(Arc<Semaphore>);

impl Default for Place {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Place {
    /// Until what is returned is dropped. Waits a moment for one that is about to end.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, VerificationError> {
        let waited = Duration::from_millis(PLACE_WAIT_MS_MAX);
        let taken = tokio::time::timeout(waited, self.0.clone().acquire_owned()).await;
        // It is never closed.
        taken
            .ok()
            .and_then(Result::ok)
            .ok_or(VerificationError::Busy)
    }
}
