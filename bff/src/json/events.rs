//! The JSON of events that are told as they happen, in the form of a product's history.

use catalog_events::StoredRule;
use catalog_proto::v1;
use serde::Serialize;

use crate::json::product::{ChangeJson, rfc3339};

/// What happened to a product.
#[derive(Serialize)]
pub(crate) struct ProductChangeJson<'a> {
    product_id: &'a str,
    #[serde(flatten)]
    change: ChangeJson<'a>,
}

impl<'a> ProductChangeJson<'a> {
    pub(crate) fn of(product_id: &'a str, change: &'a v1::ProductChange) -> Self {
        Self {
            product_id,
            change: ChangeJson::of(change),
        }
    }
}

/// What happened to a search rule.
#[derive(Serialize)]
pub(crate) struct RuleChangeJson<'a> {
    rule_id: &'a str,
    version: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    occurred_at: Option<String>,
    actor: &'a str,
    rule: Option<StoredRule>,
    event_id: &'a str,
    position: i64,
}

impl<'a> RuleChangeJson<'a> {
    pub(crate) fn of(change: &'a v1::FollowedRuleChange) -> Self {
        let kind = if change.rule.is_some() {
            "put"
        } else {
            "deleted"
        };
        Self {
            rule_id: &change.rule_id,
            version: change.version,
            kind,
            occurred_at: change.occurred_at.as_ref().and_then(rfc3339),
            actor: &change.actor,
            rule: change.rule.clone().map(StoredRule::from),
            event_id: &change.event_id,
            position: change.position,
        }
    }
}
