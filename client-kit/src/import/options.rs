//! How an import is done.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use uuid::Uuid;

/// How an import is done.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The most rows in a batch, from 1 to 1,000.
    pub batch_rows: usize,
    /// How long to keep trying without an answer.
    pub retry: Duration,
    /// Names the batches of this import: one that is sent again is not applied again, and so never undoes
    /// what somebody else changed meanwhile. An import that goes on after it was killed keeps the name.
    pub run: Uuid,
    /// Whether the service only says what would change.
    pub validate_only: bool,
    /// What every call tells of the caller.
    pub metadata: MetadataMap,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            batch_rows: 500,
            retry: Duration::from_secs(60),
            run: Uuid::now_v7(),
            validate_only: false,
            metadata: MetadataMap::new(),
        }
    }
}
