//! The vectors in the memory of this replica: the follower writes, searches read.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use catalog_events::ProductId;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::index::Hit;
use crate::read_model::checkpoint::Checkpoint;
use crate::read_model::vectors::table::VectorTable;

/// Stands for no generation: their numbers begin at 1.
const NONE: i64 = 0;
/// How long the follower is waited for; it fails where Postgres cannot be asked.
const FOLLOW_UP_MAX: Duration = Duration::from_secs(10);

/// The vectors of the live generation, while all of them are here: not right after a start or a switch,
/// and never those of a catalog that is too large for it.
pub(crate) struct VectorMemory {
    table: RwLock<VectorTable>,
    /// The generation whose vectors are all here.
    generation: AtomicI64,
    /// The position of the documents whose vectors are here.
    position: AtomicI64,
    /// How many of them are of the present text.
    current: AtomicU64,
    shown: Gauge,
    /// Products that are to be read again.
    asked: Mutex<Vec<ProductId>>,
    /// How many times the follower has gone through its work.
    passes: watch::Sender<u64>,
}

impl Default for VectorMemory {
    fn default() -> Self {
        Self {
            table: RwLock::new(VectorTable::new()),
            generation: AtomicI64::new(NONE),
            position: AtomicI64::default(),
            current: AtomicU64::default(),
            shown: Gauge::default(),
            asked: Mutex::default(),
            passes: watch::Sender::default(),
        }
    }
}

impl VectorMemory {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let help =
            "Vectors of the present text that searches find in memory; 0 while they ask Postgres";
        registry.register("catalog_query_vectors_in_memory", help, self.shown.clone());
    }

    /// Whether all vectors of a generation are here.
    pub(crate) fn has_all_of(&self, generation: i64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// How many products have a vector of their present text; None where not all vectors are here.
    pub(crate) fn current(&self) -> Option<u64> {
        let complete = !self.has_all_of(NONE);
        complete.then(|| self.current.load(Ordering::Relaxed))
    }

    /// How many vectors of documents at this checkpoint searches do not find yet; none where they ask
    /// Postgres.
    pub(crate) fn missing(&self, generation: i64, checkpoint: &Checkpoint) -> i64 {
        if !self.has_all_of(generation) {
            return 0;
        }
        let current = self.current.load(Ordering::Relaxed);
        let missing = checkpoint.documents - i64::try_from(current).unwrap_or(i64::MAX);
        let is_behind = self.position.load(Ordering::Relaxed) < checkpoint.position.to_i64();
        missing.max(i64::from(is_behind))
    }

    /// The `limit` products nearest to `vector`, nearest first. None where not all vectors are here any
    /// more. It keeps a core busy, as the next two do.
    pub(crate) fn nearest(&self, vector: &[f32], limit: usize) -> Option<Vec<Hit>> {
        self.complete(|table| table.nearest(vector, limit))
    }

    pub(crate) fn nearest_of(
        &self,
        vector: &[f32],
        ids: &[ProductId],
        limit: usize,
    ) -> Option<Vec<Hit>> {
        self.complete(|table| table.nearest_of(vector, ids, limit))
    }

    /// The nearest products that `pass` lets through.
    pub(crate) fn nearest_passing<E>(
        &self,
        vector: &[f32],
        limit: usize,
        pass: impl FnMut(Vec<Hit>) -> Result<Vec<Hit>, E>,
    ) -> Result<Option<Vec<Hit>>, E> {
        self.complete(|table| table.nearest_passing(vector, limit, pass))
            .transpose()
    }

    /// The vector of a product, if it has one; None in place of that where not all vectors are here.
    pub(super) fn vector_of(&self, id: &ProductId) -> Option<Option<Vec<f32>>> {
        self.complete(|table| table.vector_of(id))
    }

    /// Those of these products that have no vector of their present text.
    pub(super) fn without_vector(&self, ids: &[ProductId]) -> Option<HashSet<ProductId>> {
        self.complete(|table| {
            let without = ids.iter().filter(|id| !table.has_current(id));
            without.cloned().collect()
        })
    }

    /// Reads these products again, and waits for that.
    pub(crate) async fn read_again(&self, ids: &[ProductId]) {
        lock(&self.asked).extend_from_slice(ids);
        self.follow_up().await;
    }

    /// Waits a while for all that the database holds now. Of two passes the first may have begun before.
    pub(crate) async fn follow_up(&self) {
        let mut passes = self.passes.subscribe();
        let target = *passes.borrow_and_update() + 2;
        let followed = passes.wait_for(|passes| *passes >= target);
        if self.current().is_some() {
            // Whoever waited in vain finds what is not as it should be.
            let _ = tokio::time::timeout(FOLLOW_UP_MAX, followed).await;
        }
    }

    /// Looks at the vectors as they are, complete or not.
    pub(super) fn look<T>(&self, look: impl FnOnce(&VectorTable) -> T) -> T {
        look(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn complete<T>(&self, with: impl FnOnce(&VectorTable) -> T) -> Option<T> {
        self.look(|table| self.current().map(|_| with(table)))
    }
}

/// What the follower does.
impl VectorMemory {
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut VectorTable) -> T) -> T {
        change(&mut self.table.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives all vectors up: searches ask Postgres.
    pub(super) fn give_up(&self) {
        self.change(|table| {
            self.generation.store(NONE, Ordering::Release);
            self.shown.set(0);
            *table = VectorTable::new();
        });
    }

    /// All vectors that the documents of `generation` have at `position` are here: searches may use them.
    pub(super) fn completed(&self, generation: i64, position: i64) {
        let current = self.look(VectorTable::current);
        self.position.store(position, Ordering::Relaxed);
        self.current.store(current, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Release);
        self.shown.set(i64::try_from(current).unwrap_or(i64::MAX));
    }

    pub(super) fn take_asked(&self) -> Vec<ProductId> {
        std::mem::take(&mut *lock(&self.asked))
    }

    pub(super) fn passed(&self) {
        self.passes.send_modify(|passes| *passes += 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
