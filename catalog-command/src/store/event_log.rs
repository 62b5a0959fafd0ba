//! The event log: filled from the outbox by the sequencer, read by the relay and by operators.

use std::time::Duration;

use catalog_events::{
    EncodedMessage, Envelope, EventType, Position, Product, ProductId, Version, encode,
};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::hashed_rows::{HASHED_ROWS, HashedRows};
use crate::store::{Epoch, LogError, log_head, soon};

/// What became of an attempt to extend the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequenced {
    /// The epoch is no longer the current one: nothing was moved.
    Fenced,
    /// The digest at the head is still to be computed: nothing was moved.
    NoDigest,
    /// So much was moved.
    Moved(Moved),
}

/// What a step moved, and who wrote when it looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The events that got a position.
    pub(crate) events: u64,
    /// The highest id in the outbox of those; none where there were none.
    pub(crate) last_id: Option<i64>,
    /// The oldest transaction that had begun to write and not ended.
    pub(crate) oldest_writer: u64,
    /// The transaction of the step itself.
    pub(crate) writer: u64,
}

/// Moves up to `limit` events from the outbox to the log, numbers them without a gap, and updates the
/// digest of the log by them. Rows with an id of at most `floor` are not looked for.
///
/// What is moved is a range of ids rather than a set: statistics that were taken when the outbox was nearly
/// empty would have a set compared with every row of an outbox that an import just filled.
pub(crate) async fn sequence(
    pool: &PgPool,
    epoch: Epoch,
    floor: i64,
    limit: i64,
) -> Result<Sequenced, LogError> {
    let mut tx = pool.begin().await?;
    let Some(head) = log_head::lock(&mut tx, epoch).await? else {
        return Ok(Sequenced::Fenced);
    };
    let Some(mut digest) = head.digest else {
        return Ok(Sequenced::NoDigest);
    };
    let query = format!(
        "WITH moved AS (
             DELETE FROM outbox
             WHERE id > $3
               AND id <= (SELECT max(id)
                          FROM (SELECT id FROM outbox WHERE id > $3 ORDER BY id LIMIT $2) AS due)
             RETURNING *
         ), logged AS (
             INSERT INTO event_log
                 (position, event_id, product_id, version, event_type, occurred_at, actor,
                  traceparent, change, product, content_hash, previous_hash, hashed)
             SELECT $1 + row_number() OVER (ORDER BY id), event_id, product_id, version,
                    event_type, occurred_at, actor, traceparent, change, product, content_hash,
                    previous_hash, hashed
             FROM moved
             RETURNING content_hash, previous_hash, hashed
         )
         SELECT {HASHED_ROWS}, (SELECT max(id) FROM moved) AS last_id,
                pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_writer,
                pg_current_xact_id()::text::bigint AS writer
         FROM logged"
    );
    let step: Step = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(head.position.to_i64())
        .bind(limit)
        .bind(floor)
        .fetch_one(&mut *tx)
        .await?;
    let moved = step.moved();
    if moved.events > 0 {
        let reached = Position(head.position.0 + moved.events);
        let rows = step.rows;
        let replaced = rows.replaced(&mut tx, head.position, reached).await?;
        digest.wind(&replaced);
        log_head::extend(&mut tx, reached, &digest).await?;
        tx.commit().await?;
    }
    Ok(Sequenced::Moved(moved))
}

#[derive(sqlx::FromRow)]
struct Step {
    #[sqlx(flatten)]
    rows: HashedRows,
    last_id: Option<i64>,
    oldest_writer: i64,
    writer: i64,
}

impl Step {
    fn moved(&self) -> Moved {
        Moved {
            events: u64::try_from(self.rows.events).unwrap_or(0),
            last_id: self.last_id,
            oldest_writer: self.oldest_writer as u64,
            writer: self.writer as u64,
        }
    }
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

