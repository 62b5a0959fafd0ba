//! The streams that carry the events. The first instance that needs one creates it; all agree on these
//! definitions.

mod connect;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

pub use self::connect::{Broker, ConnectError, connect};
use crate::{EVENTS_WILDCARD, Position, RULES_WILDCARD};

/// The name of the stream of product events.
pub const STREAM: &str = "CATALOG";
/// The name of the stream of search rules. There are few of them, and every replica that starts reads
/// them from the first one.
pub const RULE_STREAM: &str = "CATALOG_RULES";

/// The definition of the stream of product events.
///
/// `first` is the sequence that the first message of a new stream gets: 1, or a later one where a
/// lost stream is created again. Sequences equal positions. The stream keeps events for ever unless
/// the write service is told otherwise: its event log does in any case.
pub fn stream_config(first: Position) -> Config {
    Config {
        description: Some("product events; sequence = position in the event log".to_owned()),
        first_sequence: Some(first.0),
        ..log_copy(STREAM, EVENTS_WILDCARD)
    }
}

/// The definition of the stream of search rules, which begins with the first one.
pub fn rule_stream_config() -> Config {
    Config {
        description: Some("search rules; sequence = position in their log".to_owned()),
        ..log_copy(RULE_STREAM, RULES_WILDCARD)
    }
}

fn log_copy(name: &str, subjects: &str) -> Config {
    Config {
        name: name.to_owned(),
        subjects: vec![subjects.to_owned()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        // A full stream refuses new events; the relay waits and nothing old is lost.
        discard: DiscardPolicy::New,
        deny_delete: true,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    }
}
