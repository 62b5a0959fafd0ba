//! Knows how many products have a vector of their present text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::read_model::vectors::memory::VectorMemory;
use crate::read_model::{LiveReadModel, ReadModel};

const REFRESH_EVERY_MS: u64 = 1_000;
const REFRESH_EVERY_MS_MAX: u64 = 5_000;
/// A pause is at least this many times as long as the count before it.
const PAUSE_FACTOR: u32 = 20;

/// How many products have a vector of their present text. Products that arrive later than the last
/// count have none, so that the share is never taken to be greater than it is by more than what was
/// changed or deleted since. Where this replica has the vectors in memory, those count that are there.
#[derive(Clone)]
pub(crate) struct Coverage {
    counted: Arc<AtomicU64>,
    memory: Arc<VectorMemory>,
}

impl Coverage {
    #[cfg(test)]
    pub(crate) fn new(embedded: u64) -> Self {
        Self {
            counted: Arc::new(AtomicU64::new(embedded)),
            memory: Arc::default(),
        }
    }

    /// Counts once, before anything is searched. Where that fails, no product is taken to have a
    /// vector until the next count.
    pub(crate) async fn counted(live: &LiveReadModel, memory: Arc<VectorMemory>) -> Self {
        let coverage = Self {
            counted: Arc::default(),
            memory,
        };
        coverage.refresh(&live.load_full()).await;
        coverage
    }

    /// The share of this many products that have a vector, from 0 to 1.
    pub(crate) fn share(&self, documents: u64) -> f64 {
        let counted = self.counted.load(Ordering::Relaxed);
        let embedded = self.memory.current().unwrap_or(counted);
        if embedded >= documents {
            1.0
        } else {
            embedded as f64 / documents as f64
        }
    }

    pub(crate) async fn run(
        self,
        live: LiveReadModel,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let pause_min = Duration::from_millis(REFRESH_EVERY_MS);
        let pause_max = Duration::from_millis(REFRESH_EVERY_MS_MAX);
        loop {
            let started = Instant::now();
            self.refresh(&live.load_full()).await;
            // A count that waited for a lock must not put off the next one for long.
            let pause = started.elapsed() * PAUSE_FACTOR;
            let pause = pause.clamp(pause_min, pause_max);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn refresh(&self, live: &ReadModel) {
        match live.embedding_counts().await {
            Ok(counts) => self.counted.store(
                u64::try_from(counts.current).unwrap_or_default(),
                Ordering::Relaxed,
            ),
            Err(err) => tracing::warn!("cannot count embeddings: {err}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_from_nothing_to_all() {
        for (embedded, all, share) in [(1, 4, 0.25), (0, 4, 0.0), (0, 0, 1.0), (9, 4, 1.0)] {
            let coverage = Coverage::new(embedded);
            assert_eq!(coverage.share(all), share, "{embedded} of {all}");
        }
    }
}
