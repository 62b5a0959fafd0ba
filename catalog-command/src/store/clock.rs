//! The time that all writers agree on: the database's, carried on by this machine's monotonic clock from one
//! look at it to the next. A writer whose own clock is a year ahead would give products times that stay for a year.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use time::OffsetDateTime;

/// A look that took longer says too little.
const LOOK_MAX: Duration = Duration::from_millis(500);

/// The clock of the database.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<RwLock<Look>>);

/// What the clock of the database showed.
#[derive(Clone, Copy, Debug)]
struct Look {
    shown: OffsetDateTime,
    at: Instant,
}

impl Clock {
    /// The clock, after a first look at it.
    pub(crate) async fn of(pool: &PgPool) -> sqlx::Result<Self> {
        let look = look(pool).await?;
        Ok(Self(Arc::new(RwLock::new(look))))
    }

    /// Looks at it again.
    pub(crate) async fn look(&self, pool: &PgPool) -> sqlx::Result<()> {
        let look = look(pool).await?;
        if look.at.elapsed() <= LOOK_MAX {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = look;
        }
        Ok(())
    }

    /// The present time to the microsecond, which is what Postgres and JSON both keep.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let Look { shown, at } = *self.0.read().unwrap_or_else(PoisonError::into_inner);
        let now = shown + at.elapsed();
        now.replace_nanosecond(now.microsecond() * 1_000)
            .unwrap_or(now)
    }
}

/// The time that was shown counts for the moment before it was asked for: no write gets one that is still to come.
async fn look(pool: &PgPool) -> sqlx::Result<Look> {
    let mut db = pool.acquire().await?;
    let at = Instant::now();
    let shown: OffsetDateTime = sqlx::query_scalar("SELECT clock_timestamp()")
        .fetch_one(&mut *db)
        .await?;
    // It was shown at some moment between `at` and now.
    Ok(Look {
        shown: shown - at.elapsed(),
        at,
    })
}
