//! Computes the embeddings that the documents lack, behind everything else: documents and keyword
//! search never wait for the model.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog_events::Position;
use tokio_util::sync::CancellationToken;

use crate::embedding::{EmbedError, Embedder};
use crate::progress::Progress;
use crate::read_model::{LiveReadModel, ReadModel};

const BATCH_TEXTS_MAX: i64 = 64;
const POLL_EVERY_MS: u64 = 250;
/// While documents arrive at a rate, the processor is theirs; but not for ever.
const DEFER_MS_MAX: u64 = 30_000;
const BUSY_EVENTS_PER_POLL: u64 = 100;

pub(crate) struct EmbeddingProjector {
    pub(crate) live: LiveReadModel,
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
        tokio::select! {
            () = self.embed_for_ever() => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    }

    async fn embed_for_ever(&self) {
        let mut failures = 0;
        let mut deferral = Deferral::default();
        loop {
            // The replica that applies documents also embeds them; others would do it twice.
            let ours = self.progress.read_model.is_active();
            self.progress.embeddings.set_active(ours);
            if !ours || deferral.applies(self.progress.read_model.position()) {
                tokio::time::sleep(Duration::from_millis(POLL_EVERY_MS)).await;
                continue;
            }
            match embed_some(&self.live.load_full(), self.embedder.as_ref()).await {
                Ok(count) => {
                    failures = 0;
                    self.progress.embeddings.reached(Position::START, count, 0);
                    if count == 0 {
                        tokio::time::sleep(Duration::from_millis(POLL_EVERY_MS)).await;
                    }
                }
                Err(err) => {
                    failures += 1;
                    let err = format!("{:#}", anyhow::Error::new(err));
                    tracing::warn!(failures, "embedding: {err}");
                    self.progress.embeddings.failed(err);
                    tokio::time::sleep(service_kit::backoff(failures)).await;
                }
            }
        }
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
