//! Counts views per product from product-read events. The replicas share one queue group, so that
//! each read is counted once.

use std::collections::HashMap;
use std::time::Duration;

use catalog_events::{READ_SUBJECT, ReadBatch};
use futures_util::StreamExt as _;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::read_model::count_views;

const QUEUE_GROUP: &str = "catalog-query-popularity";
const SAVE_EVERY_MS: u64 = 1_000;
/// The most products whose counts are kept while the database is away; beyond that, views are lost,
/// as the contract allows.
const PRODUCTS_PENDING_MAX: usize = 100_000;

/// Counts the reads of all replicas that the broker hands to this one.
pub(crate) struct PopularityCounter {
    pub(crate) client: async_nats::Client,
    pub(crate) registry: PgPool,
}

/// By product: how many views are not saved yet, and when the last one was.
type Views = HashMap<String, (i64, OffsetDateTime)>;

impl PopularityCounter {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let group = QUEUE_GROUP.to_owned();
        let mut batches = self.client.queue_subscribe(READ_SUBJECT, group).await?;
        let mut save = tokio::time::interval(Duration::from_millis(SAVE_EVERY_MS));
        let mut views = Views::new();
        loop {
            tokio::select! {
                message = batches.next() => match message {
                    Some(message) => count(&message.payload, &mut views),
                    None => anyhow::bail!("the subscription to {READ_SUBJECT} ended"),
                },
                _ = save.tick() => self.save(&mut views).await,
                () = stop.cancelled() => break,
            }
        }
        self.save(&mut views).await;
        Ok(())
    }

    async fn save(&self, views: &mut Views) {
        if views.is_empty() {
            return;
        }
        let rows: Vec<_> = views
            .iter()
            .map(|(id, (n, at))| (id.clone(), *n, *at))
            .collect();
        match count_views(&self.registry, &rows).await {
            Ok(()) => views.clear(),
            Err(err) => {
                tracing::warn!("cannot save view counts: {err}");
                if views.len() > PRODUCTS_PENDING_MAX {
                    views.clear();
                }
            }
        }
    }
}

fn count(payload: &[u8], views: &mut Views) {
    let batch: ReadBatch = match serde_json::from_slice(payload) {
        Ok(batch) => batch,
        Err(err) => {
            tracing::warn!("unreadable product-read event: {err}");
            return;
        }
    };
    for read in batch.reads {
        let entry = views.entry(read.product_id.into()).or_insert((0, read.at));
        entry.0 += 1;
        entry.1 = entry.1.max(read.at);
    }
}
