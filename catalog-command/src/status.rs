//! What the write side knows about its own progress: for metrics, readiness and `catalogctl status`.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use catalog_events::Position;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// An error for as long as it holds.
type Shown = Arc<RwLock<Option<String>>>;

/// Shared by the leader's tasks; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct WriteProgress {
    leader: Arc<AtomicBool>,
    relay_error: Shown,
    sequencer_error: Shown,
    sequenced: Counter<u64, AtomicU64>,
    published: Counter<u64, AtomicU64>,
    resyncs: Counter<u64, AtomicU64>,
    refilled: Counter<u64, AtomicU64>,
    stream_recreations: Counter<u64, AtomicU64>,
    stream_sequence: Gauge<i64, AtomicI64>,
    stream_first_sequence: Gauge<i64, AtomicI64>,
    log_position: Gauge<i64, AtomicI64>,
    outbox_pending: Gauge<i64, AtomicI64>,
    outbox_oldest_age_seconds: Gauge<f64, AtomicU64>,
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
        let help = "Events that this instance published again because the stream had lost them";
        registry.register("events_refilled", help, self.refilled.clone());
        let help = "Times this instance created a lost or broken stream anew";
        registry.register("stream_recreations", help, self.stream_recreations.clone());
        let help = "The last sequence of the stream that the relay knows of";
        registry.register("stream_sequence", help, self.stream_sequence.clone());
        let help = "The first sequence that the stream still holds";
        registry.register(
            "stream_first_sequence",
            help,
            self.stream_first_sequence.clone(),
        );
        let help = "The last position of the event log that this instance saw while it led";
        registry.register("log_position", help, self.log_position.clone());
        let help = "Committed events that have no position yet, 100001 where there are more than \
                    100000; 0 where another instance leads";
        registry.register("outbox_pending", help, self.outbox_pending.clone());
        let help = "How long the oldest event without a position has been waiting for one; \
                    0 where another instance leads";
        registry.register(
            "outbox_oldest_age_seconds",
            help,
            self.outbox_oldest_age_seconds.clone(),
        );
        let help = "1 while this instance runs the sequencer and the relay";
        registry.register("leader", help, self.leading.clone());
    }

    pub(crate) fn is_leader(&self) -> bool {
        self.leader.load(Ordering::Relaxed)
    }

    pub(crate) fn set_leader(&self, leader: bool) {
        self.leader.store(leader, Ordering::Relaxed);
        self.leading.set(leader.into());
        if !leader {
            // What only a leader can know or mend.
            self.set_relay_error(None);
            self.set_sequencer_error(None);
            self.outbox_seen(0, Duration::ZERO);
        }
    }

    /// Why events do not reach the stream: what stops the sequencer, then what stops the relay.
    pub(crate) fn error(&self) -> Option<String> {
        let read = |shown: &Shown| shown.read().ok().and_then(|error| error.clone());
        let sequencer = read(&self.sequencer_error).map(|error| format!("sequencer: {error}"));
        let errors = [sequencer, read(&self.relay_error)];
        let errors: Vec<String> = errors.into_iter().flatten().collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    pub(crate) fn set_relay_error(&self, error: Option<String>) {
        show(&self.relay_error, error);
    }

    pub(crate) fn set_sequencer_error(&self, error: Option<String>) {
        show(&self.sequencer_error, error);
    }

    pub(crate) fn add_sequenced(&self, count: u64) {
        self.sequenced.inc_by(count);
    }

    pub(crate) fn looked(&self, first: Position, last: Position) {
        self.resyncs.inc();
        self.stream_first_sequence.set(first.to_i64());
        self.stream_sequence.set(last.to_i64());
    }

    /// `refilled` of the `count` events had been in the stream before.
    pub(crate) fn published(&self, reached: Position, count: u64, refilled: u64) {
        self.published.inc_by(count);
        self.refilled.inc_by(refilled);
        self.stream_sequence.set(reached.to_i64());
    }

    pub(crate) fn add_stream_recreation(&self) {
        self.stream_recreations.inc();
    }

    pub(crate) fn refilled_events(&self) -> u64 {
        self.refilled.get()
    }

    pub(crate) fn stream_recreations(&self) -> u64 {
        self.stream_recreations.get()
    }

    pub(crate) fn log_seen(&self, head: Position) {
        self.log_position.set(head.to_i64());
    }

    pub(crate) fn outbox_seen(&self, pending: i64, oldest: Duration) {
        self.outbox_pending.set(pending);
        self.outbox_oldest_age_seconds.set(oldest.as_secs_f64());
    }
}

fn show(shown: &Shown, error: Option<String>) {
    if let Ok(mut current) = shown.write() {
        *current = error;
    }
}
