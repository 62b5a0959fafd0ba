//! Subjects: `catalog.evt.v1.product.<event>.<product id>`, the id last so that a consumer can be
//! partitioned by subject mapping.

use crate::{EventType, ProductId, RuleEvent};

/// Every product event.
pub const EVENTS_WILDCARD: &str = "catalog.evt.v1.product.*.*";

pub fn event_subject(event_type: EventType, id: &ProductId) -> String {
    format!("catalog.evt.v1.product.{}.{id}", event_type.as_str())
}

/// Every event of a search rule: `catalog.evt.v1.rule.<put|deleted>.<rule id>`.
pub const RULES_WILDCARD: &str = "catalog.evt.v1.rule.*.*";

pub fn rule_subject<R>(event: &RuleEvent<R>) -> String {
    format!(
        "catalog.evt.v1.rule.{}.{}",
        event.event_type(),
        event.rule_id
    )
}
