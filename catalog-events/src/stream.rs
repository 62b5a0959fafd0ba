//! The stream that carries the events. Whoever comes first creates it; all agree on this definition.

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::{EVENTS_WILDCARD, Position};

pub const STREAM: &str = "CATALOG";

/// `first` is the sequence that the first message of a new stream gets: 1, or a later one where a
/// lost stream is created again. Sequences equal positions. The stream keeps events for ever unless
/// the write service is told otherwise: its event log does in any case.
pub fn stream_config(first: Position) -> Config {
    Config {
        name: STREAM.to_owned(),
        description: Some("product events; sequence = position in the event log".to_owned()),
        subjects: vec![EVENTS_WILDCARD.to_owned()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        // A full stream refuses new events; the relay waits and nothing old is lost.
        discard: DiscardPolicy::New,
        deny_delete: true,
        allow_direct: true,
        allow_atomic_publish: true,
        first_sequence: Some(first.0),
        ..Config::default()
    }
}
