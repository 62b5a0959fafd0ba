//! What the write side knows about its own progress: for metrics, readiness and `catalogctl status`.

mod relay;
mod webhooks;
mod shown;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub(crate) use crate::status::relay::RelayProgress;
use crate::status::shown::Shown;
pub(crate) use crate::status::webhooks::WebhookCounts;

/// The progress of the write side. Its clones, which the leader's tasks hold, share one state.
#[derive(Clone, Default)]
pub(crate) struct WriteProgress {
    /// The relay of the log of products.
    pub(crate) relay: RelayProgress,
    /// The relay of the log of search rules.
    pub(crate) rule_relay: RelayProgress,
    pub(crate) webhooks: WebhookCounts,
    leader: Arc<AtomicBool>,
    sequencer_error: Shown,
    sequenced: Counter<u64, AtomicU64>,
    outbox_pending: Gauge<i64, AtomicI64>,
    outbox_oldest_age_seconds: Gauge<f64, AtomicU64>,
    leading: Gauge<i64, AtomicI64>,
}

impl WriteProgress {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("catalog_command");
        let help = "Events that got a position from this instance";
        registry.register("events_sequenced", help, self.sequenced.clone());
        self.relay.register(registry);
        self.rule_relay
            .register(registry.sub_registry_with_prefix("rule"));
        self.webhooks.register(registry);
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
            // Only a leader can know or mend these.
            self.relay.set_error(None);
            self.rule_relay.set_error(None);
            self.set_sequencer_error(None);
            self.outbox_seen(0, Duration::ZERO);
            self.webhooks.seen(0, 0, 0, 0);
        }
    }

    /// Why events do not reach the streams: what stops the sequencer, then what stops the relays.
    pub(crate) fn error(&self) -> Option<String> {
        let sequencer = self.sequencer_error.get();
        let rules = self.rule_relay.error();
        let errors: Vec<String> = [
            sequencer.map(|error| format!("sequencer: {error}")),
            self.relay.error(),
            rules.map(|error| format!("search rules: {error}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    pub(crate) fn set_sequencer_error(&self, error: Option<String>) {
        self.sequencer_error.set(error);
    }

    pub(crate) fn add_sequenced(&self, count: u64) {
        self.sequenced.inc_by(count);
    }

    pub(crate) fn outbox_seen(&self, pending: i64, oldest: Duration) {
        self.outbox_pending.set(pending);
        self.outbox_oldest_age_seconds.set(oldest.as_secs_f64());
    }
}
