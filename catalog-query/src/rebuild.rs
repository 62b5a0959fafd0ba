//! Rebuilds the read model and the keyword index from the event stream, beside the live ones and
//! while these answer. Both must have the digest of the live documents at one position before
//! anything is switched; a difference drops the new generation and says so.

use std::sync::Arc;

use catalog_events::{Digest, Position, ProductEvent};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::consumer::{ConsumerError, Received};
use crate::embedding::Embedder;
use crate::embedding_projector::{EmbeddingError, embed_some};
use crate::event_source::EventSource;
use crate::index::{IndexError, IndexWriter, KeywordIndex};
use crate::live_index::LiveIndex;
use crate::log_client::LogClient;
use crate::read_model::{Applied, Generations, LiveReadModel, ReadModel};

const BATCH_EVENTS_MAX: usize = 1_000;
/// Longer than any step between two renewals.
const LEASE_MS: i64 = 600_000;
const LEASE_MS_AT_SWITCH: i64 = 3_000;
const REPLAY_FAILURES_MAX: u32 = 8;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildError {
    #[error("a rebuild is under way")]
    Busy,
    /// Nothing was switched.
    #[error(
        "at position {position} the live read model has digest {live} ({documents} documents), the \
         new one {new}, the new keyword index {index}: not switched"
    )]
    Differs {
        position: Position,
        documents: i64,
        live: Digest,
        new: Digest,
        index: Digest,
    },
    #[error("somebody else applies events to the new generation")]
    Contended,
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// What is told while it goes on.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Replay { done: u64, total: u64 },
    Embed { done: i64, total: i64 },
    Compare,
    Switched { digest: Digest },
}

pub(crate) type Progress = mpsc::Sender<(i64, Step)>;

pub(crate) struct Rebuilder {
    pub(crate) generations: Generations,
    pub(crate) live: LiveReadModel,
    pub(crate) index: Arc<LiveIndex>,
    pub(crate) source: EventSource,
    /// None when the write service's address is not set.
    pub(crate) log: Option<LogClient>,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    pub(crate) me: Uuid,
}

/// A generation that is being filled.
struct Building {
    read_model: ReadModel,
    index: Arc<KeywordIndex>,
    writer: Option<IndexWriter>,
    at: Position,
}

impl Rebuilder {
    pub(crate) async fn run(&self, progress: &Progress) -> Result<(), RebuildError> {
        let lock = self.generations.rebuild_lock().await?;
        let _lock = lock.ok_or(RebuildError::Busy)?;
        if self.generations.live_id().await?.is_none() {
            // The first one of this release is still being built.
            return Err(RebuildError::Busy);
        }
        self.generations.drop_outdated().await?;
        let read_model = self.generations.create(&self.model()).await?;
        let generation = read_model.generation;
        tracing::info!(generation, "rebuild begins");
        let result = self.build_and_switch(read_model, progress).await;
        if result.is_err() {
            self.index.discard(generation);
            self.generations.drop(generation).await?;
        }
        result
    }

    /// Of the new vectors: ours, or the one that the present ones are of.
    fn model(&self) -> String {
        match &self.embedder {
            Some(embedder) => embedder.model().to_owned(),
            None => self.live.load().model.clone(),
        }
    }

    async fn build_and_switch(
        &self,
        read_model: ReadModel,
        progress: &Progress,
    ) -> Result<(), RebuildError> {
        let generation = read_model.generation;
        let (index, writer) = self.index.create(generation)?;
        let mut building = Building {
            read_model,
            index: Arc::new(index),
            writer: Some(writer),
            at: Position::START,
        };
        building.read_model.take_lease(self.me, LEASE_MS).await?;
        self.catch_up(&mut building, progress).await?;
        self.embed(&building, progress).await?;
        // Events went on meanwhile; what is compared is what is switched to.
        self.catch_up(&mut building, progress).await?;
        let _ = progress.send((generation, Step::Compare)).await;
        let digest = self.compare(&mut building).await?;
        self.switch(building).await?;
        let _ = progress.send((generation, Step::Switched { digest })).await;
        tracing::info!(generation, %digest, "rebuild switched");
        Ok(())
    }

    /// Replays up to where the live documents are, never beyond: only there can both be compared.
    async fn catch_up(
        &self,
        building: &mut Building,
        progress: &Progress,
    ) -> Result<(), RebuildError> {
        loop {
            let target = self.live.load().checkpoint().await?.position;
            if building.at >= target {
                return Ok(());
            }
            self.replay_to(building, target, Some(progress)).await?;
        }
    }

    /// Reads with a consumer of its own: one that nobody reads from for a while is ended by the
    /// server.
    async fn replay_to(
        &self,
        building: &mut Building,
        target: Position,
        progress: Option<&Progress>,
    ) -> Result<(), RebuildError> {
        let mut failures = 0;
        loop {
            match self.replay_some(building, target, progress).await {
                Err(RebuildError::Consumer(err)) if failures < REPLAY_FAILURES_MAX => {
                    failures += 1;
                    tracing::warn!(failures, "replay starts again at {}: {err}", building.at);
                    tokio::time::sleep(service_kit::backoff(failures)).await;
                }
                done => return done,
            }
        }
    }

