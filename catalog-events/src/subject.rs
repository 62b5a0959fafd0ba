//! The subjects of events, and the names of the schemas of their bodies. The id stands last in a subject, so that
//! consumers can be partitioned by a mapping of subjects.

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

/// The name of the schema of a product's event, as `ce-dataschema` states it. It changes only with a form that
/// readers of this one could not read.
pub const PRODUCT_EVENT_SCHEMA: &str = "urn:catalog:schema:product-event.v1";
/// The name of the schema of a rule's event.
pub const RULE_EVENT_SCHEMA: &str = "urn:catalog:schema:rule-event.v1";
