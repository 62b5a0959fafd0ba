//! The shapes of webhooks in the OpenAPI document.
#![expect(
    dead_code,
    reason = "the types describe JSON; none of them is ever made"
)]

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{Paths, PathsBuilder};

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
#[schema(min_properties = 1, example = json!({"state": "paused"}))]
pub(crate) struct WebhookChange {
    #[schema(nullable = false, min_length = 1, max_length = 2000, format = "uri")]
    url: Option<String>,
    #[schema(max_length = 200)]
    description: Option<String>,
    #[schema(max_items = 20)]
    types: Option<Vec<String>>,
    #[schema(max_items = 100)]
    product_ids: Option<Vec<String>>,
    /// One that is made active goes on where it stopped.
    #[schema(nullable = false)]
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
    #[schema(nullable = false, minimum = 0, maximum = 2_592_000)]
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
    #[schema(nullable = false)]
    from_now: Option<bool>,
}

/// What a webhook is sent.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"type": "product.deleted", "timestamp": "2026-03-01T09:30:00Z", "data": {"position": 120, "product_id": "p1", "version": 3, "occurred_at": "2026-03-01T09:30:00Z", "actor": "importer", "change": {"type": "deleted"}, "product": null}}))]
pub(crate) struct WebhookMessage {
    /// The type of the event, as of `GET /api/events`.
    r#type: String,
    /// When it came about.
    #[schema(format = "date-time")]
    timestamp: String,
    /// The event as it is on NATS; `docs/events` has its JSON Schemas.
    data: serde_json::Map<String, Value>,
}

/// The requests that this service sends by itself.
pub(super) fn sent() -> Paths {
    PathsBuilder::new().path_from::<__path_event>().build()
}

#[utoipa::path(
    post,
    path = "event",
    operation_id = "receiveEvent",
    tag = "webhooks",
    summary = "An event, as a webhook gets it",
    description = "Sent as Standard Webhooks has it, at least once, and in order per product.",
    params(
        ("webhook-id" = String, Header, description = "The same for each attempt to send this event"),
        ("webhook-timestamp" = i64, Header, description = "When it was sent, in seconds since 1970"),
        ("webhook-signature" = String, Header, description = "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64; two of them, parted by a space, while a secret is being replaced")
    ),
    request_body(content = WebhookMessage),
    responses(
        (status = "2XX", description = "Accepted"),
        (status = 410, description = "Nothing is to be sent any more: the webhook is disabled"),
        (status = "default", description = "Sent again later, for three days")
    )
)]
fn event() {}
