//! One event, written once for all clients that are told of it.

use bytes::Bytes;
use catalog_events::{EventType, FeedType, ProductId};
use catalog_proto::v1;
use catalog_proto::v1::followed_event::Event;
use serde::Serialize;

use crate::events::cursor::Cursor;
use crate::json::events::{ProductChangeJson, RuleChangeJson};

/// An event as clients are told it.
pub(super) struct LiveEvent {
    pub(super) kind: FeedType,
    /// The product, where it is an event of one.
    pub(super) product: Option<ProductId>,
    /// The position in its log.
    pub(super) position: i64,
    /// The lines of the event but for its id, which depends on what else the client was told.
    pub(super) lines: Bytes,
}

impl LiveEvent {
    /// Writes an event; None where it is of a kind that only a newer write service knows.
    pub(super) fn of(event: &v1::FollowedEvent) -> Option<Self> {
        match event.event.as_ref()? {
            Event::Product(told) => {
                let change = told.change.as_ref()?;
                let kind = FeedType::Product(kind(change.r#type())?);
                Some(Self {
                    kind,
                    product: Some(told.product_id.parse().ok()?),
                    position: change.position,
                    lines: lines(kind, &ProductChangeJson::of(&told.product_id, change))?,
                })
            }
            Event::Rule(told) => {
                let deleted = told.rule.is_none();
                let kind = if deleted {
                    FeedType::RuleDeleted
                } else {
                    FeedType::RulePut
                };
                Some(Self {
                    kind,
                    product: None,
                    position: told.position,
                    lines: lines(kind, &RuleChangeJson::of(told))?,
                })
            }
        }
    }

    /// Whether a client that was told all up to `cursor` knows it.
    pub(super) fn is_before(&self, cursor: Cursor) -> bool {
        let known = if self.kind.is_rule() {
            cursor.rules
        } else {
            cursor.products
        };
        self.position <= known
    }

    /// The place that a client has reached who is told this event after all up to `cursor`.
    pub(super) fn reaches(&self, cursor: Cursor) -> Cursor {
        let own = if self.kind.is_rule() {
            Cursor {
                rules: self.position,
                ..cursor
            }
        } else {
            Cursor {
                products: self.position,
                ..cursor
            }
        };
        own.max(cursor)
    }
}

fn kind(kind: v1::ChangeType) -> Option<EventType> {
    match kind {
        v1::ChangeType::Unspecified => None,
        v1::ChangeType::Created => Some(EventType::Created),
        v1::ChangeType::Updated => Some(EventType::Updated),
        v1::ChangeType::PriceChanged => Some(EventType::PriceChanged),
        v1::ChangeType::Deleted => Some(EventType::Deleted),
    }
}

/// JSON has no line breaks, so that it is one line of data.
fn lines(kind: FeedType, data: &impl Serialize) -> Option<Bytes> {
    let json = serde_json::to_string(data).ok()?;
    Some(format!("event: {kind}\ndata: {json}\n\n").into())
}
