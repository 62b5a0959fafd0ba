//! A search rule as people state it: the JSON of the HTTP API and of the operator's tool, and its
//! message. Nothing is checked here: the write service decides what a rule may be.

mod draft;

use catalog_proto::v1;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;

use crate::{Curation, CurationAction, QueryMatch, RuleKind, RuleTarget, SearchRule, Version};

pub use self::draft::InvalidDraft;

/// A rule as people state it. In JSON, what is empty is left out, and unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleForm {
    /// The id; empty where the caller states it elsewhere, for instance in the path of a request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What the rule says.
    pub kind: KindForm,
    /// True for a rule that is kept and not followed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The time from which on the rule is followed; none: at once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub starts_at: Option<OffsetDateTime>,
    /// The time from which on it is followed no more; none: never.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub ends_at: Option<OffsetDateTime>,
    /// A note for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What a rule says; see [`RuleKind`](crate::RuleKind).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum KindForm {
    /// Words that mean the same.
    Synonyms {
        /// Words or phrases, two at least.
        terms: Vec<String>,
    },
    /// Words that stand for another one.
    OneWaySynonyms {
        /// The word or phrase of the query.
        from: String,
        /// What it finds too.
        to: Vec<String>,
    },
    /// Words that are no synonyms.
    Distinct {
        /// Words or phrases, two at least.
        terms: Vec<String>,
    },
    /// What is done to the answers of some queries.
    Curation {
        /// The queries; an empty list means every query.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        queries: Vec<String>,
        /// How a query is compared with them.
        #[serde(default)]
        matching: QueryMatch,
        /// What is done, in this order.
        actions: Vec<ActionForm>,
    },
    /// No kind was stated, or one that only a newer release knows.
    #[serde(skip_deserializing)]
    Unknown,
}

/// One thing that is done to an answer; see [`CurationAction`](crate::CurationAction).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum ActionForm {
    /// Shows a product at a place of the answer.
    Pin {
        /// The id of the product.
        product_id: String,
        /// The place, from 1.
        #[serde(deserialize_with = "whole")]
        position: i32,
    },
    /// Leaves products out.
    Hide {
        /// The products.
        target: TargetForm,
    },
    /// Makes products count more.
    Boost {
        /// The products.
        target: TargetForm,
        /// The factor that their score is multiplied by.
        factor: f64,
    },
    /// Makes products count less.
    Bury {
        /// The products.
        target: TargetForm,
        /// The factor that their score is divided by.
        factor: f64,
    },
    /// Sends the user to a page instead of the products.
    Redirect {
        /// An http or https URL, or a path that begins with `/`.
        url: String,
    },
    /// No action was stated, or one that only a newer release knows.
    #[serde(skip_deserializing)]
    Unknown,
}

/// Reads a whole number, which JSON may write as `1.0` or `1e2` too.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    let number = f64::deserialize(from)?;
    let is_whole =
        number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    if is_whole {
        Ok(number as i32)
    } else {
        Err(D::Error::custom("must be a whole number"))
    }
}

/// The products that an action is about: those that meet any of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetForm {
    /// Products with these ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub product_ids: Vec<String>,
    /// Products of this brand, letter case aside; empty means not by brand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub brand: String,
    /// Products in this category or below it; an empty path means not by category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
}

/// A rule as it is shown: what people stated, and what the service adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredRule {
    /// The rule as it was stated.
    #[serde(flatten)]
    pub form: RuleForm,
    /// Counts the changes of this rule, from 1.
    pub version: i64,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339::option")]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339::option")]
    pub updated_at: Option<OffsetDateTime>,
}

impl SearchRule {
    /// The rule as a message, at the version that the message states.
    pub fn to_message(&self, version: Version) -> v1::SearchRule {
        let form = RuleForm {
            id: self.id.to_string(),
            kind: KindForm::of(&self.kind),
            disabled: self.disabled,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            note: self.note.clone(),
        };
        v1::SearchRule {
            version: version.get(),
            created_at: Some(timestamp(self.created_at)),
            updated_at: Some(timestamp(self.updated_at)),
            ..form.into_message()
        }
    }
}

impl RuleForm {
    /// The form as a message, without what the service adds.
    pub fn into_message(self) -> v1::SearchRule {
        v1::SearchRule {
            id: self.id,
            kind: self.kind.into_message(),
            disabled: self.disabled,
            starts_at: self.starts_at.map(timestamp),
            ends_at: self.ends_at.map(timestamp),
            note: self.note,
            ..v1::SearchRule::default()
        }
    }
}

