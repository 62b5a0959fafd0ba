//! Routes for many products at once, which are streamed: all products out, and a feed in.

pub(crate) mod export;
pub(crate) mod import;
mod export_plan;
pub(crate) mod import_options;
pub(crate) mod import_suggestion;
mod import_report;
mod import_body;
mod unhurried;

use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;

/// Exports at once: each takes a connection of the write database.
const EXPORTS_MAX: usize = 4;
/// Imports at once: each takes a thread, and a temporary file where its feed is packed.
const IMPORTS_MAX: usize = 4;

/// What exports and imports share.
pub(crate) struct Feeds {
    exports: Arc<Semaphore>,
    imports: Arc<Semaphore>,
    /// The longest feed.
    pub(crate) import_bytes_max: u64,
    /// Cancelled when the service stops.
    pub(crate) stop: CancellationToken,
}

impl Feeds {
    pub(crate) fn new(import_bytes_max: u64, stop: CancellationToken) -> Self {
        Self {
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
            import_bytes_max,
            stop,
        }
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    places.clone().try_acquire_owned().map_err(|_| {
        Problem::for_now(
            StatusCode::SERVICE_UNAVAILABLE,
            "As many of these run as may run at once",
        )
    })
}
