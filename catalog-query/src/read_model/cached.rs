//! A cache in front of a repository, kept true by events. An answer that was loaded before an event
//! and stored after it would be stale for as long as it lives; so every event leaves the version
//! behind that answers must have, and whoever stores an answer looks at it afterwards.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::{ProductEvent, ProductId, Version};
use catalog_proto::v1;
use moka::future::Cache;
use prost::Message as _;

use crate::read_model::{ProductRepository, RepositoryError};

/// A message in memory is about this many times its encoded size.
const MEMORY_PER_ENCODED_BYTE: u32 = 4;
/// Bounds what a replica that does not apply documents itself may miss while these lag.
const ENTRY_SECONDS_MAX: u64 = 30;
/// Longer than any load of an answer can take.
const CHANGED_SECONDS: u64 = 60;
const CHANGED_ENTRIES_MAX: u64 = 100_000;

/// What is cached of a product: also that there is none.
type Answer = Option<Arc<v1::Product>>;

/// The newest known event of a product.
#[derive(Clone, Copy)]
struct Newest {
    version: Version,
    deleted: bool,
}

impl Newest {
    /// Whether an answer from the read model is from before this event.
    fn makes_stale(&self, answer: &Answer) -> bool {
        match answer {
            Some(product) => product.version < self.version.get(),
            None => !self.deleted,
        }
    }
}

pub(crate) struct CachedProductRepository<R> {
    inner: R,
    answers: Cache<ProductId, Answer>,
    changed: Cache<ProductId, Newest>,
}

impl<R: ProductRepository> CachedProductRepository<R> {
    pub(crate) fn new(inner: R, bytes_max: u64) -> Self {
        let weigh = |id: &ProductId, answer: &Answer| {
            let bytes = answer
                .as_ref()
                .map_or(0, |product| product.encoded_len() as u32);
            256 + id.as_str().len() as u32 + bytes.saturating_mul(MEMORY_PER_ENCODED_BYTE)
        };
        Self {
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
        }
    }

    /// To be called once the read model has applied `events`; calling it before or twice is harmless.
    pub(crate) async fn invalidate<'a>(&self, events: impl IntoIterator<Item = &'a ProductEvent>) {
        for event in events {
            let newest = Newest {
                version: event.version,
                deleted: event.is_deletion(),
            };
            // First this, then that: see `store`.
            self.changed.insert(event.product_id.clone(), newest).await;
            self.answers.invalidate(&event.product_id).await;
        }
    }

    /// Either this sees the event, or the event's invalidation comes after this insertion.
    async fn store(&self, id: &ProductId, answer: Answer) {
        self.answers.insert(id.clone(), answer.clone()).await;
        if let Some(newest) = self.changed.get(id).await
            && newest.makes_stale(&answer)
        {
            self.answers.invalidate(id).await;
        }
    }
}

impl<R: ProductRepository> ProductRepository for CachedProductRepository<R> {
    async fn get(&self, id: &ProductId) -> Result<Answer, RepositoryError> {
        if let Some(answer) = self.answers.get(id).await {
            return Ok(answer);
        }
        let answer = self.inner.get(id).await?;
        self.store(id, answer.clone()).await;
        Ok(answer)
    }

    async fn get_many(
        &self,
        ids: &[ProductId],
    ) -> Result<HashMap<ProductId, Arc<v1::Product>>, RepositoryError> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.answers.get(id).await {
                Some(Some(product)) => {
                    found.insert(id.clone(), product);
                }
                Some(None) => {}
                None => missing.push(id.clone()),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let loaded = self.inner.get_many(&missing).await?;
        for id in missing {
            let answer = loaded.get(&id).cloned();
            self.store(&id, answer.clone()).await;
            if let Some(product) = answer {
                found.insert(id, product);
            }
        }
        Ok(found)
    }
}
