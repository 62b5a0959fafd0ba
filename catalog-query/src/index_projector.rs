//! Keeps this replica's keyword index at the head of the stream. A lone event is committed at once;
//! under load events are gathered, because a commit costs as much as hundreds of documents.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use catalog_events::{Position, ProductEvent};
use tokio_util::sync::CancellationToken;

use crate::consumer::{ConsumerError, EventConsumer, Received};
use crate::index::IndexError;
use crate::live_index::LiveIndex;
use crate::progress::ProjectionProgress;
use crate::read_model::{CachedProductRepository, PostgresProductRepository};

const BATCH_EVENTS_MAX: usize = 5_000;
/// Commits under load come no closer than this.
const COMMIT_EVERY_MS: u64 = 200;

pub(crate) struct IndexProjector {
    pub(crate) jetstream: jetstream::Context,
    pub(crate) index: Arc<LiveIndex>,
    /// Another replica may apply the documents: this one's cache hears of a change here.
    pub(crate) repository: Arc<CachedProductRepository<PostgresProductRepository>>,
    pub(crate) progress: ProjectionProgress,
}

#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the index thread panicked")]
    Panicked,
}

impl IndexProjector {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        self.progress.set_active(true);
        let mut failures = 0;
        while !stop.is_cancelled() {
            let err = tokio::select! {
                ended = self.follow(&mut failures) => match ended {
                    Ok(()) => continue,
                    Err(err) => format!("{:#}", anyhow::Error::new(err)),
                },
                () = stop.cancelled() => break,
            };
            failures += 1;
            tracing::warn!(failures, "keyword index projection: {err}");
            self.progress.failed(err);
            tokio::select! {
                () = tokio::time::sleep(service_kit::backoff(failures)) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Applies events until the index is replaced by another.
    async fn follow(&self, failures: &mut u32) -> Result<(), ProjectorError> {
        let (epoch, at) = self.index.resume();
        self.progress.reached(at, 0, 0);
        let mut consumer = EventConsumer::open(&self.jetstream, at).await?;
        let mut committed_at: Option<Instant> = None;
        loop {
            let mut batch = tokio::select! {
                batch = consumer.next_batch(BATCH_EVENTS_MAX) => batch?,
                () = self.index.replaced(epoch) => return Ok(()),
            };
            if let Some(committed_at) = committed_at {
                let until = committed_at + Duration::from_millis(COMMIT_EVERY_MS);
                gather(&mut consumer, until, &mut batch).await?;
            }
            let Some(to) = batch.last().map(Received::position) else {
                continue;
            };
            if !self.commit(epoch, batch, to).await? {
                return Ok(());
            }
            committed_at = Some(Instant::now());
            *failures = 0;
        }
    }

    async fn commit(
        &self,
        epoch: u64,
        batch: Vec<Received>,
        to: Position,
    ) -> Result<bool, ProjectorError> {
        let received = batch.len();
        let events: Vec<ProductEvent> = batch
            .into_iter()
            .filter_map(|received| match received {
                Received::Event(event) => Some(*event),
                Received::Unreadable(_) => None,
            })
            .collect();
        let readable = events.len();
        self.repository.invalidate(&events).await;
        let index = self.index.clone();
        let applied = tokio::task::spawn_blocking(move || index.apply(epoch, &events, to))
            .await
            .map_err(|_| ProjectorError::Panicked)??;
        if applied {
            self.progress.reached(to, readable, received - readable);
        }
        Ok(applied)
    }
}

/// Adds what arrives until `until`, as far as the batch has room.
async fn gather(
    consumer: &mut EventConsumer,
    until: Instant,
    batch: &mut Vec<Received>,
) -> Result<(), ConsumerError> {
    while batch.len() < BATCH_EVENTS_MAX {
        let room = BATCH_EVENTS_MAX - batch.len();
        match tokio::time::timeout_at(until.into(), consumer.next_batch(room)).await {
            Ok(more) => batch.append(&mut more?),
            Err(_) => break,
        }
    }
    Ok(())
}
