//! Search rules: what people say about searches, and the events of their changes. They have a log and
//! a stream of their own, where positions count from 1 as those of products do.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Position, ProductId, RuleId, Version};

/// A rule after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRule {
    pub id: RuleId,
    pub kind: RuleKind,
    /// Kept, and not followed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// Followed from here on; none: always.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub starts_at: Option<OffsetDateTime>,
    /// Followed until then.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub ends_at: Option<OffsetDateTime>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl SearchRule {
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        !self.disabled
            && self.starts_at.is_none_or(|start| start <= now)
            && self.ends_at.is_none_or(|end| now < end)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RuleKind {
    /// Whoever asks for one of these finds all of them.
    Synonyms {
        terms: Vec<String>,
    },
    /// Whoever asks for `from` finds these too, not the other way round.
    OneWaySynonyms {
        from: String,
        to: Vec<String>,
    },
    Curation(Curation),
    /// A kind that a newer writer knows: kept, and not followed.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// What is done to the answers of some queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curation {
    /// None: every query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<String>,
    #[serde(default)]
    pub matching: QueryMatch,
    pub actions: Vec<CurationAction>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMatch {
    /// The words of the rule and no others, in this order.
    #[default]
    Exact,
    /// The words of the rule next to each other, among others.
    Contains,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum CurationAction {
    /// `position` counts from 1.
    Pin {
        product_id: ProductId,
        position: u32,
    },
    Hide {
        target: RuleTarget,
    },
    /// `factor` is more than 1.
    Boost {
        target: RuleTarget,
        factor: f64,
    },
    /// The score is divided by `factor`, which is more than 1.
    Bury {
        target: RuleTarget,
        factor: f64,
    },
    Redirect {
        url: String,
    },
    /// One that a newer writer knows.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Products that have any of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleTarget {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_ids: Vec<ProductId>,
    /// Letter case aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// In this category or below it; empty: not by category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
}

/// A rule was put or deleted. Applying is "the higher version wins", as for products. `R` is the typed
/// rule, or raw JSON where nothing reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleEvent<R = SearchRule> {
    /// Travels as the `ce-id` header, not in the body.
    #[serde(skip)]
    pub event_id: Uuid,
    /// In the log of rules, equal to the sequence in their stream.
    pub position: Position,
    pub rule_id: RuleId,
    pub version: Version,
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    pub actor: String,
    /// W3C trace context of the write. Travels as a header, not in the body.
    #[serde(skip)]
    pub traceparent: Option<String>,
    /// The whole rule after the change; none after a deletion.
    pub rule: Option<R>,
}

impl<R> RuleEvent<R> {
    /// The token in the subject.
    pub fn event_type(&self) -> &'static str {
        match self.rule {
            Some(_) => "put",
            None => "deleted",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(kind: serde_json::Value) -> SearchRule {
        let at = "2026-01-02T03:04:05Z";
        let rule = json!({"id": "r-1", "kind": kind, "created_at": at, "updated_at": at});
        serde_json::from_value(rule).expect("rule")
    }

    #[test]
    fn a_rule_is_read_as_it_was_written() {
        let kinds = [
            json!({"type": "synonyms", "terms": ["laptop", "notebook"]}),
            json!({"type": "one_way_synonyms", "from": "mouse", "to": ["trackball"]}),
            json!({"type": "curation", "queries": ["desk lamp"], "matching": "contains", "actions": [
                {"action": "pin", "product_id": "p-1", "position": 1},
                {"action": "hide", "target": {"brand": "Fjell"}},
                {"action": "boost", "target": {"category": ["Home", "Lamps"]}, "factor": 1.5},
                {"action": "bury", "target": {"product_ids": ["p-2"]}, "factor": 4.0},
                {"action": "redirect", "url": "/lamps"},
            ]}),
        ];
        for kind in kinds {
            let json = serde_json::to_value(rule(kind.clone())).expect("json");
            assert_eq!(json["kind"], kind);
        }
    }

    #[test]
    fn what_a_newer_writer_knows_is_kept_and_not_followed() {
        assert_eq!(
            rule(json!({"type": "banner", "text": "Sale"})).kind,
            RuleKind::Unknown
        );
        let newer = json!({"type": "curation", "actions": [{"action": "sparkle", "how": "much"}]});
        let RuleKind::Curation(curation) = rule(newer).kind else {
            panic!("no curation");
        };
        assert_eq!(curation.actions, [CurationAction::Unknown]);
    }

    #[test]
    fn a_rule_is_followed_between_its_dates() {
        let at = |text: &str| {
            let format = &time::format_description::well_known::Rfc3339;
            OffsetDateTime::parse(text, format).expect("time")
        };
        let kind = json!({"type": "synonyms", "terms": ["a", "b"]});
        let mut rule = rule(kind);
        let (before, start) = (at("2026-02-28T23:59:59Z"), at("2026-03-01T00:00:00Z"));
        assert!(rule.is_active(before));
        rule.starts_at = Some(start);
        rule.ends_at = Some(at("2026-03-02T00:00:00Z"));
        assert!(!rule.is_active(before));
        assert!(rule.is_active(start));
        assert!(!rule.is_active(at("2026-03-02T00:00:00Z")));
        rule.disabled = true;
        assert!(!rule.is_active(start));
    }
}
