//! Events as webhooks are sent them: what subscribers of NATS get, with the type in front.

use bytes::Bytes;
use catalog_events::{FeedFilter, FeedType, Position};
use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::store::event_log::EventRow;
use crate::store::rules::{RuleEventRow, read_rule_events};
use crate::store::{LogError, soon};

/// How many positions one page looks at.
const POSITIONS_IN_PAGE_MAX: u64 = 10_000;

/// One of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LogKind {
    Products,
    Rules,
}

impl LogKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Products => "product",
            Self::Rules => "rule",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Products, Self::Rules];
        all.into_iter().find(|log| log.as_str() == name)
    }
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LogSpot {
    pub(crate) log: LogKind,
    pub(crate) position: Position,
}

/// An event that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct NotifiedEvent {
    pub(crate) spot: LogSpot,
    pub(crate) event_id: Uuid,
    pub(crate) kind: FeedType,
    /// The id of the product or of the rule.
    pub(crate) subject: String,
    pub(crate) body: Bytes,
}

/// How much one page may have: the first event comes whatever its size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageBounds {
    pub(crate) events: i64,
    pub(crate) bytes: i64,
}

#[derive(Serialize)]
struct Payload<'a, E> {
    r#type: &'a str,
    timestamp: String,
    data: &'a E,
}

/// The wanted events of products after `after` up to `head`, and the position up to which there are no others.
pub(crate) async fn product_events_after(
    pool: &PgPool,
    filter: &FeedFilter,
    after: Position,
    head: Position,
    bounds: PageBounds,
) -> Result<(Vec<NotifiedEvent>, Position), LogError> {
    let kinds = filter.types().iter().filter_map(|kind| match kind {
        FeedType::Product(kind) => Some(kind.as_str()),
        FeedType::RulePut | FeedType::RuleDeleted => None,
    });
    let kinds: Vec<&str> = kinds.collect();
    if kinds.is_empty() {
        return Ok((Vec::new(), head));
    }
    let ids: Vec<&str> = filter.ids().map(|id| id.as_str()).collect();
    let end = head.min(Position(after.0 + POSITIONS_IN_PAGE_MAX));
    let rows: Vec<WantedRow> = soon(
        sqlx::query_as(
            "SELECT position, event_id, product_id, version, event_type, occurred_at, actor,
                    traceparent, change, product, found
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
        .bind(bounds.events)
        .bind(bounds.bytes)
        .fetch_all(pool),
    )
    .await?;
    let read = rows.len() as i64;
    let cut = rows
        .last()
        .is_some_and(|last| last.found > read || read == bounds.events);
    let events: Result<Vec<_>, _> = rows.into_iter().map(|row| of_product(row.event)).collect();
    let events = events?;
    let reached = match events.last() {
        Some(last) if cut => last.spot.position,
        _ => end,
    };
    Ok((events, reached))
}

#[derive(sqlx::FromRow)]
struct WantedRow {
    #[sqlx(flatten)]
    event: EventRow,
    /// How many events there are on the page before bytes bound it.
    found: i64,
}

/// The wanted events of rules after `after`, and the position that was read up to.
pub(crate) async fn rule_events_after(
    pool: &PgPool,
    filter: &FeedFilter,
    after: Position,
    bounds: PageBounds,
) -> Result<(Vec<NotifiedEvent>, Position), LogError> {
    let mut reached = after;
    let mut events = Vec::new();
    for row in soon(read_rule_events(pool, after, bounds.events, bounds.bytes)).await? {
        reached = reached.next();
        let event = of_rule(row, reached)?;
        if filter.wants(event.kind, None) {
            events.push(event);
        }
    }
    Ok((events, reached))
}

/// The event that stands there.
pub(crate) async fn event_at(pool: &PgPool, spot: LogSpot) -> Result<NotifiedEvent, LogError> {
    let position = spot.position;
    match spot.log {
        LogKind::Products => {
            let row: Option<EventRow> = soon(
                sqlx::query_as("SELECT * FROM event_log WHERE position = $1")
                    .bind(position.to_i64())
                    .fetch_optional(pool),
            )
            .await?;
            of_product(row.ok_or(LogError::Corrupt(position))?)
        }
        LogKind::Rules => {
            let row: Option<RuleEventRow> = soon(
                sqlx::query_as("SELECT * FROM rule_log WHERE position = $1")
                    .bind(position.to_i64())
                    .fetch_optional(pool),
            )
            .await?;
            of_rule(row.ok_or(LogError::Corrupt(position))?, position)
        }
    }
}

fn of_product(row: EventRow) -> Result<NotifiedEvent, LogError> {
    let position = row.position();
    let corrupt = || LogError::Corrupt(position);
    let (kind, event) = row.into_event().ok_or_else(corrupt)?;
    let kind = FeedType::Product(kind);
    let body = payload(kind, event.occurred_at, &event).ok_or_else(corrupt)?;
    Ok(NotifiedEvent {
        spot: LogSpot {
            log: LogKind::Products,
            position,
        },
        event_id: event.event_id,
        kind,
        subject: event.product_id.to_string(),
        body,
    })
}

fn of_rule(row: RuleEventRow, expected: Position) -> Result<NotifiedEvent, LogError> {
    let corrupt = || LogError::Corrupt(expected);
    let event = row
        .into_event()
        .filter(|event| event.position == expected)
        .ok_or_else(corrupt)?;
    let kind = if event.rule.is_some() {
        FeedType::RulePut
    } else {
        FeedType::RuleDeleted
    };
    let body = payload(kind, event.occurred_at, &event).ok_or_else(corrupt)?;
    Ok(NotifiedEvent {
        spot: LogSpot {
            log: LogKind::Rules,
            position: expected,
        },
        event_id: event.event_id,
        kind,
        subject: event.rule_id.to_string(),
        body,
    })
}

fn payload<E: Serialize>(kind: FeedType, at: OffsetDateTime, data: &E) -> Option<Bytes> {
    let payload = Payload {
        r#type: kind.as_str(),
        timestamp: at.format(&Rfc3339).ok()?,
        data,
    };
    serde_json::to_vec(&payload).ok().map(Bytes::from)
}
