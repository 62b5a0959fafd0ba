//! Product-read events tell which products were looked at. Some may be lost by contract; the counters
//! tell a subscriber how much it missed.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ProductId;

/// The subject of the messages. They go through core NATS, not JetStream: a subscriber that is not
/// listening does not get them.
pub const READ_SUBJECT: &str = "catalog.read.v1.product";

/// One message with the reads of one replica since its last message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadBatch {
    /// A name that the replica has for as long as it runs.
    pub sender: String,
    /// Counts the messages of this sender from 1; a gap is a lost message.
    pub sequence: u64,
    /// How many reads this sender has published, this batch included.
    pub sent: u64,
    /// How many reads this sender dropped because its queue was full.
    pub dropped: u64,
    /// The reads, in the order in which they were answered.
    pub reads: Vec<ProductRead>,
}

/// One product that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProductRead {
    /// The product.
    pub product_id: ProductId,
    /// What it was read by.
    pub source: ReadSource,
    /// When it was read.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub at: OffsetDateTime,
}

/// The calls that count as reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReadSource {
    /// A read of this product alone.
    Get,
    /// A read of several products at once.
    Batch,
}
