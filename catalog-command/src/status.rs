//! What the write side knows about its own progress: for metrics, readiness and `catalogctl status`.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use catalog_events::Position;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Shared by the leader's tasks; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct WriteProgress {
    leader: Arc<AtomicBool>,
    relay_error: Arc<RwLock<Option<String>>>,
    sequenced: Counter<u64, AtomicU64>,
    published: Counter<u64, AtomicU64>,
    resyncs: Counter<u64, AtomicU64>,
    stream_sequence: Gauge<i64, AtomicI64>,
    leading: Gauge<i64, AtomicI64>,
}

impl WriteProgress {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("catalog_command");
        let help = "Events that got a position from this instance";
        registry.register("events_sequenced", help, self.sequenced.clone());
        let help = "Events that this instance published to the stream";
        registry.register("events_published", help, self.published.clone());
        let help = "Times the relay read the stream's last sequence again";
        registry.register("relay_resyncs", help, self.resyncs.clone());
        let help = "The last sequence of the stream that the relay knows of";
        registry.register("stream_sequence", help, self.stream_sequence.clone());
        let help = "1 while this instance runs the sequencer and the relay";
        registry.register("leader", help, self.leading.clone());
    }

    pub(crate) fn is_leader(&self) -> bool {
        self.leader.load(Ordering::Relaxed)
    }

    pub(crate) fn set_leader(&self, leader: bool) {
        self.leader.store(leader, Ordering::Relaxed);
        self.leading.set(leader.into());
    }

    /// Why the relay stands still until a person acts.
    pub(crate) fn relay_error(&self) -> Option<String> {
        self.relay_error.read().ok().and_then(|error| error.clone())
    }

    pub(crate) fn set_relay_error(&self, error: Option<String>) {
        if let Ok(mut current) = self.relay_error.write() {
            *current = error;
        }
    }

    pub(crate) fn add_sequenced(&self, count: u64) {
        self.sequenced.inc_by(count);
    }

    pub(crate) fn resynced(&self, last: Position) {
        self.resyncs.inc();
        self.stream_sequence.set(last.to_i64());
    }

    pub(crate) fn published(&self, reached: Position, count: u64) {
        self.published.inc_by(count);
        self.stream_sequence.set(reached.to_i64());
    }
}
