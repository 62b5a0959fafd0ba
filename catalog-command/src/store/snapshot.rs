//! The products as they were at one position of the log, page by page in the order of their ids. Events
//! at or before a position never change, so that no page needs a transaction that spans the others.

use std::time::Duration;

use catalog_events::{Position, Product};
use sqlx::PgPool;
use sqlx::types::Json;

use crate::store::connections::within;
use crate::store::log_head::Head;

/// How long a query may take on its way: longer than Postgres itself lets it run.
const ANSWER_S_MAX: u64 = 30;
/// The most events between a position and the head whose creations and deletions are counted.
const COUNTED_EVENTS_MAX: u64 = 100_000;

/// Which part of the products is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SnapshotPage<'p> {
    pub(crate) position: Position,
    /// The id that all products come behind; empty for the first page.
    pub(crate) after: &'p str,
    pub(crate) limit: i64,
    /// The most bytes of the products as JSON; the first product comes whatever its size.
    pub(crate) bytes_max: i64,
    /// Whether the products themselves are read, or only what there is.
    pub(crate) contents: bool,
}

/// One id and what it stood for at the position.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SnapshotRow {
    pub(crate) id: String,
    /// The version at the position; none for a product that is newer.
    pub(crate) version: Option<i64>,
    /// False for a product that is newer, or was deleted.
    pub(crate) live: bool,
    /// The product, where it is live and asked for.
    pub(crate) product: Option<Json<Product>>,
}

/// The next ids in their order, also those of products that are newer or deleted. The ids come from the
/// table of products, where a product keeps its row for good, as a tombstone at least; all else comes
/// from the log, by the index of its unique versions.
pub(crate) async fn snapshot_page(
    pool: &PgPool,
    page: SnapshotPage<'_>,
) -> sqlx::Result<Vec<SnapshotRow>> {
    let rows = sqlx::query_as(
        "SELECT id, version, live, product
         FROM (
             SELECT listed.id, last.version, last.product IS NOT NULL AS live,
                    CASE WHEN $4 THEN last.product END AS product,
                    row_number() OVER by_id AS place,
                    sum(CASE WHEN $4 THEN octet_length(last.product::text) END) OVER by_id AS bytes
             FROM (SELECT id FROM products WHERE id > $2 ORDER BY id LIMIT $3) AS listed
             LEFT JOIN LATERAL (
                 SELECT version, product FROM event_log
                 WHERE product_id = listed.id AND position <= $1
                 ORDER BY version DESC LIMIT 1
             ) AS last ON true
             WINDOW by_id AS (ORDER BY listed.id)
         ) AS page
         WHERE bytes IS NULL OR bytes <= $5 OR place = 1
         ORDER BY id",
    )
    .bind(page.position.to_i64())
    .bind(page.after)
    .bind(page.limit)
    .bind(page.contents)
    .bind(page.bytes_max)
    .fetch_all(pool);
    within(Duration::from_secs(ANSWER_S_MAX), rows).await
}

/// How many products were live at `position`, told from the count at the head and what became of it
/// since: an estimate where that is too long ago to be counted. None while the head has no count.
pub(crate) async fn live_products(
    pool: &PgPool,
    head: &Head,
    position: Position,
) -> sqlx::Result<Option<i64>> {
    let Some(digest) = &head.digest else {
        return Ok(None);
    };
    let counted_from = position
        .0
        .max(head.position.0.saturating_sub(COUNTED_EVENTS_MAX));
    if counted_from >= head.position.0 {
        return Ok(Some(digest.documents));
    }
    let grown = sqlx::query_scalar(
        "SELECT count(*) FILTER (WHERE event_type = 'created')
              - count(*) FILTER (WHERE event_type = 'deleted')
         FROM event_log WHERE position > $1 AND position <= $2",
    )
    .bind(Position(counted_from).to_i64())
    .bind(head.position.to_i64())
    .fetch_one(pool);
    let grown: i64 = within(Duration::from_secs(ANSWER_S_MAX), grown).await?;
    Ok(Some(digest.documents - grown))
}
