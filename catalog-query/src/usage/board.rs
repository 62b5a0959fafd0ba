//! What searches and completions know of usage, read again from the database now and then: the views
//! of the most viewed products, and the queries that are asked most.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::index::Popularity;
use crate::usage::half_life::HalfLife;
use crate::usage::popular_queries::PopularQueries;
use crate::usage::store::most_viewed;

const VIEWS_EVERY_MS: u64 = 30_000;
const QUERIES_EVERY_MS: u64 = 10_000;

/// Shows the counts as they were a moment ago.
#[derive(Clone, Default)]
pub(crate) struct PopularityBoard {
    views: Arc<ArcSwap<Popularity>>,
    queries: Arc<ArcSwap<PopularQueries>>,
}

impl PopularityBoard {
    /// The views of the most viewed products.
    pub(crate) fn current(&self) -> Arc<Popularity> {
        self.views.load_full()
    }

    pub(crate) fn show(&self, popularity: Popularity) {
        self.views.store(Arc::new(popularity));
    }

    pub(crate) fn queries(&self) -> Arc<PopularQueries> {
        self.queries.load_full()
    }

    pub(crate) async fn run(
        self,
        registry: PgPool,
        half_life: HalfLife,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut views = tokio::time::interval(Duration::from_millis(VIEWS_EVERY_MS));
        let mut queries = tokio::time::interval(Duration::from_millis(QUERIES_EVERY_MS));
        loop {
            tokio::select! {
                _ = views.tick() => self.refresh_views(&registry, half_life).await,
                _ = queries.tick() => self.refresh_queries(&registry, half_life).await,
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn refresh_views(&self, registry: &PgPool, half_life: HalfLife) {
        match most_viewed(registry, half_life).await {
            // Equal views stay, because they have looked up the documents of their products.
            Ok(views) if self.current().is_of(&views) => {}
            Ok(views) => self.show(Popularity::new(views)),
            Err(err) => tracing::warn!("cannot read view counts: {err}"),
        }
    }

    async fn refresh_queries(&self, registry: &PgPool, half_life: HalfLife) {
        match PopularQueries::read(registry, half_life).await {
            Ok(queries) => self.queries.store(Arc::new(queries)),
            Err(err) => tracing::warn!("cannot read popular queries: {err}"),
        }
    }
}
