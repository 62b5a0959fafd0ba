//! The views of the most viewed products, read again from the database now and then.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::index::Popularity;
use crate::read_model::most_viewed;

const REFRESH_EVERY_MS: u64 = 30_000;

/// Shows searches the views that the most viewed products had a moment ago.
#[derive(Clone, Default)]
pub(crate) struct PopularityBoard(Arc<ArcSwap<Popularity>>);

impl PopularityBoard {
    pub(crate) fn current(&self) -> Arc<Popularity> {
        self.0.load_full()
    }

    pub(crate) fn show(&self, popularity: Popularity) {
        self.0.store(Arc::new(popularity));
    }

    pub(crate) async fn run(self, registry: PgPool, stop: CancellationToken) -> anyhow::Result<()> {
        let mut refresh = tokio::time::interval(Duration::from_millis(REFRESH_EVERY_MS));
        loop {
            tokio::select! {
                _ = refresh.tick() => self.refresh(&registry).await,
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn refresh(&self, registry: &PgPool) {
        match most_viewed(registry).await {
            // Equal views stay, because they have looked up the documents of their products.
            Ok(views) if self.current().is_of(&views) => {}
            Ok(views) => self.show(Popularity::new(views)),
            Err(err) => tracing::warn!("cannot read view counts: {err}"),
        }
    }
}
