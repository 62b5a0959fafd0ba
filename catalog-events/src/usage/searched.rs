//! Search events tell what was searched for, and click events what was opened from the answers. Like
//! product-read events they may be lost by contract. Invariant: they say nothing of who searched.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::ProductId;

/// The subject of the messages about searches. They go through core NATS, as product reads do.
pub const SEARCH_SUBJECT: &str = "catalog.read.v1.search";

/// The subject of the messages about products that were opened from an answer.
pub const CLICK_SUBJECT: &str = "catalog.read.v1.click";

/// One message with the searches of one replica since its last message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SearchBatch {
    /// A name that the replica has for as long as it runs.
    pub sender: String,
    /// Counts the messages of this sender on this subject from 1; a gap is a lost message.
    pub sequence: u64,
    /// How many searches this sender has published, this batch included.
    pub sent: u64,
    /// How many searches this sender dropped because its queue was full.
    pub dropped: u64,
    /// The searches, in the order in which they were answered.
    pub searches: Vec<Searched>,
}

/// One search that was answered: the first page of it only, and only where a query was typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Searched {
    /// Names the search to clicks.
    pub search_id: Uuid,
    /// The query as it was typed, cut to 200 bytes. Empty where it might hold personal data, such as an
    /// e-mail address.
    pub query: String,
    /// The query in NFKC, in lower case, with single spaces; cut and emptied as `query` is.
    pub normalized: String,
    /// The strategy that answered.
    pub strategy: SearchedBy,
    /// How many products matched.
    pub total: u64,
    /// How many products the first page showed.
    pub shown: u32,
    /// How long the query service took, in milliseconds.
    pub ms: f64,
    /// Whether another spelling was searched for than was typed.
    pub corrected: bool,
    /// Whether words of the query were dropped, because no product has all of them.
    pub relaxed: bool,
    /// Whether part of the search was not available or late.
    pub degraded: bool,
    /// Whether a filter restricted the products.
    pub filtered: bool,
    /// When it was answered.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub at: OffsetDateTime,
}

/// The ways to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SearchedBy {
    /// By words.
    Keyword,
    /// By meaning.
    Vector,
    /// By both.
    Hybrid,
}

impl SearchedBy {
    /// Every way to search.
    pub const ALL: [Self; 3] = [Self::Keyword, Self::Vector, Self::Hybrid];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Vector => "vector",
            Self::Hybrid => "hybrid",
        }
    }
}

/// One message with the clicks that one replica was told of since its last message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClickBatch {
    /// A name that the replica has for as long as it runs.
    pub sender: String,
    /// Counts the messages of this sender on this subject from 1; a gap is a lost message.
    pub sequence: u64,
    /// How many clicks this sender has published, this batch included.
    pub sent: u64,
    /// How many clicks this sender dropped because its queue was full.
    pub dropped: u64,
    /// The clicks, in the order in which they were told.
    pub clicks: Vec<Clicked>,
}

/// One product that was opened from the answer to a search, as a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Clicked {
    /// The search.
    pub search_id: Uuid,
    /// The product.
    pub product_id: ProductId,
    /// Its place in the answer, from 1 and across pages.
    pub position: u32,
    /// The normalized query of the search, where the replica still remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// When the click was told.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub at: OffsetDateTime,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    /// Subscribers of other makes read this form: names and types never change.
    #[test]
    fn the_form_on_the_wire_holds() {
        let search = Searched {
            search_id: Uuid::nil(),
            query: "Gaming MOUSE".to_owned(),
            normalized: "gaming mouse".to_owned(),
            strategy: SearchedBy::Hybrid,
            total: 7,
            shown: 5,
            ms: 2.5,
            corrected: false,
            relaxed: true,
            degraded: true,
            filtered: false,
            at: datetime!(2026-01-02 03:04:05 UTC),
        };
        let click = Clicked {
            search_id: Uuid::nil(),
            product_id: "p-1".parse().expect("id"),
            position: 3,
            query: None,
            at: datetime!(2026-01-02 03:04:05 UTC),
        };
        let id = "00000000-0000-0000-0000-000000000000";
        let at = "2026-01-02T03:04:05Z";
        assert_eq!(
            serde_json::to_value(&search).expect("JSON"),
            json!({
                "search_id": id, "query": "Gaming MOUSE", "normalized": "gaming mouse",
                "strategy": "hybrid", "total": 7, "shown": 5, "ms": 2.5, "corrected": false,
                "relaxed": true, "degraded": true, "filtered": false, "at": at,
            })
        );
        let form = json!({"search_id": id, "product_id": "p-1", "position": 3, "at": at});
        assert_eq!(serde_json::to_value(&click).expect("JSON"), form);
        assert_eq!(
            serde_json::from_value::<Clicked>(form).expect("read"),
            click
        );
    }
}
