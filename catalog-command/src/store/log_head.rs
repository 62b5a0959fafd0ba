//! The head of the log and the lease on it. Time is the database's, so that clocks of services
//! need not agree.

use catalog_events::{BucketedDigest, Position};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::store::log_digest::LogDigest;

/// Raised at every change of holder; who presents an older one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(pub(crate) i64);

impl Epoch {
    /// Of the first leader that a catalog has.
    pub(crate) const FIRST: Epoch = Epoch(1);
}

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

/// False when another holder may extend the log now.
pub(crate) async fn is_current(pool: &PgPool, epoch: Epoch) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT epoch = $1 FROM log_head")
        .bind(epoch.0)
        .fetch_one(pool)
        .await
}

/// The end of the log.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) position: Position,
    /// Of all events up to the position. None in a log from before it was kept, until the leader
    /// has computed it.
    pub(crate) digest: Option<LogDigest>,
}

pub(crate) async fn head(db: impl PgExecutor<'_>) -> sqlx::Result<Head> {
    let row = sqlx::query_as("SELECT position, digest, documents FROM log_head");
    read(row.fetch_one(db).await?)
}

/// The same, locked until the transaction ends. None when `epoch` is no longer the current one.
pub(crate) async fn lock(db: &mut PgConnection, epoch: Epoch) -> sqlx::Result<Option<Head>> {
    let row = sqlx::query_as(
        "SELECT position, digest, documents FROM log_head WHERE epoch = $1 FOR UPDATE",
    );
    let row = row.bind(epoch.0).fetch_optional(db).await?;
    row.map(read).transpose()
}

/// Moves the head, which the caller has locked.
pub(crate) async fn extend(
    db: &mut PgConnection,
    reached: Position,
    digest: &LogDigest,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE log_head SET position = $1, digest = $2, documents = $3")
        .bind(reached.to_i64())
        .bind(digest.buckets.to_bytes())
        .bind(digest.documents)
        .execute(db)
        .await?;
    Ok(())
}

fn read((position, digest, documents): (i64, Option<Vec<u8>>, i64)) -> sqlx::Result<Head> {
    let buckets = digest.map(|bytes| BucketedDigest::from_bytes(&bytes));
    let buckets = buckets
        .transpose()
        .map_err(|err| sqlx::Error::Decode(err.into()))?;
    Ok(Head {
        position: Position::from_i64(position),
        digest: buckets.map(|buckets| LogDigest { buckets, documents }),
    })
}

/// The last position of the log.
pub(crate) async fn head_position(db: impl PgExecutor<'_>) -> sqlx::Result<Position> {
    let position = sqlx::query_scalar("SELECT position FROM log_head")
        .fetch_one(db)
        .await?;
    Ok(Position::from_i64(position))
}
