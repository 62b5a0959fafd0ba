//! Starts a release with another format of read models beside the one before it: its replicas fill a
//! generation of their own from the events, and answer readers once that is where the old one is.
//! Until then the replicas of the older release answer from theirs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream;
use catalog_events::{Position, STREAM};
use service_kit::{Readiness, Retry};
use tokio_util::sync::CancellationToken;

use crate::index::LiveIndex;
use crate::projectors::FirstRead;
use crate::read_model::{Generations, LiveReadModel, Serving};

const LOOK_EVERY_MS: u64 = 100;
/// The replay is logged once in so many looks.
const TELL_EVERY_LOOKS: u64 = 50;
const RULES_NOT_READ: &str = "the search rules have not been read yet";
const INDEX_NOT_BUILT: &str = "the keyword index of this replica is being built";

pub(crate) struct Upgrade {
    pub(crate) generations: Generations,
    /// The new generation already, though nobody reads from it yet.
    pub(crate) live: LiveReadModel,
    /// The live generation of the other release; None when there is nothing to upgrade from.
    pub(crate) other: Option<i64>,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) serving: Serving,
    /// The keyword index, which answers no search before it holds what the documents hold.
    pub(crate) index: Arc<LiveIndex>,
    /// The first read of the search rules: with half of them, a search would find what they hide.
    pub(crate) rules: FirstRead,
    pub(crate) readiness: Readiness,
}

impl Upgrade {
    /// Shows why the replica is not ready, before the first request comes. An index that is new, was
    /// damaged or missed events would find too little.
    pub(crate) async fn begin(&self) -> anyhow::Result<()> {
        if self.other.is_some() {
            let why = "the read model of this release is being built";
            self.readiness.set_not_ready(why);
            return Ok(());
        }
        self.require_documents().await?;
        self.readiness.set_not_ready(if self.index.is_built() {
            RULES_NOT_READ
        } else {
            INDEX_NOT_BUILT
        });
        Ok(())
    }

    /// Makes the replica ready. Meanwhile the projectors fill generation and index, as they do any
    /// other.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = self.get_ready() => {}
            () = stop.cancelled() => return Ok(()),
        }
        stop.cancelled().await;
        Ok(())
    }

    async fn get_ready(&self) {
        if let Some(other) = self.other {
            self.finish(other).await;
            if !self.index.is_built() {
                self.readiness.set_not_ready(INDEX_NOT_BUILT);
            }
            self.serving.begin();
        }
        if !self.index.is_built() {
            tracing::info!("keyword searches are answered once the index has been built");
            self.index.built().await;
            tracing::info!("keyword searches are answered");
        }
        // Nothing is required from now on: documents that are restored may begin further back.
        self.index.require(Position::START);
        if !self.rules.wait().await {
            tracing::warn!("searches are answered without the search rules: they cannot be read");
        }
        self.readiness.set_ready();
    }

    /// Requires the index to reach where the documents are now; later events are followed like any
    /// other.
    async fn require_documents(&self) -> anyhow::Result<()> {
        let documents = self.live.load_full().checkpoint().await?;
        self.index.require(documents.position);
        Ok(())
    }

    /// Tries until the new generation is live.
    async fn finish(&self, other: i64) {
        let generation = self.live.load().generation;
        tracing::info!(
            generation,
            other,
            "building the read model of this release beside that of another"
        );
        let mut retry = Retry::new("building the read model of this release");
        while let Err(err) = self.attempt(other).await {
            retry.failed(err).wait().await;
        }
        let generation = self.live.load().generation;
        tracing::info!(generation, "the read model of this release is live");
    }

    async fn attempt(&self, other: i64) -> anyhow::Result<()> {
        self.make_live(other).await?;
        self.require_documents().await
    }

    /// Switches to the new generation once it has caught up with `other`, unless another replica does.
    async fn make_live(&self, other: i64) -> anyhow::Result<()> {
        let lock = loop {
            if self.is_live().await? {
                return Ok(());
            }
            self.reach_head(other).await?;
            if let Some(lock) = self.generations.rebuild_lock().await? {
                break lock;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        };
        if self.is_live().await? {
            return Ok(());
        }
        let generation = self.live.load().generation;
        let reused = self.generations.reuse_embeddings(generation).await?;
        tracing::info!(generation, reused, "embeddings taken over");
        // Events went on meanwhile.
        self.reach_head(other).await?;
        self.generations.switch_to(generation).await?;
        drop(lock);
        Ok(())
    }

    /// Whether this replica or another of the release has made the new generation live.
    async fn is_live(&self) -> sqlx::Result<bool> {
        let live = self.generations.live_id().await?;
        Ok(live == Some(self.live.load().generation))
    }

    /// Waits until the documents hold what the stream and the other release hold now.
    async fn reach_head(&self, other: i64) -> anyhow::Result<()> {
        let stream = self
            .jetstream
            .get_stream(STREAM)
            .await
            .context("cannot tell how far the stream is")?;
        let last = Position(stream.cached_info().state.last_sequence);
        let target = last.max(self.generations.position(other).await?);
        for look in 0_u64.. {
            let read_model = self.live.load_full();
            let at = read_model.checkpoint().await?.position;
            if at >= target {
                break;
            }
            if look % TELL_EVERY_LOOKS == 0 {
                tracing::info!(generation = read_model.generation, %at, %target, "replaying");
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
        Ok(())
    }
}
