//! The digest of the event log: kept with its head, unwound to any earlier position, or folded anew
//! from the JSON of the events. Events at positions up to the head never change, so that none of
//! this needs a snapshot that spans its queries.

use std::time::Duration;

use catalog_events::{ContentHash, Position};
use sqlx::{PgConnection, PgPool};

use crate::domain::{Buckets, LogDigest, LogFold, Replaced};
use crate::store::hashed_rows::{HASHED_ROWS, HashedRows};
use crate::store::{Epoch, LogError, log_head, read_events, within};

/// Positions that one query sums up.
const SUM_EVENTS_MAX: u64 = 1_000;
const FOLD_EVENTS_MAX: i64 = 500;
const FOLD_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// How long reading one page of events may take.
const FOLD_READ_S_MAX: u64 = 30;
const KEEP_S_MAX: u64 = 15;

/// The digest at `position`, which is at or before the head, unwound from the digest of the head. None
/// while that is still to be computed.
pub(crate) async fn digest_at(
    pool: &PgPool,
    head: log_head::Head,
    position: Position,
) -> Result<Option<LogDigest>, LogError> {
    let Some(mut digest) = head.digest else {
        return Ok(None);
    };
    let mut end = head.position;
    while end > position {
        let start = Position(position.0.max(end.0.saturating_sub(SUM_EVENTS_MAX)));
        // Others have their turn in between.
        let mut db = pool.acquire().await?;
        digest.unwind(&replaced_between(&mut db, start, end).await?);
        end = start;
    }
    Ok(Some(digest))
}

/// Computes the digest at the head from the whole log, for a log that was extended without it. Only its
/// steps are bounded in time, not the whole. False when `epoch` is no longer the current one, and
/// nothing is written then.
pub(crate) async fn compute_head_digest(pool: &PgPool, epoch: Epoch) -> Result<bool, LogError> {
    // Only the holder of this epoch extends the log, and it is busy here.
    let head = log_head::head_position(pool).await?;
    if head > Position::START {
        tracing::info!(
            events = head.0,
            "computing the digest of the log, after an upgrade"
        );
    }
    let digest = fold_log(pool, head, Buckets::ALL).await?.digest();
    let kept = log_head::keep_digest(pool, epoch, head, &digest);
    Ok(within(Duration::from_secs(KEEP_S_MAX), kept).await?)
}

async fn replaced_between(
    db: &mut PgConnection,
    after: Position,
    up_to: Position,
) -> Result<Replaced, LogError> {
    let query =
        format!("SELECT {HASHED_ROWS} FROM event_log WHERE position > $1 AND position <= $2");
    let rows: HashedRows = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(after.to_i64())
        .bind(up_to.to_i64())
        .fetch_one(&mut *db)
        .await?;
    rows.replaced(db, after, up_to).await
}

/// Folds the JSON of the events up to `up_to`; hashes that the log keeps are not looked at. Memory
/// grows with the live products of the buckets, not with the log.
pub(crate) async fn fold_log(
    pool: &PgPool,
    up_to: Position,
    buckets: Buckets,
) -> Result<LogFold, LogError> {
    let mut fold = LogFold::new(buckets);
    let mut reached = Position::START;
    while reached < up_to {
        let limit = FOLD_EVENTS_MAX.min(reached.lag_to(up_to) as i64);
        let page = read_events(pool, reached, limit, FOLD_BYTES_MAX);
        let rows = within(Duration::from_secs(FOLD_READ_S_MAX), page).await?;
        if rows.is_empty() {
            return Err(LogError::Corrupt(reached.next()));
        }
        for row in rows {
            reached = reached.next();
            let (id, version, product) = row.into_product(reached)?;
            let content = product.map(|product| ContentHash::of(&id, version, &product));
            fold.apply(id, version, content);
        }
        // Hashing is work for the processor: let others have their turn.
        tokio::task::yield_now().await;
    }
    Ok(fold)
}
