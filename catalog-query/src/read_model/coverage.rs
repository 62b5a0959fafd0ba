//! Counts every few seconds how many of the products have a vector of their present text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::read_model::LiveReadModel;

const REFRESH_EVERY_MS: u64 = 5_000;
/// All products, in millionths, as there is no atomic fraction.
const ALL: u32 = 1_000_000;

/// The share of the products that have a vector of their present text.
#[derive(Clone, Debug)]
pub(crate) struct Coverage(Arc<AtomicU32>);

impl Default for Coverage {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(ALL)))
    }
}

impl Coverage {
    /// The share, from 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        f64::from(self.0.load(Ordering::Relaxed)) / f64::from(ALL)
    }

    pub(crate) fn set(&self, embedded: u64, all: u64) {
        let share = if all == 0 {
            1.0
        } else {
            (embedded as f64 / all as f64).clamp(0.0, 1.0)
        };
        self.0
            .store((share * f64::from(ALL)) as u32, Ordering::Relaxed);
    }

    pub(crate) async fn run(
        self,
        live: LiveReadModel,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut refresh = tokio::time::interval(Duration::from_millis(REFRESH_EVERY_MS));
        loop {
            tokio::select! {
                _ = refresh.tick() => self.refresh(&live).await,
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn refresh(&self, live: &LiveReadModel) {
        let live = live.load_full();
        match live.embedding_counts().await {
            Ok(counts) => {
                let all = counts.current + counts.pending;
                self.set(counts.current.unsigned_abs(), all.unsigned_abs());
            }
            Err(err) => tracing::warn!("cannot count embeddings: {err}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_from_nothing_to_all() {
        let coverage = Coverage::default();
        assert_eq!(coverage.share(), 1.0);
        for (embedded, all, share) in [(1, 4, 0.25), (0, 4, 0.0), (0, 0, 1.0), (9, 4, 1.0)] {
            coverage.set(embedded, all);
            assert_eq!(coverage.share(), share, "{embedded} of {all}");
        }
    }
}
