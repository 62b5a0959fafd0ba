//! Requests that were answered, and their answers. Both belong to the transaction of the write: a
//! write that does not happen leaves no answer.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};

use crate::domain::RequestKey;

/// What stands under a request id.
#[derive(Debug)]
pub(crate) enum Claim<T> {
    /// Nothing yet: this transaction answers the request, and [`remember`] keeps the answer.
    Ours,
    /// The answer that the same request got before.
    Answered(T),
    /// The answer to another request.
    Reused,
}

/// Takes the request id, once no other transaction holds it. An expired answer counts as none.
pub(crate) async fn claim<T: DeserializeOwned>(
    db: &mut PgConnection,
    key: &RequestKey,
    keep_hours: u16,
) -> sqlx::Result<Claim<T>> {
    // Waits for a transaction that has inserted the same id. `DO UPDATE` also locks the row that it
    // leaves as it is, so that it cannot be purged before it is read.
    let claimed = sqlx::query(
        "INSERT INTO idempotency (request_id, request_hash, outcome, expires_at)
         VALUES ($1, $2, 'null', now() + $3 * interval '1 hour')
         ON CONFLICT (request_id) DO UPDATE
         SET request_hash = excluded.request_hash, outcome = excluded.outcome,
             expires_at = excluded.expires_at
         WHERE idempotency.expires_at <= now()",
    )
    .bind(key.id.as_str())
    .bind(key.hash)
    .bind(i32::from(keep_hours))
    .execute(&mut *db)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::Ours);
    }
    let (hash, outcome): (Vec<u8>, Json<Box<RawValue>>) =
        sqlx::query_as("SELECT request_hash, outcome FROM idempotency WHERE request_id = $1")
            .bind(key.id.as_str())
            .fetch_one(db)
            .await?;
    if hash != key.hash {
        return Ok(Claim::Reused);
    }
    let outcome = serde_json::from_str(outcome.0.get());
    Ok(Claim::Answered(
        outcome.map_err(|err| sqlx::Error::Decode(err.into()))?,
    ))
}

/// Keeps the answer to a request that [`claim`] gave to this transaction.
pub(crate) async fn remember<T: Serialize>(
    db: &mut PgConnection,
    key: &RequestKey,
    outcome: &T,
) -> sqlx::Result<()> {
    let outcome = serde_json::to_string(outcome).map_err(|err| sqlx::Error::Encode(err.into()))?;
    sqlx::query("UPDATE idempotency SET outcome = $2::json WHERE request_id = $1")
        .bind(key.id.as_str())
        .bind(outcome)
        .execute(db)
        .await?;
    Ok(())
}

/// Deletes up to `limit` expired answers, the oldest first, and returns how many they were.
pub(crate) async fn purge_expired(pool: &PgPool, limit: i64) -> sqlx::Result<u64> {
    let purged = sqlx::query(
        "DELETE FROM idempotency WHERE request_id IN (
             SELECT request_id FROM idempotency WHERE expires_at <= now()
             ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
         )",
    )
    .bind(limit)
    .execute(pool)
    .await?;
    Ok(purged.rows_affected())
}
