//! Keeps the counts in the database within bounds. Every replica does it: what one has deleted, the
//! others do not find.

use std::time::Duration as StdDuration;

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::usage::analytics::DAYS_MAX;
use crate::usage::half_life::HalfLife;
use crate::usage::store::{forget_searches, forget_views};

const EVERY: StdDuration = StdDuration::from_secs(300);

/// Deletes what is too old or too rare to matter.
pub(crate) struct UsageUpkeep {
    pub(crate) registry: PgPool,
    pub(crate) half_life: HalfLife,
}

impl UsageUpkeep {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut every = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = stop.cancelled() => return Ok(()),
            }
            if let Err(err) = self.run_once().await {
                tracing::warn!("cannot forget old usage counts: {err}");
            }
        }
    }

    async fn run_once(&self) -> sqlx::Result<()> {
        let today = OffsetDateTime::now_utc().date();
        let oldest = today.saturating_sub(Duration::days(i64::from(DAYS_MAX) - 1));
        forget_searches(&self.registry, oldest, today).await?;
        forget_views(&self.registry, self.half_life).await
    }
}
