//! What is told while a rebuild goes on.

use catalog_events::Digest;
use tokio::sync::mpsc;

/// What is told while it goes on.
#[derive(Clone, Debug)]
pub(crate) enum RebuildStep {
    Replay { done: u64, total: u64 },
    Embed { done: i64, total: i64 },
    Compare,
    Switched { digest: Digest },
}

pub(crate) type RebuildProgress = mpsc::Sender<(i64, RebuildStep)>;
