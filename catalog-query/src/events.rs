//! The events of the catalog as they come in: from the stream, or from the event log of the write
//! service where the stream does not hold them any more.

mod consumer;
mod received;
mod error;
mod log_client;
mod source;

pub(crate) use self::consumer::EventConsumer;
pub(crate) use self::error::{ConsumerError, LogError};
pub use self::log_client::{InvalidLogTarget, LogTarget};
pub(crate) use self::log_client::{LogClient, LogDigest, PRODUCT_IDS_MAX};
pub(crate) use self::received::{Delivered, Received, Unreadable};
pub(crate) use self::source::{EventReader, EventSource, is_missing};
