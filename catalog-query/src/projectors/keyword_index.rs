//! Keeps this replica's keyword index at the head of the stream. A lone event is committed at once;
//! while a commit lasts events gather, so that under load batches grow by themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use catalog_events::{Position, ProductEvent, STREAM};
use service_kit::{MessageOperation, MessageSteps, Retry};
use tokio_util::sync::CancellationToken;

use crate::events::{ConsumerError, EventConsumer, Received};
use crate::index::LiveIndex;
use crate::projectors::copy::{Outlook, Start, copy_documents};
use crate::projectors::error::ProjectorError;
use crate::projectors::progress::{IndexDisk, ProjectionProgress};
use crate::read_model::{
    CachedProductRepository, LiveReadModel, PostgresProductRepository, ReadModel,
};

const BATCH_EVENTS_MAX: usize = 5_000;
/// The longest pause after a commit. A pause is as long as the commit was, so that commits take half
/// of a core at most.
const PAUSE_MAX: Duration = Duration::from_millis(20);
/// How often an index that is ahead of everything else is looked at before it is given up: a stream
/// that lost its tail is refilled within seconds.
const AHEAD_LOOKS: u32 = 10;
const AHEAD_LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) struct KeywordIndexProjector {
    pub(crate) jetstream: jetstream::Context,
    /// The documents, of which an index is made when the stream does not have all events for it.
    pub(crate) live: LiveReadModel,
    pub(crate) index: Arc<LiveIndex>,
    /// The cache of this replica. It hears of changes here, as another replica may apply the documents.
    pub(crate) repository: Arc<CachedProductRepository<PostgresProductRepository>>,
    pub(crate) progress: ProjectionProgress,
    pub(crate) disk: IndexDisk,
}

impl KeywordIndexProjector {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        self.progress.set_active(true);
        tokio::select! {
            () = self.project() => {}
            () = self.watch_disk() => {}
            () = stop.cancelled() => {}
        }
        let index = self.index.clone();
        // What the disk refuses is replayed after the restart.
        if let Err(err) = tokio::task::spawn_blocking(move || index.flush()).await? {
            tracing::warn!("the last changes of the keyword index: {err:#}");
        }
        Ok(())
    }

    /// Never ends.
    async fn project(&self) {
        let mut retry = Retry::new("keyword index projection");
        loop {
            if let Err(err) = self.follow(&mut retry).await {
                self.progress.failed(retry.failed(err)).await;
            }
        }
    }

    /// Applies events until the index is replaced by another.
    async fn follow(&self, retry: &mut Retry) -> Result<(), ProjectorError> {
        let (epoch, at) = self.index.resume();
        self.progress.reached(at, 0, 0);
        if self.begin_anew(epoch, at).await? {
            return Ok(());
        }
        let mut consumer = EventConsumer::open(&self.jetstream, at).await?;
        loop {
            let mut batch = tokio::select! {
                batch = consumer.next_batch(BATCH_EVENTS_MAX) => batch?,
                () = self.index.replaced(epoch) => return Ok(()),
            };
            while let Some(to) = batch.last().map(Received::position) {
                let started = Instant::now();
                if !self.commit(epoch, batch, to).await? {
                    return Ok(());
                }
                retry.succeeded();
                let until = Instant::now() + started.elapsed().min(PAUSE_MAX);
                batch = Vec::new();
                gather(&mut consumer, until, &mut batch).await?;
            }
        }
    }

    /// Makes the index of the documents when it cannot go on from `at`, or would have to replay
    /// everything. True when it did.
    async fn begin_anew(&self, epoch: u64, at: Position) -> Result<bool, ProjectorError> {
        let read_model = self.live.load_full();
        if self.can_go_on(&read_model, at).await? {
            return Ok(false);
        }
        let started = Instant::now();
        let copied = copy_documents(&read_model, &self.index, epoch).await?;
        let seconds = started.elapsed().as_secs_f64();
        match copied {
            Some(position) => {
                tracing::info!(%position, seconds, "the keyword index was made of the documents");
            }
            None => tracing::info!(
                seconds,
                "another keyword index answers: the copy is given up"
            ),
        }
        Ok(true)
    }

    /// Whether the index goes on from `at`. False when it has to be made of the documents.
    async fn can_go_on(
        &self,
        read_model: &ReadModel,
        at: Position,
    ) -> Result<bool, ProjectorError> {
        let mut looks = 0;
        loop {
            let outlook = Outlook::take(&self.jetstream, read_model, at).await?;
            match outlook.start() {
                Start::Here => return Ok(true),
                Start::Ahead if looks < AHEAD_LOOKS => {
                    looks += 1;
                    tokio::time::sleep(AHEAD_LOOK_EVERY).await;
                }
                Start::Empty => {
                    tracing::info!("a keyword index is made of the documents");
                    return Ok(false);
                }
                start @ (Start::Behind | Start::Ahead) => {
                    tracing::warn!(?start, ?outlook, "the keyword index is made anew");
                    return Ok(false);
                }
            }
        }
    }

    /// Applies a batch that ends at `to`. False when another index has replaced that of `epoch`.
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
        let traceparents = events.iter().map(|event| event.traceparent.as_deref());
        let mut steps = MessageSteps::begin(
            MessageOperation::Process,
            "keyword index",
            STREAM,
            traceparents,
        );
        self.repository.invalidate(&events).await;
        let index = self.index.clone();
        let applied = tokio::task::spawn_blocking(move || index.apply(epoch, &events, to))
            .await
            .map_err(|_| ProjectorError::Panicked)?;
        let applied = applied.inspect_err(|err| steps.fail(err))?;
        // When its step ends, a write can be found.
        drop(steps);
        if applied {
            self.progress.reached(to, readable, received - readable);
        }
        Ok(applied)
    }

    /// Shows how far the disk follows the index. Never ends.
    async fn watch_disk(&self) {
        loop {
            let (epoch, mut state) = self.index.disk_state();
            loop {
                let now = state.borrow_and_update().clone();
                self.disk.set(now.durable, now.held, now.failures);
                let error = now
                    .error
                    .map(|err| format!("the disk of the keyword index: {err}"));
                self.progress.set_standing_error(error);
                tokio::select! {
                    changed = state.changed() => if changed.is_err() { break },
                    () = self.index.replaced(epoch) => break,
                }
            }
        }
    }
}

/// Adds the events that arrive until `until`, as far as the batch has room.
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
