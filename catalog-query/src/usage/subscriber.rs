//! Counts views, searches and clicks from their events. The replicas share one queue group, so that
//! each message is counted once.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::Message;
use catalog_events::{
    CLICK_SUBJECT, ClickBatch, READ_SUBJECT, ReadBatch, SEARCH_SUBJECT, SearchBatch,
};
use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::usage::half_life::HalfLife;
use crate::usage::store::{add_searches, count_views};
use crate::usage::tally::SearchTally;

/// The name that releases before this one count views under: while both run, each read is counted once.
const QUEUE_GROUP: &str = "catalog-query-popularity";
const SAVE_EVERY_MS: u64 = 1_000;
/// The most products whose counts are kept while the database is away; beyond that, views are lost,
/// as the contract allows.
const PRODUCTS_PENDING_MAX: usize = 100_000;

/// Counts what the broker hands to this replica.
pub(crate) struct UsageSubscriber {
    pub(crate) client: async_nats::Client,
    pub(crate) registry: PgPool,
    pub(crate) half_life: HalfLife,
}

/// By product: how many views are not saved yet, and when the last one was. Sorted, so that replicas
/// lock rows in one order.
type Views = BTreeMap<String, (i64, OffsetDateTime)>;

/// What is not saved yet.
#[derive(Default)]
struct Pending {
    views: Views,
    searches: SearchTally,
}

impl UsageSubscriber {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut subscriptions = Vec::new();
        for subject in [READ_SUBJECT, SEARCH_SUBJECT, CLICK_SUBJECT] {
            let group = QUEUE_GROUP.to_owned();
            subscriptions.push(self.client.queue_subscribe(subject, group).await?);
        }
        let mut messages = select_all(subscriptions);
        let mut save = tokio::time::interval(Duration::from_millis(SAVE_EVERY_MS));
        let mut pending = Pending::default();
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => pending.count(&message),
                    None => anyhow::bail!("the subscriptions to usage events ended"),
                },
                _ = save.tick() => self.save(&mut pending).await,
                () = stop.cancelled() => break,
            }
        }
        self.save(&mut pending).await;
        Ok(())
    }

    async fn save(&self, pending: &mut Pending) {
        self.save_views(&mut pending.views).await;
        if pending.searches.is_empty() {
            return;
        }
        let today = OffsetDateTime::now_utc().date();
        match add_searches(&self.registry, today, &pending.searches).await {
            Ok(()) => pending.searches = SearchTally::default(),
            // The tally is bounded: it waits for the database.
            Err(err) => tracing::warn!("cannot save search statistics: {err}"),
        }
    }

    async fn save_views(&self, views: &mut Views) {
        if views.is_empty() {
            return;
        }
        let rows: Vec<_> = views
            .iter()
            .map(|(id, (n, at))| (id.clone(), *n, *at))
            .collect();
        match count_views(&self.registry, self.half_life, &rows).await {
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

impl Pending {
    fn count(&mut self, message: &Message) {
        match message.subject.as_str() {
            READ_SUBJECT => {
                let reads = read::<ReadBatch>(message).map(|batch| batch.reads);
                for read in reads.unwrap_or_default() {
                    let id = read.product_id.into();
                    let entry = self.views.entry(id).or_insert((0, read.at));
                    entry.0 += 1;
                    entry.1 = entry.1.max(read.at);
                }
            }
            SEARCH_SUBJECT => {
                let searches = read::<SearchBatch>(message).map(|batch| batch.searches);
                for search in searches.unwrap_or_default() {
                    self.searches.search(&search);
                }
            }
            _ => {
                let clicks = read::<ClickBatch>(message).map(|batch| batch.clicks);
                for click in clicks.unwrap_or_default() {
                    self.searches.click(&click);
                }
            }
        }
    }
}

fn read<B: DeserializeOwned>(message: &Message) -> Option<B> {
    match serde_json::from_slice(&message.payload) {
        Ok(batch) => Some(batch),
        Err(err) => {
            tracing::warn!("unreadable event on {}: {err}", message.subject);
            None
        }
    }
}
