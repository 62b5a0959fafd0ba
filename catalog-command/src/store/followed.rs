//! Events in the order of the log, for whoever follows them: read in pages of bounded size, each from a
//! bounded part of the log, however few events of it are wanted.

use catalog_events::{Change, FeedFilter, FeedType, Position, ProductId, Version};
use serde_json::value::RawValue;
use sqlx::PgPool;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{LogError, PastEvent, soon};

const EVENTS_IN_PAGE_MAX: i64 = 500;
/// The most bytes of the products of a page as JSON, but for the first of them.
const PAGE_BYTES_MAX: i64 = 2 * 1024 * 1024;
/// How many positions one page looks at.
const POSITIONS_IN_PAGE_MAX: u64 = 10_000;

/// The ends of both logs, that of products and that of search rules.
pub(crate) async fn heads(pool: &PgPool) -> sqlx::Result<(Position, Position)> {
    let heads = sqlx::query_as(
        "SELECT (SELECT position FROM log_head), (SELECT position FROM rule_log_head)",
    );
    let (products, rules) = soon(heads.fetch_one(pool)).await?;
    Ok((Position::from_i64(products), Position::from_i64(rules)))
}

/// The wanted events of products after `after` up to `head`, and the position up to which there are no
/// others. The head has been read before.
pub(crate) async fn followed_events(
    pool: &PgPool,
    filter: &FeedFilter,
    after: Position,
    head: Position,
) -> Result<(Vec<(ProductId, PastEvent)>, Position), LogError> {
    let kind = |kind: &FeedType| match kind {
        FeedType::Product(kind) => Some(kind.as_str()),
        FeedType::RulePut | FeedType::RuleDeleted => None,
    };
    let kinds: Vec<&str> = filter.types().iter().filter_map(kind).collect();
    if kinds.is_empty() {
        return Ok((Vec::new(), head));
    }
    let ids: Vec<&str> = filter.ids().map(ProductId::as_str).collect();
    let end = head.min(Position(after.0 + POSITIONS_IN_PAGE_MAX));
    let rows: Vec<FollowedRow> = soon(
        sqlx::query_as(
            "SELECT position, event_id, product_id, version, occurred_at, actor, change, product, found
             FROM (
                 SELECT *, count(*) OVER () AS found, row_number() OVER in_order AS place,
                        sum(coalesce(octet_length(product::text), 0)) OVER in_order AS bytes
                 FROM (
                     SELECT * FROM event_log
                     WHERE position > $1 AND position <= $2 AND event_type = ANY($3)
                         AND (cardinality($4::text[]) = 0 OR product_id = ANY($4))
                     ORDER BY position LIMIT $5
                 ) AS next
                 WINDOW in_order AS (ORDER BY position)
             ) AS page
             WHERE bytes <= $6 OR place = 1
             ORDER BY position",
        )
        .bind(after.to_i64())
        .bind(end.to_i64())
        .bind(kinds)
        .bind(ids)
        .bind(EVENTS_IN_PAGE_MAX)
        .bind(PAGE_BYTES_MAX)
        .fetch_all(pool),
    )
    .await?;
    let read = rows.len() as i64;
    let reached = match rows.last() {
        Some(last) if last.found > read || read == EVENTS_IN_PAGE_MAX => {
            Position::from_i64(last.position)
        }
        _ => end,
    };
    let events: Result<_, _> = rows.into_iter().map(FollowedRow::into_event).collect();
    Ok((events?, reached))
}

#[derive(sqlx::FromRow)]
struct FollowedRow {
    position: i64,
    event_id: Uuid,
    product_id: String,
    version: i64,
    occurred_at: OffsetDateTime,
    actor: String,
    change: Json<Change>,
    product: Option<Json<Box<RawValue>>>,
    /// How many events there are on the page before bytes bound it.
    found: i64,
}

impl FollowedRow {
    fn into_event(self) -> Result<(ProductId, PastEvent), LogError> {
        let position = Position::from_i64(self.position);
        let corrupt = || LogError::Corrupt(position);
        let product = self
            .product
            .map(|Json(json)| serde_json::from_str(json.get()));
        let event = PastEvent {
            version: Version::new(self.version).ok_or_else(corrupt)?,
            position,
            event_id: self.event_id,
            occurred_at: self.occurred_at,
            actor: self.actor,
            change: self.change.0,
            product: product.transpose().map_err(|_| corrupt())?,
        };
        Ok((self.product_id.parse().map_err(|_| corrupt())?, event))
    }
}
