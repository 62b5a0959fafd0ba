//! The event log: filled from the outbox by the sequencer, read by the relay.

use catalog_events::{Envelope, EventType, Position, Version};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::Epoch;

/// Moves up to `limit` events from the outbox to the log and numbers them without a gap. Returns
/// how many, or none when `epoch` is no longer the current one: then nothing was moved.
pub(crate) async fn sequence(pool: &PgPool, epoch: Epoch, limit: i64) -> sqlx::Result<Option<u64>> {
    let mut tx = pool.begin().await?;
    let head: Option<i64> =
        sqlx::query_scalar("SELECT position FROM log_head WHERE epoch = $1 FOR UPDATE")
            .bind(epoch.0)
            .fetch_optional(&mut *tx)
            .await?;
    let Some(head) = head else {
        return Ok(None);
    };
    let moved = sqlx::query(
        "WITH moved AS (
             DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT $2)
             RETURNING *
         )
         INSERT INTO event_log
             (position, event_id, product_id, version, event_type, occurred_at, actor,
              traceparent, change, product)
         SELECT $1 + row_number() OVER (ORDER BY id), event_id, product_id, version, event_type,
                occurred_at, actor, traceparent, change, product
         FROM moved",
    )
    .bind(head)
    .bind(limit)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if moved > 0 {
        sqlx::query("UPDATE log_head SET position = position + $1")
            .bind(moved as i64)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
    }
    Ok(Some(moved))
}

/// An event whose change and product stay text.
pub(crate) type RawEvent = Envelope<Box<RawValue>, Box<RawValue>>;

/// One event as the log keeps it.
#[derive(sqlx::FromRow)]
pub(crate) struct EventRow {
    position: i64,
    event_id: Uuid,
    product_id: String,
    version: i64,
    event_type: String,
    occurred_at: OffsetDateTime,
    actor: String,
    traceparent: Option<String>,
    change: Json<Box<RawValue>>,
    product: Option<Json<Box<RawValue>>>,
}

impl EventRow {
    pub(crate) fn into_event(self) -> Option<(EventType, RawEvent)> {
        let envelope = Envelope {
            event_id: self.event_id,
            position: Position::from_i64(self.position),
            product_id: self.product_id.parse().ok()?,
            version: Version::new(self.version)?,
            occurred_at: self.occurred_at,
            actor: self.actor,
            traceparent: self.traceparent,
            change: self.change.0,
            product: self.product.map(|Json(product)| product),
        };
        Some((EventType::parse(&self.event_type)?, envelope))
    }
}

/// The events after `position`, in order: at most `limit`, and at most `bytes_max` as they are
/// stored, but one at least.
pub(crate) async fn read_events(
    pool: &PgPool,
    position: Position,
    limit: i64,
    bytes_max: i64,
) -> sqlx::Result<Vec<EventRow>> {
    sqlx::query_as(
        "SELECT position, event_id, product_id, version, event_type, occurred_at, actor,
                traceparent, change, product
         FROM (
             SELECT *, sum(coalesce(pg_column_size(product), 0)) OVER (ORDER BY position) AS bytes
             FROM event_log WHERE position > $1 ORDER BY position LIMIT $2
         ) AS next
         WHERE bytes <= $3 OR position = $1 + 1
         ORDER BY position",
    )
    .bind(position.to_i64())
    .bind(limit)
    .bind(bytes_max)
    .fetch_all(pool)
    .await
}

/// How many committed events have no position yet, and since when the oldest of them waits.
pub(crate) async fn outbox_backlog(
    db: &mut PgConnection,
) -> sqlx::Result<(i64, Option<OffsetDateTime>)> {
    sqlx::query_as("SELECT count(*), min(occurred_at) FROM outbox")
        .fetch_one(db)
        .await
}
