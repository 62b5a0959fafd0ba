//! The event envelope: who changed which product when, what changed, and the product afterwards.

mod feed;

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Money, Product, ProductId};

pub use self::feed::{FeedFilter, FeedType, InvalidFeedType};

/// Counts the changes of one product: 1, 2, 3 … without a gap, its deletion included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Version(i64);

impl Version {
    /// The version of a product that is created for the first time.
    pub const FIRST: Version = Version(1);

    /// The version with this number; none below 1.
    pub fn new(version: i64) -> Option<Self> {
        (version >= 1).then_some(Self(version))
    }

    /// The number, 1 or more.
    pub fn get(self) -> i64 {
        self.0
    }

    /// The version that the next change makes.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in the event log, equal to the sequence in the stream. 0 is before the first event.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The position before the first event.
    pub const START: Position = Position(0);

    /// The position of the next event.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many events there are after `self` up to a later position.
    pub fn lag_to(self, later: Position) -> u64 {
        later.0.saturating_sub(self.0)
    }

    /// The position as Postgres and the wire hold it, as a signed integer. Positions never come near
    /// its limit.
    pub fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The position that Postgres or the wire holds; a negative one counts as the start.
    pub fn from_i64(position: i64) -> Self {
        Self(u64::try_from(position).unwrap_or(0))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One event. `C` and `P` are the typed change and product, or raw JSON where nothing reads them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Envelope<C, P> {
    /// The id of the event; it travels as the `ce-id` header, not in the body.
    #[serde(skip)]
    pub event_id: Uuid,
    /// The position in the event log.
    pub position: Position,
    /// The product.
    pub product_id: ProductId,
    /// The version that the change made.
    pub version: Version,
    /// When the change was made. The times of one product never go back.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub occurred_at: OffsetDateTime,
    /// Who made it, as the client said.
    pub actor: String,
    /// The W3C trace context of the write; it travels as a header, not in the body.
    #[serde(skip)]
    pub traceparent: Option<String>,
    /// What changed.
    pub change: C,
    /// The whole product after the change; none after a deletion.
    pub product: Option<P>,
}

/// The event as every projection reads it.
pub type ProductEvent = Envelope<Change, Product>;

impl ProductEvent {
    /// Whether the product is gone after this event.
    pub fn is_deletion(&self) -> bool {
        self.product.is_none()
    }
}

/// What changed, for people and subscribers: projections need only the product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// The product was created, perhaps again after a deletion.
    Created,
    /// Fields changed, and not the price alone.
    Updated {
        /// The names of the fields as in the update mask, for instance `title` or `attributes.colour`.
        fields: Vec<String>,
    },
    /// The price changed and nothing else.
    PriceChanged {
        /// The price before.
        was: Money,
        /// The price after.
        now: Money,
    },
    /// The product was deleted.
    Deleted,
    /// A kind of change that a newer writer knows. The product it carries applies all the same.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// The kinds of event that this release writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// [`Change::Created`].
    Created,
    /// [`Change::Updated`].
    Updated,
    /// [`Change::PriceChanged`].
    PriceChanged,
    /// [`Change::Deleted`].
    Deleted,
}

impl EventType {
    /// Every kind.
    pub const ALL: [EventType; 4] = [
        EventType::Created,
        EventType::Updated,
        EventType::PriceChanged,
        EventType::Deleted,
    ];

    /// The token in the subject, for instance `price_changed`.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Created => "created",
            EventType::Updated => "updated",
            EventType::PriceChanged => "price_changed",
            EventType::Deleted => "deleted",
        }
    }

    /// The kind that a token names; none for a kind that only a newer release knows.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

impl Change {
    /// The kind of event that tells of this change; none for a change of a newer writer.
    pub fn event_type(&self) -> Option<EventType> {
        match self {
            Change::Created => Some(EventType::Created),
            Change::Updated { .. } => Some(EventType::Updated),
            Change::PriceChanged { .. } => Some(EventType::PriceChanged),
            Change::Deleted => Some(EventType::Deleted),
            Change::Unknown => None,
        }
    }
}
