//! Forgets answered requests whose time is over. Every instance does so: each takes those that no other
//! has locked.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::store;

const EVERY_S: u64 = 60;
/// The most answers that one statement deletes, so that its locks are short.
const BATCH_ROWS_MAX: i64 = 1_000;

/// Deletes expired answers.
pub(crate) struct Expiry {
    pub(crate) pool: PgPool,
}

impl Expiry {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            match store::purge_expired(&self.pool, BATCH_ROWS_MAX).await {
                Ok(0) => {}
                // There may be more.
                Ok(_) => continue,
                Err(err) => tracing::warn!("cannot purge expired request ids: {err}"),
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(EVERY_S)) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }
}
