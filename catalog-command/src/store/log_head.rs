//! The head of the log and the lease on it. Time is the database's, so that clocks of services
//! need not agree.

use catalog_events::Position;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

/// Raised at every change of holder; who presents an older one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(pub(crate) i64);

/// Takes the lease if nobody holds it.
pub(crate) async fn acquire(pool: &PgPool, me: Uuid, lease_ms: i64) -> sqlx::Result<Option<Epoch>> {
    let epoch: Option<i64> = sqlx::query_scalar(
        "UPDATE log_head
         SET holder = $1, epoch = epoch + 1,
             lease_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE lease_until < clock_timestamp()
         RETURNING epoch",
    )
    .bind(me)
    .bind(lease_ms)
    .fetch_optional(pool)
    .await?;
    Ok(epoch.map(Epoch))
}

/// False when the lease went to another holder meanwhile.
pub(crate) async fn renew(pool: &PgPool, epoch: Epoch, lease_ms: i64) -> sqlx::Result<bool> {
    let renewed = sqlx::query(
        "UPDATE log_head SET lease_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE epoch = $1",
    )
    .bind(epoch.0)
    .bind(lease_ms)
    .execute(pool)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Lets the next holder start at once.
pub(crate) async fn release(pool: &PgPool, epoch: Epoch) -> sqlx::Result<()> {
    sqlx::query("UPDATE log_head SET holder = NULL, lease_until = '-infinity' WHERE epoch = $1")
        .bind(epoch.0)
        .execute(pool)
        .await?;
    Ok(())
}

/// The last position of the log.
pub(crate) async fn head_position(db: impl PgExecutor<'_>) -> sqlx::Result<Position> {
    let position = sqlx::query_scalar("SELECT position FROM log_head")
        .fetch_one(db)
        .await?;
    Ok(Position::from_i64(position))
}
