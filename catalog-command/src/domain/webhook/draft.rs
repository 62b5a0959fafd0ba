//! Checked webhooks: what passes here is accepted, and every mistake is reported.

use catalog_events::{FeedType, ProductId};
use serde::{Deserialize, Serialize};

use crate::domain::check::{Check, Violation};
use crate::domain::webhook::address::{Reach, check_url};

const DESCRIPTION_CHARS_MAX: usize = 200;
const TYPES_MAX: usize = 20;
const PRODUCT_IDS_MAX: usize = 100;

/// What a webhook is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebhookState {
    Active,
    Paused,
    Disabled,
}

impl WebhookState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Active, Self::Paused, Self::Disabled];
        all.into_iter().find(|state| state.as_str() == name)
    }
}

/// The unchecked fields of a webhook.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookFields {
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) types: Vec<String>,
    pub(crate) product_ids: Vec<String>,
}

/// What of a webhook changes; none leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookPatch {
    pub(crate) url: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) types: Option<Vec<String>>,
    pub(crate) product_ids: Option<Vec<String>>,
    pub(crate) state: Option<WebhookState>,
}

/// A checked webhook.
///
/// Invariant: every field is within its bounds; only id, secrets, state, version and times are missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WebhookDraft {
    pub(super) url: String,
    pub(super) description: String,
    pub(super) types: Vec<String>,
    pub(super) product_ids: Vec<String>,
}

impl WebhookDraft {
    pub(crate) fn parse(fields: WebhookFields, reach: Reach) -> Result<Self, Vec<Violation>> {
        let mut check = Check::default();
        let url = check.result("url", check_url(&fields.url, reach));
        let description = check.line("description", fields.description, DESCRIPTION_CHARS_MAX);
        let types = check.event_types(&fields.types);
        let product_ids = check.told_products(fields.product_ids);
        match url {
            Some(url) if check.violations.is_empty() => Ok(Self {
                url,
                description,
                types,
                product_ids,
            }),
            _ => Err(check.violations),
        }
    }
}

impl Check {
    /// The names of the types, each once; a family stands for all that is of it.
    fn event_types(&mut self, stated: &[String]) -> Vec<String> {
        if stated.len() > TYPES_MAX {
            self.fail("types", format!("has more than {TYPES_MAX} entries"));
            return Vec::new();
        }
        let mut types: Vec<String> = Vec::new();
        for (index, name) in stated.iter().enumerate() {
            let found = self.result(&format!("types[{index}]"), FeedType::named(name));
            for kind in found.unwrap_or_default() {
                if !types.iter().any(|known| known == kind.as_str()) {
                    types.push(kind.to_string());
                }
            }
        }
        types
    }

    /// The ids of the products, each once.
    fn told_products(&mut self, stated: Vec<String>) -> Vec<String> {
        if stated.len() > PRODUCT_IDS_MAX {
            let reason = format!("has more than {PRODUCT_IDS_MAX} entries");
            self.fail("product_ids", reason);
            return Vec::new();
        }
        let mut ids: Vec<String> = Vec::new();
        for (index, id) in stated.into_iter().enumerate() {
            let read = self.result(&format!("product_ids[{index}]"), id.parse::<ProductId>());
            if read.is_some() && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(change: impl FnOnce(&mut WebhookFields)) -> Result<WebhookDraft, Vec<String>> {
        let mut fields = WebhookFields {
            url: "https://shop.example/hook".to_owned(),
            ..WebhookFields::default()
        };
        change(&mut fields);
        let told = |all: Vec<Violation>| all.into_iter().map(|one| one.field).collect();
        WebhookDraft::parse(fields, Reach::Public).map_err(told)
    }

    #[test]
    fn what_is_stated_is_put_into_one_form() {
        let draft = parse(|fields| {
            fields.description = " Shop ".to_owned();
            fields.types = ["rule.*", "rule.put", "product.deleted"]
                .map(str::to_owned)
                .into();
            fields.product_ids = ["a", "b", "a"].map(str::to_owned).into();
        });
        let draft = draft.expect("valid");
        assert_eq!(draft.description, "Shop");
        assert_eq!(draft.types, ["rule.put", "rule.deleted", "product.deleted"]);
        assert_eq!(draft.product_ids, ["a", "b"]);
    }

    #[test]
    fn every_mistake_is_reported() {
        let found = parse(|fields| {
            *fields = WebhookFields {
                url: "x".to_owned(),
                description: "\u{7}".to_owned(),
                types: vec!["rule.put".to_owned(), "product.sold".to_owned()],
                product_ids: vec!["a".to_owned(), "no id".to_owned()],
            };
        });
        let found = found.expect_err("all wrong");
        assert_eq!(found, ["url", "description", "types[1]", "product_ids[1]"]);
        let many = parse(|fields| {
            fields.product_ids = (0..101).map(|n| n.to_string()).collect();
            fields.types = vec!["rule.put".to_owned(); 21];
        });
        assert_eq!(many.expect_err("too many"), ["types", "product_ids"]);
    }
}
