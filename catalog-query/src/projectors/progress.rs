//! The progress of the projections of this replica, for `catalogctl status`, metrics and each other.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, RwLock};

use catalog_events::Position;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use service_kit::Failure;
use tokio::sync::watch;

/// The progress of one projection: its position, and why it stands still.
#[derive(Clone, Default)]
pub(crate) struct ProjectionProgress {
    position: Gauge<i64, AtomicI64>,
    applied: Counter<u64, AtomicU64>,
    failures: Counter<u64, AtomicU64>,
    unreadable: Counter<u64, AtomicU64>,
    error: Arc<RwLock<Option<String>>>,
    /// An error that does not go when an event is applied, such as one of the disk.
    standing_error: Arc<RwLock<Option<String>>>,
    /// 1 while this replica is the one that applies, as it always is for its own index.
    active: Gauge<i64, AtomicI64>,
    /// Tells tasks that wait for a position to look again.
    moved: watch::Sender<()>,
}

impl ProjectionProgress {
    pub(crate) fn register(&self, name: &str, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix(format!("catalog_query_{name}"));
        let help = "Everything up to this position of the log is applied";
        registry.register("position", help, self.position.clone());
        registry.register("events_applied", "Events applied", self.applied.clone());
        let help = "Times the projection had to start again from its checkpoint";
        registry.register("failures", help, self.failures.clone());
        let help = "1 while this replica is the one that applies";
        registry.register("active", help, self.active.clone());
        let help = "Positions passed over because they hold no event";
        registry.register("events_unreadable", help, self.unreadable.clone());
    }

    pub(crate) fn position(&self) -> Position {
        Position::from_i64(self.position.get())
    }

    /// Everything up to `position` is applied, so an error that was shown goes. Adds the numbers of
    /// events that were applied and that could not be read.
    pub(crate) fn reached(&self, position: Position, applied: usize, unreadable: usize) {
        self.position.set(position.to_i64());
        self.applied.inc_by(applied as u64);
        self.unreadable.inc_by(unreadable as u64);
        self.set_error(None);
        self.moved.send_replace(());
    }

    /// Changes whenever the projection has applied something.
    pub(crate) fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Shows the failure until something is applied again, and waits for as long as it asks for.
    pub(crate) async fn failed(&self, failure: Failure) {
        self.failures.inc();
        self.set_error(Some(failure.message.clone()));
        failure.wait().await;
    }

    pub(crate) fn error(&self) -> Option<String> {
        let read = |error: &RwLock<Option<String>>| error.read().ok().and_then(|e| e.clone());
        read(&self.error).or_else(|| read(&self.standing_error))
    }

    pub(crate) fn set_error(&self, error: Option<String>) {
        if let Ok(mut current) = self.error.write() {
            *current = error;
        }
    }

    pub(crate) fn set_standing_error(&self, error: Option<String>) {
        if let Ok(mut current) = self.standing_error.write() {
            *current = error;
        }
    }

    pub(crate) fn set_active(&self, active: bool) {
        self.active.set(active.into());
    }
}

/// How far the disk follows the keyword index, which is searchable before it is on disk.
#[derive(Clone, Default)]
pub(crate) struct IndexDisk {
    durable_position: Gauge<i64, AtomicI64>,
    memory_bytes: Gauge<i64, AtomicI64>,
    flush_failures: Gauge<i64, AtomicI64>,
}

impl IndexDisk {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("catalog_query_keyword_index");
        let help = "A restart finds everything up to this position of the log";
        registry.register("durable_position", help, self.durable_position.clone());
        let help = "Bytes of the index that the last flush left to memory alone";
        registry.register("memory_bytes", help, self.memory_bytes.clone());
        let help = "Times that the disk refused a flush since the index was opened";
        registry.register("flush_failures", help, self.flush_failures.clone());
    }

    pub(crate) fn set(&self, durable: Position, memory_bytes: usize, failures: u64) {
        self.durable_position.set(durable.to_i64());
        self.memory_bytes.set(memory_bytes as i64);
        self.flush_failures.set(failures as i64);
    }
}

/// The progress of the search rules, and how many this replica knows and follows.
#[derive(Clone, Default)]
pub(crate) struct RuleProgress {
    pub(crate) projection: ProjectionProgress,
    known: Gauge<i64, AtomicI64>,
    followed: Gauge<i64, AtomicI64>,
}

impl RuleProgress {
    fn register(&self, registry: &mut Registry) {
        self.projection.register("rules", registry);
        let registry = registry.sub_registry_with_prefix("catalog_query_rules");
        let help = "Search rules that exist, disabled ones and those out of date included";
        registry.register("known", help, self.known.clone());
        let help = "Search rules that are followed at the moment";
        registry.register("followed", help, self.followed.clone());
    }

    pub(crate) fn set(&self, known: usize, followed: usize) {
        self.known.set(known as i64);
        self.followed.set(followed as i64);
    }

    pub(crate) fn known(&self) -> i64 {
        self.known.get()
    }

    pub(crate) fn followed(&self) -> i64 {
        self.followed.get()
    }
}

/// The progress of all projections of a replica.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    pub(crate) read_model: ProjectionProgress,
    pub(crate) keyword_index: ProjectionProgress,
    pub(crate) index_disk: IndexDisk,
    pub(crate) embeddings: ProjectionProgress,
    pub(crate) rules: RuleProgress,
    /// Events of the live read model that could not be applied: an alarm while it is not 0.
    pub(crate) parked_events: Gauge<i64, AtomicI64>,
    /// 1 while the live documents are not what the event log says.
    pub(crate) documents_differ: Gauge<i64, AtomicI64>,
}

impl Progress {
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.read_model.register("read_model", registry);
        self.keyword_index.register("keyword_index", registry);
        self.index_disk.register(registry);
        self.embeddings.register("embeddings", registry);
        self.rules.register(registry);
        registry.register(
            "catalog_query_parked_events",
            "Events that could not be applied and wait for a later one of their product",
            self.parked_events.clone(),
        );
        registry.register(
            "catalog_query_documents_differ",
            "1 while the documents are not what the event log says, and are built anew",
            self.documents_differ.clone(),
        );
    }
}
