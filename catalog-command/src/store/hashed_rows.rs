//! The content hashes that events of the log carry, put together by Postgres, and computed where rows
//! are older than the hashes.

use catalog_events::{ContentHash, Position, Product, ProductId, Version};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::Replaced;
use crate::store::LogError;

/// The hashes of some rows, put together by Postgres: one small row instead of one for each event.
#[derive(sqlx::FromRow)]
pub(crate) struct HashedRows {
    /// The number of rows.
    pub(crate) events: i64,
    /// The number of rows from before hashes were kept.
    pub(crate) unhashed: i64,
    content: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
}

/// The columns of [`HashedRows`], over `event_log` or rows that were just inserted into it.
pub(crate) const HASHED_ROWS: &str = "count(*) AS events, \
     count(*) FILTER (WHERE NOT hashed) AS unhashed, \
     string_agg(content_hash, ''::bytea) FILTER (WHERE hashed) AS content, \
     string_agg(previous_hash, ''::bytea) FILTER (WHERE hashed) AS previous";

impl HashedRows {
    /// What the rows replaced. The hashes of rows without any are computed; these are among the events
    /// after `after` up to `up_to`.
    pub(crate) async fn replaced(
        &self,
        db: &mut PgConnection,
        after: Position,
        up_to: Position,
    ) -> Result<Replaced, LogError> {
        let mut replaced = Replaced {
            content: hashes(self.content.as_deref(), up_to)?,
            previous: hashes(self.previous.as_deref(), up_to)?,
        };
        if self.unhashed > 0 {
            add_unhashed(db, after, up_to, &mut replaced).await?;
        }
        Ok(replaced)
    }
}

type JsonProduct = Option<Json<Product>>;

/// Computes the hashes of rows without any from the JSON of the events and of the events before them.
async fn add_unhashed(
    db: &mut PgConnection,
    after: Position,
    up_to: Position,
    replaced: &mut Replaced,
) -> Result<(), LogError> {
    let rows: Vec<(i64, String, i64, JsonProduct, JsonProduct)> = sqlx::query_as(
        "SELECT event.position, event.product_id, event.version, event.product, previous.product
         FROM event_log AS event
         LEFT JOIN event_log AS previous
             ON previous.product_id = event.product_id AND previous.version = event.version - 1
         WHERE event.position > $1 AND event.position <= $2 AND NOT event.hashed",
    )
    .bind(after.to_i64())
    .bind(up_to.to_i64())
    .fetch_all(db)
    .await?;
    for (position, id, version, product, previous) in rows {
        let corrupt = LogError::Corrupt(Position::from_i64(position));
        let (Ok(id), Some(now)) = (id.parse::<ProductId>(), Version::new(version)) else {
            return Err(corrupt);
        };
        if let Some(Json(product)) = product {
            replaced.content.push(ContentHash::of(&id, now, &product));
        }
        if let (Some(Json(product)), Some(was)) = (previous, Version::new(version - 1)) {
            replaced.previous.push(ContentHash::of(&id, was, &product));
        }
    }
    Ok(())
}

fn hashes(bytes: Option<&[u8]>, near: Position) -> Result<Vec<ContentHash>, LogError> {
    let (hashes, rest) = bytes.unwrap_or_default().as_chunks::<16>();
    if !rest.is_empty() {
        return Err(LogError::Corrupt(near));
    }
    Ok(hashes
        .iter()
        .copied()
        .map(ContentHash::from_bytes)
        .collect())
}