/// Reads the form from a message, without the times that no calendar has.
impl From<v1::SearchRule> for RuleForm {
    fn from(message: v1::SearchRule) -> Self {
        let time = |time: Option<prost_types::Timestamp>| time.as_ref().and_then(moment);
        Self {
            id: message.id,
            kind: message.kind.map_or(KindForm::Unknown, KindForm::from),
            disabled: message.disabled,
            starts_at: time(message.starts_at),
            ends_at: time(message.ends_at),
            note: message.note,
        }
    }
}

impl From<v1::SearchRule> for StoredRule {
    fn from(message: v1::SearchRule) -> Self {
        Self {
            version: message.version,
            created_at: message.created_at.as_ref().and_then(moment),
            updated_at: message.updated_at.as_ref().and_then(moment),
            form: message.into(),
        }
    }
}

impl KindForm {
    fn of(kind: &RuleKind) -> Self {
        match kind.clone() {
            RuleKind::Synonyms { terms } => Self::Synonyms { terms },
            RuleKind::OneWaySynonyms { from, to } => Self::OneWaySynonyms { from, to },
            RuleKind::Distinct { terms } => Self::Distinct { terms },
            RuleKind::Curation(curation) => {
                let Curation {
                    queries,
                    matching,
                    actions,
                } = curation;
                Self::Curation {
                    queries,
                    matching,
                    actions: actions.into_iter().map(ActionForm::of).collect(),
                }
            }
            RuleKind::Unknown => Self::Unknown,
        }
    }

    fn into_message(self) -> Option<v1::search_rule::Kind> {
        use v1::search_rule::Kind;
        match self {
            Self::Synonyms { terms } => Some(Kind::Synonyms(v1::Synonyms { terms })),
            Self::OneWaySynonyms { from, to } => {
                Some(Kind::OneWaySynonyms(v1::OneWaySynonyms { from, to }))
            }
            Self::Distinct { terms } => Some(Kind::Distinct(v1::Distinct { terms })),
            Self::Curation {
                queries,
                matching,
                actions,
            } => {
                let matching = match matching {
                    QueryMatch::Exact => v1::QueryMatch::Exact,
                    QueryMatch::Contains => v1::QueryMatch::Contains,
                };
                let actions = actions.into_iter().map(ActionForm::into_message);
                Some(Kind::Curation(v1::Curation {
                    queries,
                    r#match: matching.into(),
                    actions: actions.collect(),
                }))
            }
            Self::Unknown => None,
        }
    }
}

impl From<v1::search_rule::Kind> for KindForm {
    fn from(kind: v1::search_rule::Kind) -> Self {
        use v1::search_rule::Kind;
        match kind {
            Kind::Synonyms(v1::Synonyms { terms }) => Self::Synonyms { terms },
            Kind::OneWaySynonyms(v1::OneWaySynonyms { from, to }) => {
                Self::OneWaySynonyms { from, to }
            }
            Kind::Distinct(v1::Distinct { terms }) => Self::Distinct { terms },
            Kind::Curation(curation) => Self::Curation {
                matching: match curation.r#match() {
                    v1::QueryMatch::Unspecified | v1::QueryMatch::Exact => QueryMatch::Exact,
                    v1::QueryMatch::Contains => QueryMatch::Contains,
                },
                queries: curation.queries,
                actions: curation.actions.into_iter().map(Into::into).collect(),
            },
        }
    }
}

impl ActionForm {
    fn of(action: CurationAction) -> Self {
        match action {
            CurationAction::Pin {
                product_id,
                position,
            } => Self::Pin {
                product_id: product_id.into(),
                position: i32::try_from(position).unwrap_or(i32::MAX),
            },
            CurationAction::Hide { target } => Self::Hide {
                target: target.into(),
            },
            CurationAction::Boost { target, factor } => Self::Boost {
                target: target.into(),
                factor,
            },
            CurationAction::Bury { target, factor } => Self::Bury {
                target: target.into(),
                factor,
            },
            CurationAction::Redirect { url } => Self::Redirect { url },
            CurationAction::Unknown => Self::Unknown,
        }
    }

    fn into_message(self) -> v1::CurationAction {
        use v1::curation_action::Kind;
        let boost = |target: TargetForm, factor| v1::Boost {
            target: Some(target.into_message()),
            factor,
        };
        let kind = match self {
            Self::Pin {
                product_id,
                position,
            } => Some(Kind::Pin(v1::Pin {
                product_id,
                position,
            })),
            Self::Hide { target } => Some(Kind::Hide(v1::Hide {
                target: Some(target.into_message()),
            })),
            Self::Boost { target, factor } => Some(Kind::Boost(boost(target, factor))),
            Self::Bury { target, factor } => Some(Kind::Bury(boost(target, factor))),
            Self::Redirect { url } => Some(Kind::Redirect(v1::Redirect { url })),
            Self::Unknown => None,
        };
        v1::CurationAction { kind }
    }
}

