//! Keeps the documents at the head of the stream. One replica at a time does it, by a lease in the
//! checkpoint row; the compare-and-set of the position makes a second one harmless.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use catalog_events::Position;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::consumer::{ConsumerError, EventConsumer, Received};
use crate::progress::ProjectionProgress;
use crate::read_model::{
    Applied, CachedProductRepository, LiveReadModel, PostgresProductRepository, ReadModel,
};

const BATCH_EVENTS_MAX: usize = 1_000;
/// How long the documents may stand still after the replica that applied events was killed.
const LEASE_MS: i64 = 3_000;
const RENEW_EVERY_MS: u64 = 1_000;

pub(crate) struct ReadModelProjector {
    pub(crate) jetstream: jetstream::Context,
    pub(crate) live: LiveReadModel,
    pub(crate) me: Uuid,
    pub(crate) repository: Arc<CachedProductRepository<PostgresProductRepository>>,
    pub(crate) progress: ProjectionProgress,
}

#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    #[error("database")]
    Database(#[from] sqlx::Error),
}

impl ReadModelProjector {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pause = tokio::select! {
                ended = self.follow(&mut failures) => match ended {
                    Ok(()) => Duration::from_millis(RENEW_EVERY_MS),
                    Err(err) => {
                        failures += 1;
                        let err = format!("{:#}", anyhow::Error::new(err));
                        tracing::warn!(failures, "read model projection: {err}");
                        self.progress.failed(err);
                        service_kit::backoff(failures)
                    }
                },
                () = stop.cancelled() => break,
            };
            self.progress.set_active(false);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        self.live.load_full().release_lease(self.me).await?;
        Ok(())
    }

    /// Applies events to the live generation. Ends without an error when another replica does, or
    /// when another generation is live.
    async fn follow(&self, failures: &mut u32) -> Result<(), ProjectorError> {
        let read_model = self.live.load_full();
        let mut at = read_model.checkpoint().await?.position;
        self.progress.reached(at, 0, 0);
        if !read_model.take_lease(self.me, LEASE_MS).await? {
            return Ok(());
        }
        self.progress.set_active(true);
        let mut consumer = EventConsumer::open(&self.jetstream, at).await?;
        let mut renew = tokio::time::interval(Duration::from_millis(RENEW_EVERY_MS));
        loop {
            tokio::select! {
                _ = renew.tick() => {
                    if !read_model.take_lease(self.me, LEASE_MS).await? {
                        return Ok(());
                    }
                }
                batch = consumer.next_batch(BATCH_EVENTS_MAX) => {
                    match self.apply(&read_model, at, batch?).await? {
                        Some(reached) => at = reached,
                        None => return Ok(()),
                    }
                    *failures = 0;
                }
            }
            if self.live.load().generation != read_model.generation {
                return Ok(());
            }
        }
    }

    /// The new position; none when another projector was faster.
    async fn apply(
        &self,
        read_model: &ReadModel,
        from: Position,
        batch: Vec<Received>,
    ) -> Result<Option<Position>, ProjectorError> {
        let to = batch.last().map_or(from, Received::position);
        let events = || batch.iter().filter_map(Received::event);
        let applied = read_model.apply(self.me, (from, to), events()).await?;
        if applied == Applied::NotOurs {
            return Ok(None);
        }
        self.repository.invalidate(events()).await;
        let readable = events().count();
        self.progress.reached(to, readable, batch.len() - readable);
        Ok(Some(to))
    }
}
