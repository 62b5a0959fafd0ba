//! Product-read events: which products were looked at. Lossy by contract; the counters tell a
//! subscriber how much it missed.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ProductId;

/// Core NATS, not JetStream: whoever is not listening does not get them.
pub const READ_SUBJECT: &str = "catalog.read.v1.product";

/// One message: the reads of one replica since its last message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadBatch {
    /// Names the replica for as long as it runs.
    pub sender: String,
    /// Counts the messages of this sender from 1; a gap is a lost message.
    pub sequence: u64,
    /// Reads that this sender has published, this batch included.
    pub sent: u64,
    /// Reads that this sender dropped because its queue was full.
    pub dropped: u64,
    pub reads: Vec<ProductRead>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductRead {
    pub product_id: ProductId,
    pub source: ReadSource,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadSource {
    Get,
    Batch,
}