    /// The event as a message of the stream; `expected` is where it must stand.
    pub(crate) fn into_message(
        self,
        expected: Position,
    ) -> Result<(RawEvent, EncodedMessage), LogError> {
        let corrupt = || LogError::Corrupt(expected);
        let (event_type, event) = self.into_event().ok_or_else(corrupt)?;
        if event.position != expected {
            return Err(corrupt());
        }
        let message = encode(event_type, &event).map_err(|_| corrupt())?;
        Ok((event, message))
    }

    /// The product after the event; none after a deletion. `expected` is where the event must stand.
    pub(crate) fn into_product(
        self,
        expected: Position,
    ) -> Result<(ProductId, Version, Option<Product>), LogError> {
        let corrupt = || LogError::Corrupt(expected);
        let (_, event) = self.into_event().ok_or_else(corrupt)?;
        if event.position != expected {
            return Err(corrupt());
        }
        let product = event
            .product
            .as_deref()
            .map(|json| serde_json::from_str(json.get()))
            .transpose()
            .map_err(|_| corrupt())?;
        Ok((event.product_id, event.version, product))
    }

    pub(crate) fn position(&self) -> Position {
        Position::from_i64(self.position)
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
             SELECT *, sum(octet_length(change::text) + coalesce(octet_length(product::text), 0))
                           OVER (ORDER BY position) AS bytes
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

/// The last event of each of `ids` at or before `position`; products that are newer have none.
pub(crate) async fn read_last_events(
    pool: &PgPool,
    ids: &[&str],
    position: Position,
) -> sqlx::Result<Vec<EventRow>> {
    sqlx::query_as(
        "SELECT last.position, last.event_id, last.product_id, last.version, last.event_type,
                last.occurred_at, last.actor, last.traceparent, last.change, last.product
         FROM unnest($1::text[]) AS wanted (id)
         CROSS JOIN LATERAL (
             SELECT * FROM event_log
             WHERE product_id = wanted.id AND position <= $2
             ORDER BY version DESC LIMIT 1
         ) AS last",
    )
    .bind(ids)
    .bind(position.to_i64())
    .fetch_all(pool)
    .await
}

/// The id of the event at `position`.
pub(crate) async fn event_id_at(pool: &PgPool, position: Position) -> sqlx::Result<Option<Uuid>> {
    let id = sqlx::query_scalar("SELECT event_id FROM event_log WHERE position = $1");
    soon(id.bind(position.to_i64()).fetch_optional(pool)).await
}

/// The position of the first event up to `head` that is younger than `age`; the one after the head
/// when none is. It is found by bisection: times grow with positions, but for the skew of the writers'
/// clocks.
pub(crate) async fn first_position_younger_than(
    pool: &PgPool,
    head: Position,
    age: Duration,
) -> sqlx::Result<Position> {
    let (mut low, mut high) = (1, head.0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let young = sqlx::query_scalar(
            "SELECT occurred_at > clock_timestamp() - $2 * interval '1 second'
             FROM event_log WHERE position = $1",
        )
        .bind(Position(middle).to_i64())
        .bind(age.as_secs_f64())
        .fetch_optional(pool);
        if soon(young).await? == Some(true) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Position(low))
}

/// The most events of a backlog that are counted, since it is looked at every few seconds.
const BACKLOG_COUNTED_MAX: i64 = 100_000;

/// How many committed events have no position yet, one more than [`BACKLOG_COUNTED_MAX`] where there
/// are more, and since when the oldest of them waits. They are counted along the index: the table itself is
/// bloated by all rows that went through it.
pub(crate) async fn outbox_backlog(
    db: &mut PgConnection,
) -> sqlx::Result<(i64, Option<OffsetDateTime>)> {
    let backlog = sqlx::query_as(
        "SELECT (SELECT count(*) FROM (SELECT FROM outbox ORDER BY id LIMIT $1) AS counted),
                (SELECT occurred_at FROM outbox ORDER BY id LIMIT 1)",
    );
    soon(backlog.bind(BACKLOG_COUNTED_MAX + 1).fetch_one(db)).await
}
