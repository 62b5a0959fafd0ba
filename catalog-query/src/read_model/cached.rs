//! A cache in front of a repository, kept true by events. An answer that was loaded before an event
//! and stored after it would be stale for as long as it lives; so every event leaves the version
//! behind that answers must have, and whoever stores an answer looks at it afterwards.

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

/// A message in memory is about this many times its encoded size.
const MEMORY_PER_ENCODED_BYTE: u32 = 4;
/// Bounds what a replica that does not apply documents itself may miss while these lag.
const ENTRY_SECONDS_MAX: u64 = 30;
/// Longer than any load of an answer can take.
const CHANGED_SECONDS: u64 = 60;
const CHANGED_ENTRIES_MAX: u64 = 100_000;
/// More often than a cache looks by itself, which it does in whatever call comes then.
const TIDY_EVERY_MS: u64 = 100;

pub(crate) struct CachedProductRepository<R> {
    inner: R,
    /// Also that there is no such product.
    answers: Cache<ProductId, Held>,
    /// The newest known version of a product.
    changed: Cache<ProductId, Version>,
    /// Counts the changes that may lead to an older version: repairs, and switches of the generation.
    repairs: AtomicU64,
    /// Whose answers these are.
    generation: AtomicI64,
}

impl<R: ProductRepository> CachedProductRepository<R> {
    pub(crate) fn new(inner: R, bytes_max: u64) -> Self {
        let weigh = |id: &ProductId, held: &Held| {
            let product = held.product.as_ref();
            let bytes = product.map_or(0, |product| product.encoded_len() as u32);
            256 + id.as_str().len() as u32 + bytes.saturating_mul(MEMORY_PER_ENCODED_BYTE)
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

    /// Removes what has expired, so that no reader has to: of the products of a whole import that
    /// expire at once, it would take longer than a reader waits.
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

    /// To be called once the read model has applied `events`; calling it before or twice is harmless.
    pub(crate) async fn invalidate<'a>(&self, events: impl IntoIterator<Item = &'a ProductEvent>) {
        for event in events {
            // First this, then that: see `store`.
            self.changed
                .insert(event.product_id.clone(), event.version)
                .await;
            self.answers.invalidate(&event.product_id).await;
        }
    }

    /// To be called once a repair has set products to whatever version the log says.
    pub(crate) async fn forget(&self, ids: &[ProductId]) {
        // First this, then that: see `store`.
        self.repairs.fetch_add(1, Ordering::SeqCst);
        for id in ids {
            self.changed.invalidate(id).await;
            self.answers.invalidate(id).await;
        }
    }

    /// Another generation, after a rollback for one, may hold older versions.
    fn follow_generation(&self) {
        let live = self.inner.generation();
        if self.generation.load(Ordering::SeqCst) == live {
            return;
        }
        if self.generation.swap(live, Ordering::SeqCst) != live {
            // First this, then that: see `store`.
            self.repairs.fetch_add(1, Ordering::SeqCst);
            self.answers.invalidate_all();
        }
    }

    /// Either this sees the event or the repair, or their invalidation comes after this insertion.
    /// Of two answers that were loaded at a time, the newer one stays.
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
