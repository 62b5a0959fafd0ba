//! Computes the embeddings that the documents lack, behind everything else: documents and keyword
//! search never wait for the model.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog_events::Position;
use service_kit::Retry;
use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;

use crate::embedding::{EmbedError, Embedder};
use crate::projectors::progress::Progress;
use crate::read_model::{Generations, LiveReadModel, ReadModel, Serving};

/// The most texts of one batch: many, as texts of equal length are embedded together.
const BATCH_TEXTS_MAX: i64 = 128;
/// How often the queue of texts is looked at while it is empty.
const POLL_EVERY_MS: u64 = 250;
/// How often a replica that does not embed looks whether it should.
const LOOK_AGAIN_MS: u64 = 1_000;
/// The longest that embedding waits while many documents arrive, which have the processor first.
const DEFER_MS_MAX: u64 = 30_000;
/// As many events between two polls mean that a bulk import is under way.
const BUSY_EVENTS_PER_POLL: u64 = 100;

pub(crate) struct EmbeddingProjector {
    pub(crate) generations: Generations,
    pub(crate) live: LiveReadModel,
    pub(crate) serving: Serving,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) progress: Progress,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbeddingError {
    #[error(transparent)]
    Embedder(#[from] EmbedError),
    #[error("database")]
    Database(#[from] sqlx::Error),
}

impl EmbeddingProjector {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.embed_for_ever()).await;
        Ok(())
    }

    /// Never ends.
    async fn embed_for_ever(&self) {
        // Until then, the vectors of another release may still be taken over.
        self.serving.wait().await;
        let mut retry = Retry::new("embedding");
        loop {
            match self.embed_while_ours(&mut retry).await {
                Ok(()) => tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)).await,
                Err(err) => self.progress.embeddings.failed(retry.failed(err)).await,
            }
        }
    }

    /// Embeds texts until the vectors are those of another model. Returns at once while another replica
    /// embeds: two would do the work twice.
    async fn embed_while_ours(&self, retry: &mut Retry) -> Result<(), EmbeddingError> {
        self.progress.embeddings.set_active(false);
        if !self.is_our_model() {
            return Ok(());
        }
        let Some(mut lock) = self.generations.embedding_lock().await? else {
            return Ok(());
        };
        self.progress.embeddings.set_active(true);
        let mut deferral = Deferral::default();
        while self.is_our_model() {
            lock.ping().await?;
            let embedded = if deferral.applies(self.progress.read_model.position()) {
                0
            } else {
                embed_some(&self.live.load_full(), self.embedder.as_ref()).await?
            };
            retry.succeeded();
            let (at, unreadable) = (Position::START, 0);
            self.progress.embeddings.reached(at, embedded, unreadable);
            if embedded == 0 {
                tokio::time::sleep(Duration::from_millis(POLL_EVERY_MS)).await;
            }
        }
        Ok(())
    }

    fn is_our_model(&self) -> bool {
        self.live.load().model == self.embedder.model()
    }
}

/// Embeds the next few texts; returns how many.
pub(crate) async fn embed_some(
    read_model: &ReadModel,
    embedder: &dyn Embedder,
) -> Result<usize, EmbeddingError> {
    let jobs = read_model.embedding_jobs(BATCH_TEXTS_MAX).await?;
    if jobs.is_empty() {
        return Ok(0);
    }
    let texts = jobs.iter().map(|job| job.text.clone()).collect();
    let vectors = embedder.embed(texts).await?;
    read_model.save_embeddings(&jobs, &vectors).await?;
    Ok(jobs.len())
}

/// Notices from the documents' position that a bulk import is under way.
#[derive(Default)]
struct Deferral {
    seen: Position,
    since: Option<Instant>,
}

impl Deferral {
    fn applies(&mut self, now_at: Position) -> bool {
        let arrived = self.seen.lag_to(now_at);
        self.seen = now_at;
        if arrived < BUSY_EVENTS_PER_POLL {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        since.elapsed() < Duration::from_millis(DEFER_MS_MAX)
    }
}
