//! Rebuilds the read model and the keyword index from the events, beside the live ones, which answer
//! meanwhile; and rolls back to the generation before. Invariant: a generation that becomes live has
//! the digest of the event log at its position, or of the live read model where the log cannot be
//! asked. A difference is an error and switches nothing.

pub(super) mod error;
pub(super) mod progress;
mod catch_up;
mod building;
mod lease;
mod proof;
mod reindex;

use std::sync::Arc;

use catalog_events::Digest;
use sqlx::Connection as _;
use uuid::Uuid;

use self::building::Building;
use self::error::RebuildError;
use self::progress::{RebuildProgress, RebuildStep};
use crate::embedding::Embedder;
use crate::events::{EventSource, LogClient};
use crate::index::{IndexWriter, KeywordIndex, LiveIndex};
use crate::projectors::embed_some;
use crate::read_model::{Generations, LiveReadModel, ReadModel};

pub(crate) struct Rebuilder {
    pub(crate) generations: Generations,
    pub(crate) live: LiveReadModel,
    pub(crate) index: Arc<LiveIndex>,
    pub(crate) source: EventSource,
    /// None when the write service's address is not set.
    pub(crate) log: Option<LogClient>,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    /// The holder of the leases of rebuilds. The projector of this replica is another holder: it may
    /// still apply events to the generation that was live a moment ago.
    pub(crate) me: Uuid,
}

impl Rebuilder {
    /// Builds a generation from the first event on and switches to it. One replica does so at a time.
    pub(crate) async fn run(&self, progress: &RebuildProgress) -> Result<(), RebuildError> {
        self.alone(Box::pin(self.rebuild(progress))).await
    }

    /// Does as [`Self::run`], unless vectors of our model answer by now: of several replicas that start
    /// with a new model, one rebuilds.
    pub(crate) async fn change_model(
        &self,
        progress: &RebuildProgress,
    ) -> Result<(), RebuildError> {
        let change = async {
            match self.generations.live_model().await? {
                Some(live) if live == self.model() => Ok(()),
                _ => self.rebuild(progress).await,
            }
        };
        self.alone(Box::pin(change)).await
    }

    /// Makes the generation live again that was live before the last switch, once it has caught up
    /// and was proved right. After an error everything is as it was.
    pub(crate) async fn rollback(&self, progress: &RebuildProgress) -> Result<(), RebuildError> {
        self.alone(Box::pin(self.roll_back(progress))).await
    }

    /// Does the work while no other replica rebuilds.
    async fn alone(
        &self,
        work: impl Future<Output = Result<(), RebuildError>>,
    ) -> Result<(), RebuildError> {
        let lock = self
            .generations
            .rebuild_lock()
            .await?
            .ok_or(RebuildError::Busy)?;
        let result = work.await;
        // The lock is given back before the answer, so that the caller may rebuild again at once.
        let _ = lock.close().await;
        result
    }

    async fn rebuild(&self, progress: &RebuildProgress) -> Result<(), RebuildError> {
        if self.generations.live_id().await?.is_none() {
            // The first generation of this release is still being built.
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

    async fn roll_back(&self, progress: &RebuildProgress) -> Result<(), RebuildError> {
        let previous = self
            .generations
            .previous()
            .await?
            .ok_or(RebuildError::NothingToRollBackTo)?;
        let generation = previous.generation;
        tracing::info!(generation, "rollback begins");
        self.prepare_and_switch(Building::new(previous), progress)
            .await
    }

    /// The model of the new vectors: ours, or else that of the present ones.
    fn model(&self) -> String {
        match &self.embedder {
            Some(embedder) => embedder.model().to_owned(),
            None => self.live.load().model.clone(),
        }
    }

    async fn build_and_switch(
        &self,
        read_model: ReadModel,
        progress: &RebuildProgress,
    ) -> Result<(), RebuildError> {
        let (index, writer) = self.index.create(read_model.generation)?;
        let building = Building::new(read_model).with_index(index, writer);
        self.prepare_and_switch(building, progress).await
    }

    async fn prepare_and_switch(
        &self,
        mut building: Building,
        progress: &RebuildProgress,
    ) -> Result<(), RebuildError> {
        let read_model = building.read_model.clone();
        let prepared = Box::pin(self.prepare(&mut building, progress));
        let digest = self.leased(&read_model, prepared).await?;
        self.switch(building, digest, progress).await
    }

    /// Fills the generation and returns its digest, which is proved right.
    async fn prepare(
        &self,
        building: &mut Building,
        progress: &RebuildProgress,
    ) -> Result<Digest, RebuildError> {
        building.at = building.read_model.checkpoint().await?.position;
        self.catch_up(building, progress).await?;
        // A generation that differs already is not worth the time that embedding takes.
        self.prove(building).await?;
        self.embed(building, progress).await?;
        building.read_model.warm_up(&self.live.load_full()).await?;
        // Events went on meanwhile, and the proof must be of what is switched to.
        self.catch_up(building, progress).await?;
        let generation = building.read_model.generation;
        let _ = progress.send((generation, RebuildStep::Compare)).await;
        self.prove(building).await
    }

    /// Takes over the vectors whose text is the same, and computes the others.
    async fn embed(
        &self,
        building: &Building,
        progress: &RebuildProgress,
    ) -> Result<(), RebuildError> {
        let new = &building.read_model;
        // Making the index of the vectors takes as long as the events did.
        let step = RebuildStep::Embed { done: 0, total: 0 };
        let _ = progress.send((new.generation, step)).await;
        let reused = self.generations.reuse_embeddings(new.generation).await?;
        tracing::info!(generation = new.generation, reused, "embeddings taken over");
        let embedder = match &self.embedder {
            Some(embedder) if embedder.model() == new.model => embedder,
            _ => return Ok(()),
        };
        let total = new.embedding_counts().await?.pending;
        let mut done = 0;
        loop {
            let step = RebuildStep::Embed { done, total };
            let _ = progress.send((new.generation, step)).await;
            match embed_some(new, embedder.as_ref()).await? {
                0 => return Ok(()),
                count => done += count as i64,
            }
        }
    }

    async fn switch(
        &self,
        building: Building,
        digest: Digest,
        progress: &RebuildProgress,
    ) -> Result<(), RebuildError> {
        let (read_model, index) = building.finish()?;
        let generation = read_model.generation;
        // Held since the proof, so that nobody has applied anything after it.
        self.hold_lease(&read_model).await?;
        let switched = self.generations.switch_to(generation).await;
        if switched.is_ok() {
            self.live.store(read_model.clone());
        }
        // From the switch on, a projector needs the lease.
        self.give_back_lease(&read_model).await;
        switched?;
        // The new generation answers. What fails now is logged and undoes nothing: the old index
        // holds the same products.
        let index_switched = match index {
            Some((index, writer)) => self.switch_index(index, writer).await,
            None => self.check_index().await,
        };
        if let Err(err) = index_switched {
            tracing::error!(generation, "the keyword index was not switched: {err:#}");
        }
        if let Err(err) = self.generations.drop_outdated().await {
            tracing::warn!("cannot drop outdated generations: {err}");
        }
        let _ = progress
            .send((generation, RebuildStep::Switched { digest }))
            .await;
        tracing::info!(generation, %digest, "switched");
        Ok(())
    }

    async fn switch_index(&self, index: KeywordIndex, writer: IndexWriter) -> anyhow::Result<()> {
        let live = self.index.clone();
        tokio::task::spawn_blocking(move || live.switch_to(index, writer)).await?
    }
}
