//! Keeps the documents at the head of the stream. One replica at a time does it, by a lease in the
//! checkpoint row; the compare-and-set of the position makes a second one harmless.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::{Position, STREAM};
use service_kit::{MessageOperation, MessageSteps, Retry};
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::events::{EventReader, EventSource, Received};
use crate::projectors::error::ProjectorError;
use crate::projectors::progress::Progress;
use crate::read_model::{
    Applied, CachedProductRepository, LiveReadModel, PostgresProductRepository, ReadModel,
};

/// The most events of one transaction. The source of the events bounds them in bytes as well.
const BATCH_EVENTS_MAX: usize = 1_000;
/// After fewer events than this the next ones gather for a moment: a transaction of fifty events
/// costs about the same as one of a single event.
const FEW_EVENTS: usize = 50;
const GATHER_MS: u64 = 5;
/// How long the documents may stand still after the replica that applied events was killed.
const LEASE_MS: i64 = 3_000;
const RENEW_EVERY_MS: u64 = 1_000;

pub(crate) struct ReadModelProjector {
    pub(crate) source: EventSource,
    pub(crate) live: LiveReadModel,
    pub(crate) me: Uuid,
    pub(crate) repository: Arc<CachedProductRepository<PostgresProductRepository>>,
    pub(crate) progress: Progress,
}

impl ReadModelProjector {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.project()).await;
        self.live.load_full().release_lease(self.me).await?;
        Ok(())
    }

    /// Never ends.
    async fn project(&self) {
        let progress = &self.progress.read_model;
        let mut retry = Retry::new("read model projection");
        loop {
            let ended = self.follow(&mut retry).await;
            progress.set_active(false);
            match ended {
                Ok(()) => tokio::time::sleep(Duration::from_millis(RENEW_EVERY_MS)).await,
                Err(err) => progress.failed(retry.failed(err)).await,
            }
        }
    }

    /// Applies events to the live generation. Returns without an error when another replica applies
    /// them, or when another generation is live.
    async fn follow(&self, retry: &mut Retry) -> Result<(), ProjectorError> {
        let read_model = self.live.load_full();
        let mut at = read_model.checkpoint().await?.position;
        self.progress.read_model.reached(at, 0, 0);
        self.count_parked(&read_model).await?;
        if !read_model.take_lease(self.me, LEASE_MS).await? {
            return Ok(());
        }
        self.progress.read_model.set_active(true);
        let mut reader = self.source.open(at).await?;
        let mut renew = tokio::time::interval(Duration::from_millis(RENEW_EVERY_MS));
        while let Some(batch) = self
            .next_batch(&read_model, &mut reader, &mut renew)
            .await?
        {
            let few = batch.len() < FEW_EVENTS;
            match self.apply(&read_model, at, batch).await? {
                Some(reached) => at = reached,
                None => break,
            }
            retry.succeeded();
            if few {
                tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
            }
        }
        if self.live.load().generation != read_model.generation {
            // A rollback to that generation need not wait until the lease ends by itself.
            read_model.release_lease(self.me).await?;
        }
        Ok(())
    }

    /// Waits for events and renews the lease meanwhile. None when the lease is lost, or when another
    /// generation is live.
    async fn next_batch(
        &self,
        read_model: &ReadModel,
        reader: &mut EventReader<'_>,
        renew: &mut Interval,
    ) -> Result<Option<Vec<Received>>, ProjectorError> {
        let mut next = pin!(reader.next_batch(BATCH_EVENTS_MAX));
        loop {
            if self.live.load().generation != read_model.generation {
                return Ok(None);
            }
            tokio::select! {
                batch = &mut next => return Ok(Some(batch?)),
                _ = renew.tick() => {
                    if !read_model.take_lease(self.me, LEASE_MS).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Applies a batch and returns the new position; None when another projector was faster.
    async fn apply(
        &self,
        read_model: &ReadModel,
        from: Position,
        batch: Vec<Received>,
    ) -> Result<Option<Position>, ProjectorError> {
        let to = batch.last().map_or(from, Received::position);
        let traceparents = batch.iter().map(Received::traceparent);
        let mut steps =
            MessageSteps::begin(MessageOperation::Process, "documents", STREAM, traceparents);
        let applied = read_model.apply(self.me, from, &batch).await;
        let applied = applied.inspect_err(|err| steps.fail(err));
        drop(steps);
        // After an error as well: a part may have been applied.
        let events = batch.iter().filter_map(Received::event);
        self.repository.invalidate(events).await;
        let Applied::Yes { parked } = applied? else {
            return Ok(None);
        };
        if !parked.is_empty() || self.progress.parked_events.get() > 0 {
            self.count_parked(read_model).await?;
        }
        let applied = batch.len() - parked.len();
        self.progress.read_model.reached(to, applied, parked.len());
        Ok(Some(to))
    }

    async fn count_parked(&self, read_model: &ReadModel) -> Result<(), ProjectorError> {
        let parked = read_model.parked_count().await?;
        self.progress.parked_events.set(parked);
        Ok(())
    }
}
