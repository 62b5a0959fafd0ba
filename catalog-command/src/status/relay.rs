//! What a relay knows of its log and its stream, for metrics and `catalogctl status`.

use std::sync::atomic::{AtomicI64, AtomicU64};

use catalog_events::Position;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::status::shown::Shown;

/// The progress of one relay. Clones share one state.
#[derive(Clone, Default)]
pub(crate) struct RelayProgress {
    error: Shown,
    stopped: Gauge<i64, AtomicI64>,
    published: Counter<u64, AtomicU64>,
    resyncs: Counter<u64, AtomicU64>,
    refilled: Counter<u64, AtomicU64>,
    stream_recreations: Counter<u64, AtomicU64>,
    stream_sequence: Gauge<i64, AtomicI64>,
    stream_first_sequence: Gauge<i64, AtomicI64>,
    log_position: Gauge<i64, AtomicI64>,
}

impl RelayProgress {
    /// Adds the metrics. The registry prefixes their names where the log is not that of products.
    pub(super) fn register(&self, registry: &mut Registry) {
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
        let help = "The last position of the log that this instance saw while it led";
        registry.register("log_position", help, self.log_position.clone());
        let help = "1 while an error keeps events from the stream";
        registry.register("relay_stopped", help, self.stopped.clone());
    }

    pub(crate) fn error(&self) -> Option<String> {
        self.error.get()
    }

    pub(crate) fn set_error(&self, error: Option<String>) {
        self.stopped.set(error.is_some().into());
        self.error.set(error);
    }

    /// Notes the first and last sequence that the stream has.
    pub(crate) fn looked(&self, first: Position, last: Position) {
        self.resyncs.inc();
        self.stream_first_sequence.set(first.to_i64());
        self.stream_sequence.set(last.to_i64());
    }

    /// Notes that `count` events were published, `refilled` of which had been in the stream before.
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

    /// Notes the last position of the log.
    pub(crate) fn log_seen(&self, head: Position) {
        self.log_position.set(head.to_i64());
    }
}
