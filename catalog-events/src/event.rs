//! The event envelope: who changed which product when, what changed, and the product afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Money, Product, ProductId};

/// Counts the changes of one product: 1, 2, 3 … without a gap, its deletion included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(i64);

impl Version {
    pub const FIRST: Version = Version(1);

    pub fn new(version: i64) -> Option<Self> {
        (version >= 1).then_some(Self(version))
    }

    pub fn get(self) -> i64 {
        self.0
    }

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
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    pub const START: Position = Position(0);

    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many events lie between `self` and a later position.
    pub fn lag_to(self, later: Position) -> u64 {
        later.0.saturating_sub(self.0)
    }

    /// For Postgres, whose integers are signed. Positions never come near the limit.
    pub fn to_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

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
pub struct Envelope<C, P> {
    /// Travels as the `ce-id` header, not in the body.
    #[serde(skip)]
    pub event_id: Uuid,
    pub position: Position,
    pub product_id: ProductId,
    pub version: Version,
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    pub actor: String,
    /// W3C trace context of the write. Travels as a header, not in the body.
    #[serde(skip)]
    pub traceparent: Option<String>,
    pub change: C,
    /// The whole product after the change; none after a deletion.
    pub product: Option<P>,
}

/// The event as every projection reads it.
pub type ProductEvent = Envelope<Change, Product>;

impl ProductEvent {
    pub fn is_deletion(&self) -> bool {
        self.product.is_none()
    }
}

/// What changed. Projections need only the product; this is for people and subscribers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    Created,
    Updated {
        /// Names as in the update mask, for instance `title` or `attributes.colour`.
        fields: Vec<String>,
    },
    PriceChanged {
        was: Money,
        now: Money,
    },
    Deleted,
    /// A kind of change that a newer writer knows. The product it carries applies all the same.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// The kinds of event that this version writes; the token in the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    Created,
    Updated,
    PriceChanged,
    Deleted,
}

impl EventType {
    pub const ALL: [EventType; 4] = [
        EventType::Created,
        EventType::Updated,
        EventType::PriceChanged,
        EventType::Deleted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Created => "created",
            EventType::Updated => "updated",
            EventType::PriceChanged => "price_changed",
            EventType::Deleted => "deleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

impl Change {
    /// None for a change of a newer writer.
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