impl From<v1::CurationAction> for ActionForm {
    fn from(action: v1::CurationAction) -> Self {
        use v1::curation_action::Kind;
        let target = |target: Option<v1::RuleTarget>| target.unwrap_or_default().into();
        match action.kind {
            Some(Kind::Pin(v1::Pin {
                product_id,
                position,
            })) => Self::Pin {
                product_id,
                position,
            },
            Some(Kind::Hide(hide)) => Self::Hide {
                target: target(hide.target),
            },
            Some(Kind::Boost(boost)) => Self::Boost {
                target: target(boost.target),
                factor: boost.factor,
            },
            Some(Kind::Bury(bury)) => Self::Bury {
                target: target(bury.target),
                factor: bury.factor,
            },
            Some(Kind::Redirect(v1::Redirect { url })) => Self::Redirect { url },
            None => Self::Unknown,
        }
    }
}

impl TargetForm {
    fn into_message(self) -> v1::RuleTarget {
        v1::RuleTarget {
            product_ids: self.product_ids,
            brand: self.brand,
            category: self.category,
        }
    }
}

impl From<RuleTarget> for TargetForm {
    fn from(target: RuleTarget) -> Self {
        Self {
            product_ids: target.product_ids.into_iter().map(String::from).collect(),
            brand: target.brand.unwrap_or_default(),
            category: target.category,
        }
    }
}

impl From<v1::RuleTarget> for TargetForm {
    fn from(target: v1::RuleTarget) -> Self {
        Self {
            product_ids: target.product_ids,
            brand: target.brand,
            category: target.category,
        }
    }
}

/// The time of a message; none outside the years 0 to 9999, which are those of RFC 3339. Postgres has no
/// place for all others.
pub fn moment(time: &prost_types::Timestamp) -> Option<OffsetDateTime> {
    let nanos = u32::try_from(time.nanos).ok()?;
    let seconds = OffsetDateTime::from_unix_timestamp(time.seconds).ok()?;
    if !(0..=9999).contains(&seconds.year()) {
        return None;
    }
    seconds.replace_nanosecond(nanos).ok()
}

fn timestamp(at: OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.unix_timestamp(),
        nanos: at.nanosecond() as i32,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored(kind: &Value) -> Value {
        let at = "2026-01-02T03:04:05Z";
        json!({"id": "r-1", "kind": kind, "starts_at": at, "note": "why",
               "created_at": at, "updated_at": at})
    }

    fn kinds() -> [Value; 3] {
        [
            json!({"type": "synonyms", "terms": ["laptop", "notebook"]}),
            json!({"type": "one_way_synonyms", "from": "mouse", "to": ["trackball"]}),
            json!({"type": "curation", "queries": ["desk lamp"], "matching": "contains", "actions": [
                {"action": "pin", "product_id": "p-1", "position": 1},
                {"action": "hide", "target": {"brand": "Fjell"}},
                {"action": "boost", "target": {"category": ["Home", "Lamps"]}, "factor": 1.5},
                {"action": "bury", "target": {"product_ids": ["p-2"]}, "factor": 4.0},
                {"action": "redirect", "url": "/lamps"},
            ]}),
        ]
    }

    #[test]
    fn events_messages_and_the_api_say_the_same_of_a_rule() {
        for kind in kinds() {
            let mut json = stored(&kind);
            let rule: SearchRule = serde_json::from_value(json.clone()).expect("rule");
            let shown = StoredRule::from(rule.to_message(Version::FIRST));
            json["version"] = 1.into();
            assert_eq!(serde_json::to_value(&shown).expect("json"), json);
            let back = RuleForm::from(shown.form.clone().into_message());
            assert_eq!(back, shown.form);
        }
    }

    #[test]
    fn what_is_unknown_is_shown_and_not_taken() {
        let newer = stored(&json!({"type": "banner"}));
        let rule: SearchRule = serde_json::from_value(newer).expect("rule");
        let shown = StoredRule::from(rule.to_message(Version::FIRST));
        let json = serde_json::to_value(&shown).expect("json");
        assert_eq!(json["kind"], json!({"type": "unknown"}));
        for bad in [
            json!({"kind": {"type": "unknown"}}),
            json!({"kind": {"type": "synonyms", "terms": [], "words": []}}),
            json!({"kind": {"type": "curation", "actions": [{"action": "unknown"}]}}),
            json!({"kind": {"type": "curation", "actions": [
                {"action": "hide", "target": {"colour": "red"}}]}}),
            json!({"kind": {"type": "synonyms", "terms": []}, "name": "x"}),
        ] {
            assert!(
                serde_json::from_value::<RuleForm>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }
}
