//! Events that could not be applied: kept with their error, so that the projection goes on without
//! them, until a later event of the product brings its whole state.

use catalog_events::{Position, ProductEvent};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::events::Unreadable;
use crate::read_model::ReadModel;

const ERROR_CHARS_MAX: usize = 1_000;

/// A parked event, which waits to be healed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct ParkedEvent {
    pub(crate) position: i64,
    /// None when the message did not name one.
    pub(crate) product_id: Option<String>,
    pub(crate) error: String,
    pub(crate) parked_at: OffsetDateTime,
    pub(crate) retries: i32,
}

impl ReadModel {
    /// The first parked events after position `after`; only those at `positions`, if any are named.
    pub(crate) async fn parked_after(
        &self,
        after: i64,
        positions: &[i64],
        limit: i64,
    ) -> sqlx::Result<Vec<ParkedEvent>> {
        sqlx::query_as(
            "SELECT position, product_id, error, parked_at, retries FROM parked_events
             WHERE position > $1 AND (cardinality($2) = 0 OR position = ANY($2))
             ORDER BY position LIMIT $3",
        )
        .bind(after)
        .bind(positions)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    pub(crate) async fn parked_count(&self) -> sqlx::Result<i64> {
        sqlx::query_scalar("SELECT count(*) FROM parked_events")
            .fetch_one(&self.pool)
            .await
    }

    /// Forgets the parked events at `positions`, whose changes are applied; returns how many.
    pub(crate) async fn remove_parked(&self, positions: &[Position]) -> sqlx::Result<u64> {
        let removed = sqlx::query("DELETE FROM parked_events WHERE position = ANY($1)")
            .bind(as_numbers(positions))
            .execute(&self.pool)
            .await?;
        Ok(removed.rows_affected())
    }

    /// Notes that the event at `position` was tried again in vain, and why.
    pub(crate) async fn retry_failed(&self, position: Position, error: &str) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE parked_events SET retries = retries + 1, error = $2 WHERE position = $1",
        )
        .bind(position.to_i64())
        .bind(storable(error))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Parks events, within the transaction that moves the checkpoint over them.
pub(crate) async fn park(db: &mut PgConnection, events: &[&Unreadable]) -> sqlx::Result<()> {
    for event in events {
        tracing::error!(
            position = %event.position,
            product = event.product_id.as_ref().map(|id| id.as_str()),
            "event parked: {}", event.error
        );
        sqlx::query(
            "INSERT INTO parked_events (position, product_id, error, payload)
             VALUES ($1, $2, $3, $4) ON CONFLICT (position) DO NOTHING",
        )
        .bind(event.position.to_i64())
        .bind(event.product_id.as_ref().map(|id| id.as_str()))
        .bind(storable(&event.error))
        .bind(event.payload.as_ref())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Removes the parked events that lie before one of `events` of the same product.
pub(crate) async fn heal<'a>(
    db: &mut PgConnection,
    events: impl IntoIterator<Item = &'a ProductEvent>,
) -> sqlx::Result<()> {
    let (ids, positions): (Vec<&str>, Vec<i64>) = events
        .into_iter()
        .map(|event| (event.product_id.as_str(), event.position.to_i64()))
        .unzip();
    let healed: Vec<i64> = sqlx::query_scalar(
        "DELETE FROM parked_events parked
         USING unnest($1::text[], $2::bigint[]) AS later (product_id, position)
         WHERE parked.product_id = later.product_id AND parked.position < later.position
         RETURNING parked.position",
    )
    .bind(ids)
    .bind(positions)
    .fetch_all(db)
    .await?;
    for position in healed {
        tracing::info!(
            position,
            "parked event healed by a later one of its product"
        );
    }
    Ok(())
}

/// Makes an error fit the column: it may be long, and may quote a NUL, which Postgres refuses to hold.
fn storable(error: &str) -> String {
    let chars = error.chars().filter(|char| *char != '\0');
    chars.take(ERROR_CHARS_MAX).collect()
}

fn as_numbers(positions: &[Position]) -> Vec<i64> {
    positions.iter().map(|position| position.to_i64()).collect()
}
