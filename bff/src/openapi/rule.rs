//! The shapes of search rules in the OpenAPI document: the JSON of `catalog_events::RuleForm`.
#![expect(
    dead_code,
    reason = "the types describe JSON; none of them is ever made"
)]

use serde::Serialize;
use utoipa::ToSchema;

/// A rule as people state it.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": {"type": "synonyms", "terms": ["sofa", "couch"]}})
)]
pub(crate) struct NewSearchRule {
    /// It may repeat the id of the path.
    #[schema(nullable = false)]
    id: Option<String>,
    kind: RuleKind,
    /// True for a rule that is kept and not followed.
    #[schema(nullable = false)]
    disabled: Option<bool>,
    /// The time from which on it is followed; at once unless it is stated.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// The time from which on it is followed no more.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// A rule with what the service adds. Members that were not stated are left out.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchRule {
    id: String,
    kind: RuleKind,
    #[schema(default = false)]
    disabled: Option<bool>,
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    note: Option<String>,
    /// Counts the changes of this rule, from 1. It is the `ETag`.
    version: i64,
    #[schema(required, nullable, format = DateTime)]
    created_at: Option<String>,
    #[schema(required, nullable, format = DateTime)]
    updated_at: Option<String>,
}

/// A page of rules, in the order of their ids.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchRules {
    items: Vec<SearchRule>,
    #[schema(required, nullable)]
    next_page_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum RuleKind {
    /// Words that mean the same.
    Synonyms {
        #[schema(min_items = 2, max_items = 50)]
        terms: Vec<String>,
    },
    /// Words that stand for another one.
    OneWaySynonyms {
        from: String,
        #[schema(min_items = 1, max_items = 50)]
        to: Vec<String>,
    },
    /// Words that are no synonyms, whatever other rules say; they are suggested no more.
    Distinct {
        #[schema(min_items = 2, max_items = 50)]
        terms: Vec<String>,
    },
    /// What is done to the answers of some queries.
    Curation {
        /// No query means every query.
        #[schema(nullable = false, max_items = 100)]
        queries: Option<Vec<String>>,
        #[schema(nullable = false)]
        matching: Option<QueryMatch>,
        #[schema(min_items = 1, max_items = 100)]
        actions: Vec<RuleAction>,
    },
}

/// Whether a query is just that of the rule, or contains it.
#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum QueryMatch {
    Exact,
    Contains,
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum RuleAction {
    /// Shows a product at a place of the answer, counted from 1.
    Pin { product_id: String, position: i32 },
    /// Leaves products out.
    Hide { target: RuleTarget },
    /// Multiplies the score of products.
    Boost { target: RuleTarget, factor: f64 },
    /// Divides the score of products.
    Bury { target: RuleTarget, factor: f64 },
    /// Sends the user to a page.
    Redirect { url: String },
}

/// Products that meet any of these.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTarget {
    #[schema(nullable = false)]
    product_ids: Option<Vec<String>>,
    #[schema(nullable = false)]
    brand: Option<String>,
    #[schema(nullable = false)]
    category: Option<Vec<String>>,
}