    /// Until `target`, or an error.
    async fn replay_some(
        &self,
        building: &mut Building,
        target: Position,
        progress: Option<&Progress>,
    ) -> Result<(), RebuildError> {
        let mut consumer = self.source.open(building.at).await?;
        while building.at < target {
            let room = building.at.lag_to(target).min(BATCH_EVENTS_MAX as u64) as usize;
            let batch = consumer.next_batch(room).await?;
            self.apply(building, batch).await?;
            if let Some(progress) = progress {
                let step = Step::Replay {
                    done: building.at.0,
                    total: target.0,
                };
                let _ = progress.send((building.read_model.generation, step)).await;
            }
        }
        Ok(())
    }

    async fn apply(
        &self,
        building: &mut Building,
        batch: Vec<Received>,
    ) -> Result<(), RebuildError> {
        let to = batch.last().map_or(building.at, Received::position);
        let applied = building.read_model.apply(self.me, building.at, &batch);
        let Applied::Yes { parked } = applied.await? else {
            return Err(RebuildError::Contended);
        };
        let events: Vec<ProductEvent> = batch
            .into_iter()
            .filter_map(|received| match received {
                Received::Event(event) if !parked.contains(&event.position) => Some(*event),
                Received::Event(_) | Received::Unreadable(_) => None,
            })
            .collect();
        building
            .with_writer(move |writer| writer.apply(&events))
            .await?;
        building.at = to;
        Ok(())
    }

    /// Takes over the vectors whose text is the same, and computes the others.
    async fn embed(&self, building: &Building, progress: &Progress) -> Result<(), RebuildError> {
        let new = building.read_model.generation;
        let reused = self.generations.reuse_embeddings(new).await?;
        tracing::info!(generation = new, reused, "embeddings taken over");
        let Some(embedder) = &self.embedder else {
            return Ok(());
        };
        let total = building.read_model.embedding_counts().await?.pending;
        let mut done = 0;
        loop {
            let _ = progress.send((new, Step::Embed { done, total })).await;
            match embed_some(&building.read_model, embedder.as_ref()).await? {
                0 => return Ok(()),
                count => done += count as i64,
            }
        }
    }

    async fn compare(&self, building: &mut Building) -> Result<Digest, RebuildError> {
        // Position and digest are of one row, so they belong together whatever is applied meanwhile.
        let live = self.live.load().checkpoint().await?;
        self.replay_to(building, live.position, None).await?;
        let position = building.at;
        building
            .with_writer(move |writer| writer.commit(position))
            .await?;
        let new = building.read_model.checkpoint().await?;
        let index = building.index.clone();
        let index = tokio::task::spawn_blocking(move || index.digest_of_live())
            .await
            .map_err(anyhow::Error::new)??;
        let total = live.digest.total();
        if new.digest == live.digest && index == total && new.documents == live.documents {
            return Ok(total);
        }
        Err(RebuildError::Differs {
            position,
            documents: live.documents,
            live: total,
            new: new.digest.total(),
            index,
        })
    }

    async fn switch(&self, building: Building) -> Result<(), RebuildError> {
        let Building {
            read_model,
            index,
            writer,
            ..
        } = building;
        let generation = read_model.generation;
        let (Some(index), Some(writer)) = (Arc::into_inner(index), writer) else {
            return Err(anyhow::anyhow!("the new keyword index is still in use").into());
        };
        // From the switch on, the live projector needs the lease as soon as it comes for it.
        read_model.take_lease(self.me, LEASE_MS_AT_SWITCH).await?;
        self.generations.switch_to(generation).await?;
        self.live.store(Arc::new(read_model));
        // The new generation answers. What fails now is told, and undoes nothing: the old index
        // holds the same products.
        let live_index = self.index.clone();
        let switched =
            tokio::task::spawn_blocking(move || live_index.switch_to(generation, index, writer));
        if let Err(err) = switched.await.map_err(anyhow::Error::new).flatten() {
            tracing::error!(generation, "the keyword index was not switched: {err:#}");
        }
        if let Err(err) = self.generations.drop_outdated().await {
            tracing::warn!("cannot drop outdated generations: {err}");
        }
        Ok(())
    }
}

impl Building {
    /// Index work blocks, so it gets a thread that may.
    async fn with_writer(
        &mut self,
        work: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError> + Send + 'static,
    ) -> Result<(), RebuildError> {
        let Some(mut writer) = self.writer.take() else {
            return Err(anyhow::anyhow!("the index writer was lost to an error").into());
        };
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut writer);
            (writer, result)
        });
        let (writer, result) = done.await.map_err(anyhow::Error::new)?;
        self.writer = Some(writer);
        Ok(result?)
    }
}
