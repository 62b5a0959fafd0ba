//! What happened to one product: its events of the log, and those that have no position yet.

use catalog_events::{Change, Position, Product, ProductId, Version};
use sqlx::PgPool;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Which events of a product are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// The version that all events come before.
    pub(crate) before: i64,
    /// The time up to which events are wanted; the event of version `newest` comes in any case.
    pub(crate) until: Option<OffsetDateTime>,
    /// The version of the product when the question came.
    pub(crate) newest: Version,
    pub(crate) limit: i64,
    /// The most bytes of the products as JSON; the first event comes whatever its size.
    pub(crate) bytes_max: i64,
}

/// An event of one product.
#[derive(Clone, Debug)]
pub(crate) struct PastEvent {
    pub(crate) version: Version,
    /// The position in the log; the start of the log for the moment before the event gets one.
    pub(crate) position: Position,
    pub(crate) event_id: Uuid,
    pub(crate) occurred_at: OffsetDateTime,
    pub(crate) actor: String,
    pub(crate) change: Change,
    pub(crate) product: Option<Product>,
}

/// The version of a product, deleted or not; none when there never was such a product.
pub(crate) async fn product_version(
    pool: &PgPool,
    id: &ProductId,
) -> sqlx::Result<Option<Version>> {
    let version: Option<i64> = sqlx::query_scalar("SELECT version FROM products WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(version.and_then(Version::new))
}

/// The events of a product, newest first. One statement, so that the sequencer cannot move an event
/// from one table to the other between two looks. The outbox is a queue without an index by
/// product: only the oldest 50,000 events of it are looked at.
pub(crate) async fn product_events(
    pool: &PgPool,
    id: &ProductId,
    range: Range,
) -> sqlx::Result<Vec<PastEvent>> {
    let rows: Vec<EventRow> = sqlx::query_as(
        "SELECT version, position, event_id, occurred_at, actor, change, product
         FROM (
             SELECT *, row_number() OVER newest_first AS place,
                    sum(coalesce(octet_length(product::text), 0)) OVER newest_first AS bytes
             FROM (
                 (SELECT version, position, event_id, occurred_at, actor, change, product
                  FROM event_log
                  WHERE product_id = $1 AND version < $2
                      AND ($3::timestamptz IS NULL OR occurred_at <= $3 OR version = $4)
                  ORDER BY version DESC LIMIT $5)
                 UNION ALL
                 (SELECT version, 0, event_id, occurred_at, actor, change, product
                  FROM (SELECT * FROM outbox ORDER BY id LIMIT 50000) AS pending
                  WHERE product_id = $1 AND version < $2
                      AND ($3::timestamptz IS NULL OR occurred_at <= $3 OR version = $4)
                  ORDER BY version DESC LIMIT $5)
             ) AS events
             WINDOW newest_first AS (ORDER BY version DESC)
         ) AS page
         WHERE place <= $5 AND (bytes <= $6 OR place = 1)
         ORDER BY version DESC",
    )
    .bind(id.as_str())
    .bind(range.before)
    .bind(range.until)
    .bind(range.newest.get())
    .bind(range.limit)
    .bind(range.bytes_max)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(EventRow::into_event).collect()
}

#[derive(sqlx::FromRow)]
struct EventRow {
    version: i64,
    position: i64,
    event_id: Uuid,
    occurred_at: OffsetDateTime,
    actor: String,
    change: Json<Change>,
    product: Option<Json<Product>>,
}

impl EventRow {
    fn into_event(self) -> sqlx::Result<PastEvent> {
        let version = Version::new(self.version);
        Ok(PastEvent {
            version: version.ok_or_else(|| sqlx::Error::Decode("bad version".into()))?,
            position: Position::from_i64(self.position),
            event_id: self.event_id,
            occurred_at: self.occurred_at,
            actor: self.actor,
            change: self.change.0,
            product: self.product.map(|Json(product)| product),
        })
    }
}
