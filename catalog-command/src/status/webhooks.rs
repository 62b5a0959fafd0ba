//! What the leader knows of webhooks, for metrics.

use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counts deliveries. Clones share one state.
#[derive(Clone, Default)]
pub(crate) struct WebhookCounts {
    delivered: Counter<u64, AtomicU64>,
    failed: Counter<u64, AtomicU64>,
    active: Gauge<i64, AtomicI64>,
    disabled: Gauge<i64, AtomicI64>,
    waiting: Gauge<i64, AtomicI64>,
    lag: Gauge<i64, AtomicI64>,
}

impl WebhookCounts {
    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("webhook");
        let help = "Deliveries of this instance that succeeded";
        registry.register("deliveries", help, self.delivered.clone());
        let help = "Attempts of this instance to deliver that failed";
        registry.register("failed_attempts", help, self.failed.clone());
        let help = "Webhooks that are sent events; 0 where another instance leads";
        registry.register("active", help, self.active.clone());
        let help = "Webhooks that the catalog has stopped; 0 where another instance leads";
        registry.register("disabled", help, self.disabled.clone());
        let help = "Deliveries that failed or wait behind one; 0 where another instance leads";
        registry.register("waiting", help, self.waiting.clone());
        let help = "The most events that the event log has after the position of an active webhook; \
                    0 where another instance leads";
        registry.register("lag", help, self.lag.clone());
    }

    pub(crate) fn delivered(&self) {
        self.delivered.inc();
    }

    pub(crate) fn failed(&self) {
        self.failed.inc();
    }

    pub(crate) fn seen(&self, active: i64, disabled: i64, waiting: i64, lag: i64) {
        self.active.set(active);
        self.disabled.set(disabled);
        self.waiting.set(waiting);
        self.lag.set(lag);
    }
}
