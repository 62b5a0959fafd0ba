//! The subjects of events. The id stands last, so that consumers can be partitioned by a mapping of
//! subjects.

use crate::{EventType, ProductId, RuleEvent};

/// The subjects of all product events: `catalog.evt.v1.product.<event>.<product id>`.
pub const EVENTS_WILDCARD: &str = "catalog.evt.v1.product.*.*";

/// The subject of an event of a product.
pub fn event_subject(event_type: EventType, id: &ProductId) -> String {
    format!("catalog.evt.v1.product.{}.{id}", event_type.as_str())
}

/// The subjects of all events of search rules: `catalog.evt.v1.rule.<put|deleted>.<rule id>`.
pub const RULES_WILDCARD: &str = "catalog.evt.v1.rule.*.*";

/// The subject of an event of a search rule.
pub fn rule_subject<R>(event: &RuleEvent<R>) -> String {
    format!(
        "catalog.evt.v1.rule.{}.{}",
        event.event_type(),
        event.rule_id
    )
}
