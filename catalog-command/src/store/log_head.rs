//! The head of the log and the lease on it. Time is the database's, so that clocks of services
//! need not agree.

use catalog_events::{BucketedDigest, Position};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::domain::LogDigest;
use crate::store::soon;

/// The number of a lease, raised at every change of holder. A holder of an older epoch changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(pub(crate) i64);

impl Epoch {
    /// The epoch of the first leader that a catalog has.
    pub(crate) const FIRST: Epoch = Epoch(1);
}

/// Takes the lease if nobody holds it.
pub(crate) async fn acquire(pool: &PgPool, me: Uuid, lease_ms: i64) -> sqlx::Result<Option<Epoch>> {
    let acquired = sqlx::query_scalar(
        "UPDATE log_head
         SET holder = $1, epoch = epoch + 1,
             lease_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE lease_until < clock_timestamp()
         RETURNING epoch",
    )
    .bind(me)
    .bind(lease_ms)
    .fetch_optional(pool);
    Ok(soon(acquired).await?.map(Epoch))
}

/// Extends the lease. False when it went to another holder meanwhile.
pub(crate) async fn renew(pool: &PgPool, epoch: Epoch, lease_ms: i64) -> sqlx::Result<bool> {
    let renew = sqlx::query(
        "UPDATE log_head SET lease_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE epoch = $1",
    )
    .bind(epoch.0)
    .bind(lease_ms)
    .execute(pool);
    Ok(soon(renew).await?.rows_affected() == 1)
}

/// Gives the lease back, so that the next holder starts at once.
pub(crate) async fn release(pool: &PgPool, epoch: Epoch) -> sqlx::Result<()> {
    let release = sqlx::query(
        "UPDATE log_head SET holder = NULL, lease_until = '-infinity' WHERE epoch = $1",
    );
    soon(release.bind(epoch.0).execute(pool)).await?;
    Ok(())
}

/// Whether the holder of `epoch` may still extend the log.
pub(crate) async fn is_current(pool: &PgPool, epoch: Epoch) -> sqlx::Result<bool> {
    let current = sqlx::query_scalar("SELECT epoch = $1 FROM log_head").bind(epoch.0);
    soon(current.fetch_one(pool)).await
}

/// The end of the log.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) position: Position,
    /// The digest of all events up to the position. None where a release extended the log that keeps no
    /// digest, until the leader has computed it.
    pub(crate) digest: Option<LogDigest>,
}

/// The end of the log, which may move on at once.
pub(crate) async fn head(db: impl PgExecutor<'_>) -> sqlx::Result<Head> {
    let row = sqlx::query_as("SELECT position, digest_position, digest, documents FROM log_head");
    read(row.fetch_one(db).await?)
}

/// The end of the log, locked until the transaction ends. None when `epoch` is no longer the current one.
pub(crate) async fn lock(db: &mut PgConnection, epoch: Epoch) -> sqlx::Result<Option<Head>> {
    let row = sqlx::query_as(
        "SELECT position, digest_position, digest, documents FROM log_head
         WHERE epoch = $1 FOR UPDATE",
    )
    .bind(epoch.0)
    .fetch_optional(db)
    .await?;
    row.map(read).transpose()
}

/// Keeps a digest that was computed at the head. False when the log or its holder moved on meanwhile.
pub(crate) async fn keep_digest(
    pool: &PgPool,
    epoch: Epoch,
    position: Position,
    digest: &LogDigest,
) -> sqlx::Result<bool> {
    let mut tx = pool.begin().await?;
    // It was much work: a lease that is renewed at the moment is no reason to do it again.
    sqlx::query("SET LOCAL lock_timeout = '10s'")
        .execute(&mut *tx)
        .await?;
    let kept = sqlx::query(
        "UPDATE log_head SET digest_position = $2, digest = $3, documents = $4
         WHERE epoch = $1 AND position = $2",
    )
    .bind(epoch.0)
    .bind(position.to_i64())
    .bind(digest.buckets.to_bytes())
    .bind(digest.documents)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(kept.rows_affected() == 1)
}

/// Moves the head, which the caller has locked.
pub(crate) async fn extend(
    db: &mut PgConnection,
    reached: Position,
    digest: &LogDigest,
) -> sqlx::Result<()> {
    let head = "UPDATE log_head
                SET position = $1, digest_position = $1, digest = $2, documents = $3";
    sqlx::query(head)
        .bind(reached.to_i64())
        .bind(digest.buckets.to_bytes())
        .bind(digest.documents)
        .execute(db)
        .await?;
    Ok(())
}

type HeadRow = (i64, Option<i64>, Option<Vec<u8>>, i64);

fn read((position, digest_position, digest, documents): HeadRow) -> sqlx::Result<Head> {
    // A release that knows no digest moves only the position.
    let buckets = digest
        .filter(|_| digest_position == Some(position))
        .map(|bytes| BucketedDigest::from_bytes(&bytes))
        .transpose()
        .map_err(|err| sqlx::Error::Decode(err.into()))?;
    Ok(Head {
        position: Position::from_i64(position),
        digest: buckets.map(|buckets| LogDigest { buckets, documents }),
    })
}

/// The last position of the log.
pub(crate) async fn head_position(db: impl PgExecutor<'_>) -> sqlx::Result<Position> {
    let query = sqlx::query_scalar("SELECT position FROM log_head");
    let position = soon(query.fetch_one(db)).await?;
    Ok(Position::from_i64(position))
}
