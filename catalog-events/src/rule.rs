//! Search rules: what people say about searches, and the events of their changes. They have a log and
//! a stream of their own, where positions count from 1 as those of products do.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Position, ProductId, RuleId, Version};

/// A rule after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SearchRule {
    /// The id, which never changes.
    pub id: RuleId,
    /// What the rule says.
    pub kind: RuleKind,
    /// True for a rule that is kept and not followed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The time from which on the rule is followed; none: at once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    #[cfg_attr(test, schemars(with = "Option<crate::schema::Time>"))]
    pub starts_at: Option<OffsetDateTime>,
    /// The time from which on it is followed no more; none: never.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    #[cfg_attr(test, schemars(with = "Option<crate::schema::Time>"))]
    pub ends_at: Option<OffsetDateTime>,
    /// A note for people; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub updated_at: OffsetDateTime,
}

impl SearchRule {
    /// Whether the rule is followed at `now`.
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        !self.disabled
            && self.starts_at.is_none_or(|start| start <= now)
            && self.ends_at.is_none_or(|end| now < end)
    }
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RuleKind {
    /// A query with one of the terms finds products with any of them.
    Synonyms {
        /// Words or phrases, two at least.
        terms: Vec<String>,
    },
    /// A query with `from` finds products with any of `to` as well, not the other way round.
    OneWaySynonyms {
        /// The word or phrase of the query.
        from: String,
        /// What it finds too.
        to: Vec<String>,
    },
    /// No query with one of the terms finds products with another, whatever rules of synonyms say.
    Distinct {
        /// Words or phrases, two at least.
        terms: Vec<String>,
    },
    /// What is done to the answers of some queries.
    Curation(Curation),
    /// A kind that a newer writer knows: kept, and not followed.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// What is done to the answers of some queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Curation {
    /// The queries; an empty list means every query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<String>,
    /// How a query is compared with them.
    #[serde(default)]
    pub matching: QueryMatch,
    /// What is done, in this order.
    pub actions: Vec<CurationAction>,
}

/// The ways to compare a query with those of a rule: word by word, by their stems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum QueryMatch {
    /// The query has the words of the rule and no others, in this order.
    #[default]
    Exact,
    /// The query has the words of the rule next to each other, among others.
    Contains,
}

/// One thing that is done to an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum CurationAction {
    /// Shows a product at a place of the answer.
    Pin {
        /// The product.
        product_id: ProductId,
        /// The place, from 1.
        position: u32,
    },
    /// Leaves products out.
    Hide {
        /// The products.
        target: RuleTarget,
    },
    /// Makes products count more.
    Boost {
        /// The products.
        target: RuleTarget,
        /// The factor that their score is multiplied by, more than 1.
        factor: f64,
    },
    /// Makes products count less.
    Bury {
        /// The products.
        target: RuleTarget,
        /// The factor that their score is divided by, more than 1.
        factor: f64,
    },
    /// Sends the user to a page instead of the products.
    Redirect {
        /// An http or https URL, or a path that begins with `/`.
        url: String,
    },
    /// An action that a newer writer knows: kept, and not followed.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// The products that an action is about: those that meet any of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleTarget {
    /// Products with these ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_ids: Vec<ProductId>,
    /// Products of this brand, letter case aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Products in this category or below it; an empty path means not by category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
}

/// The event that a rule was put or deleted. Applying is "the higher version wins", as for products.
/// `R` is the typed rule, or raw JSON where nothing reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleEvent<R = SearchRule> {
    /// The id of the event; it travels as the `ce-id` header, not in the body.
    #[serde(skip)]
    pub event_id: Uuid,
    /// The position in the log of rules, equal to the sequence in their stream.
    pub position: Position,
    /// The rule.
    pub rule_id: RuleId,
    /// The version that the change made.
    pub version: Version,
    /// When the change was made.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub occurred_at: OffsetDateTime,
    /// Who made it, as the client said.
    pub actor: String,
    /// The W3C trace context of the write; it travels as a header, not in the body.
    #[serde(skip)]
    pub traceparent: Option<String>,
    /// The whole rule after the change; none after a deletion.
    pub rule: Option<R>,
}

impl<R> RuleEvent<R> {
    /// The token for the kind of change in the subject: `put` or `deleted`.
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
