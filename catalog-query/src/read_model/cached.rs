//! A cache in front of a repository, kept true by events. An answer that was loaded before an event
//! and stored after it would be stale for as long as it lives. So every event leaves the version
//! behind that answers must have, and after an answer is stored it is compared with that.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use catalog_events::{ProductEvent, ProductId, Version};
use moka::future::Cache;
use prost::Message as _;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::read_model::documents::Held;
use crate::read_model::repository::{AtLeast, ProductRepository, RepositoryError};

/// How long an answer lives: it bounds how stale a replica may be that does not apply documents
/// itself and misses a change while these lag.
const ENTRY_SECONDS_MAX: u64 = 30;
/// How long the version of a change is remembered: longer than any load of an answer can take.
const CHANGED_SECONDS: u64 = 60;
const CHANGED_ENTRIES_MAX: u64 = 100_000;
/// How often expired entries are removed: more often than the cache does so by itself, which delays
/// the call of some reader.
const TIDY_EVERY_MS: u64 = 100;

pub(crate) struct CachedProductRepository<R> {
    inner: R,
    /// What is known of each product, also that there is none.
    answers: Cache<ProductId, Held>,
    /// The newest known version of each product that has changed lately.
    changed: Cache<ProductId, Version>,
    /// Counts the changes that may lead to an older version: repairs, and switches of the generation.
    repairs: AtomicU64,
    /// The generation that the answers come from.
    generation: AtomicI64,
}

impl<R: ProductRepository> CachedProductRepository<R> {
    pub(crate) fn new(inner: R, bytes_max: u64) -> Self {
        let weigh = |id: &ProductId, held: &Held| {
            let product = held.product.as_ref();
            let bytes = product.map_or(0, |product| product.encoded_len() as u32);
            (256 + id.as_str().len() as u32).saturating_add(bytes)
        };
        Self {
            generation: AtomicI64::new(inner.generation()),
            inner,
            answers: Cache::builder()
                .weigher(weigh)
                .max_capacity(bytes_max)
                .time_to_live(Duration::from_secs(ENTRY_SECONDS_MAX))
                .build(),
            changed: Cache::builder()
                .max_capacity(CHANGED_ENTRIES_MAX)
                .time_to_live(Duration::from_secs(CHANGED_SECONDS))
                .build(),
            repairs: AtomicU64::new(0),
        }
    }

    /// Removes expired entries, so that no reader has to: when the products of a whole import expire
    /// at once, that takes longer than a reader waits.
    pub(crate) async fn keep_tidy(self: Arc<Self>, stop: CancellationToken) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(Duration::from_millis(TIDY_EVERY_MS));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return Ok(()),
            }
            self.answers.run_pending_tasks().await;
            self.changed.run_pending_tasks().await;
        }
    }

    /// Removes the answers that `events` have changed. Must be called once the read model has applied
    /// them; another call before or after that is harmless.
    pub(crate) async fn invalidate<'a>(&self, events: impl IntoIterator<Item = &'a ProductEvent>) {
        for event in events {
            // The order matters: see `store`.
            self.changed
                .insert(event.product_id.clone(), event.version)
                .await;
            self.answers.invalidate(&event.product_id).await;
        }
    }

    /// Removes the answers for products that a repair has set to what the log says, be it older. Must
    /// be called once it has.
    pub(crate) async fn forget(&self, ids: &[ProductId]) {
        // The order matters: see `store`.
        self.repairs.fetch_add(1, Ordering::SeqCst);
        for id in ids {
            self.changed.invalidate(id).await;
            self.answers.invalidate(id).await;
        }
    }

    /// Removes all answers when another generation is live: it may hold older versions, as after a
    /// rollback.
    fn follow_generation(&self) {
        let live = self.inner.generation();
        if self.generation.load(Ordering::SeqCst) == live {
            return;
        }
        if self.generation.swap(live, Ordering::SeqCst) != live {
            // The order matters: see `store`.
            self.repairs.fetch_add(1, Ordering::SeqCst);
            self.answers.invalidate_all();
        }
    }

    /// Stores an answer, unless an event or a repair came while it was loaded. Either that is seen
    /// here, or its invalidation comes after this insertion. When two loads overlap, the newer answer
    /// stays.
    async fn store(&self, id: &ProductId, held: Held, repairs_before: u64) {
        let newest_known = held.version;
        let entry = self.answers.entry_by_ref(id);
        entry
            .and_upsert_with(|present| {
                let newer = present
                    .map(moka::Entry::into_value)
                    .filter(|present| present.version > held.version);
                std::future::ready(newer.unwrap_or(held))
            })
            .await;
        let changed = self.changed.get(id).await;
        self.follow_generation();
        if changed > newest_known || self.repairs.load(Ordering::SeqCst) != repairs_before {
            self.answers.invalidate(id).await;
        }
    }

    async fn cached(&self, id: &ProductId, at_least: Option<Version>) -> Option<Held> {
        self.follow_generation();
        let held = self.answers.get(id).await;
        held.filter(|held| held.version >= at_least)
    }
}

impl<R: ProductRepository> ProductRepository for CachedProductRepository<R> {
    fn generation(&self) -> i64 {
        self.inner.generation()
    }

    async fn get(
        &self,
        id: &ProductId,
        at_least: Option<Version>,
    ) -> Result<Held, RepositoryError> {
        if let Some(held) = self.cached(id, at_least).await {
            return Ok(held);
        }
        let repairs = self.repairs.load(Ordering::SeqCst);
        let held = self.inner.get(id, at_least).await?;
        self.store(id, held.clone(), repairs).await;
        Ok(held)
    }

    async fn get_many(
        &self,
        ids: &[ProductId],
        at_least: &AtLeast,
    ) -> Result<HashMap<ProductId, Held>, RepositoryError> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.cached(id, at_least.get(id).copied()).await {
                Some(held) => {
                    found.insert(id.clone(), held);
                }
                None => missing.push(id.clone()),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let repairs = self.repairs.load(Ordering::SeqCst);
        let mut loaded = self.inner.get_many(&missing, at_least).await?;
        for id in missing {
            let held = loaded.remove(&id).unwrap_or_default();
            self.store(&id, held.clone(), repairs).await;
            found.insert(id, held);
        }
        Ok(found)
    }

    async fn at_hand(&self, id: &ProductId) -> Option<Held> {
        self.follow_generation();
        self.answers.get(id).await
    }
}
