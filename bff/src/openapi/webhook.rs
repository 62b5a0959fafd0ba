//! The shapes of webhooks in the OpenAPI document.
#![expect(
    dead_code,
    reason = "the types describe JSON; none of them is ever made"
)]

use serde::Serialize;
use utoipa::ToSchema;

/// A webhook to be made.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://shop.example/catalog-events", "description": "Shop window", "types": ["product.price_changed"]}))]
pub(crate) struct NewWebhook {
    /// Where events are sent: an https URL of a public host, without a user.
    #[schema(min_length = 1, max_length = 2000, format = "uri")]
    url: String,
    #[schema(max_length = 200)]
    description: Option<String>,
    /// The types of events that are sent, as of `GET /api/events`; all of them unless it is stated.
    #[schema(max_items = 20)]
    types: Option<Vec<String>>,
    /// The products whose events are sent; all of them unless it is stated.
    #[schema(max_items = 100)]
    product_ids: Option<Vec<String>>,
    /// The position in the event log after which events are sent; from now on unless it is stated.
    #[schema(minimum = 0)]
    after_position: Option<i64>,
    /// The same in the log of search rules.
    #[schema(minimum = 0)]
    after_rule_position: Option<i64>,
}

/// What of a webhook changes; one member at least.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"state": "paused"}))]
pub(crate) struct WebhookChange {
    #[schema(min_length = 1, max_length = 2000, format = "uri")]
    url: Option<String>,
    #[schema(max_length = 200)]
    description: Option<String>,
    #[schema(max_items = 20)]
    types: Option<Vec<String>>,
    #[schema(max_items = 100)]
    product_ids: Option<Vec<String>>,
    /// One that is made active goes on where it stopped.
    state: Option<StatedWebhookState>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatedWebhookState {
    Active,
    Paused,
}

/// How a webhook gets a new secret.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"grace_seconds": 86_400}))]
pub(crate) struct SecretRotation {
    /// For how many seconds requests are signed with the present secret too; a day unless told.
    #[schema(minimum = 0, maximum = 2_592_000)]
    grace_seconds: Option<i64>,
}

/// Where a webhook goes on: after a position, or from now.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"after_position": 120}))]
pub(crate) struct WebhookReplay {
    /// The position in the event log after which events are sent, sent before or not.
    #[schema(minimum = 0)]
    after_position: Option<i64>,
    /// The same in the log of search rules.
    #[schema(minimum = 0)]
    after_rule_position: Option<i64>,
    /// Goes to the ends of both logs, and forgets what is waiting.
    from_now: Option<bool>,
}
