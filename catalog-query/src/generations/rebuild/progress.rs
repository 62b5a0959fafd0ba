//! The steps of a rebuild or a rollback, as they are told to the client.

use catalog_events::Digest;
use tokio::sync::mpsc;

/// How far a rebuild is.
#[derive(Clone, Debug)]
pub(crate) enum RebuildStep {
    Replay { done: u64, total: u64 },
    Embed { done: i64, total: i64 },
    Compare,
    Switched { digest: Digest },
}

/// Takes the steps, each with the number of the new generation.
pub(crate) type RebuildProgress = mpsc::Sender<(i64, RebuildStep)>;
