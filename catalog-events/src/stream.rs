//! The streams that carry the events. Whoever comes first creates one; all agree on these definitions.

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::{EVENTS_WILDCARD, Position, RULES_WILDCARD};

pub const STREAM: &str = "CATALOG";
/// Of the search rules: few, and read from the first one by every replica that starts.
pub const RULE_STREAM: &str = "CATALOG_RULES";

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

/// As [`stream_config`], of the search rules from the first one on.
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
