//! The JSON of webhooks, in and out.

use catalog_proto::v1;
use prost_types::FieldMask;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::json::grace::read_grace_seconds;
use crate::json::product::rfc3339;
use crate::json::{number, raw, stated};
use crate::problem::{FieldErrors, Problem, pointer, with_nearest};

const NEW_MEMBERS: [&str; 6] = [
    "url",
    "description",
    "types",
    "product_ids",
    "after_position",
    "after_rule_position",
];
const CHANGED_MEMBERS: [&str; 5] = ["url", "description", "types", "product_ids", "state"];
const REPLAY_MEMBERS: [&str; 3] = ["after_position", "after_rule_position", "from_now"];
/// Receivers have a day to learn of a new secret.
const GRACE_S_UNLESS_TOLD: i64 = 24 * 3_600;

/// A webhook without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookJson {
    id: String,
    /// Where events are sent.
    url: String,
    description: String,
    /// The types of events that are sent; none means all.
    types: Vec<String>,
    /// The products whose events are sent; none means all.
    product_ids: Vec<String>,
    /// `active`, `paused` by a person, or `disabled` by the catalog.
    state: &'static str,
    /// Why the catalog has disabled it.
    #[schema(required)]
    disabled_reason: Option<String>,
    /// Counts the changes of the webhook, from 1.
    version: i64,
    #[schema(required, format = DateTime)]
    created_at: Option<String>,
    created_by: String,
    #[schema(required, format = DateTime)]
    updated_at: Option<String>,
    /// When it last got a new secret.
    #[schema(required, format = DateTime)]
    rotated_at: Option<String>,
    /// Until when requests are signed with the secret before as well.
    #[schema(required, format = DateTime)]
    previous_secret_until: Option<String>,
    /// All wanted events up to this position of the event log were delivered or are waiting.
    position: i64,
    /// The same in the log of search rules.
    rule_position: i64,
    /// How many events, wanted or not, the logs have after these positions.
    lag: i64,
    /// How many deliveries failed and are tried again, or wait behind one of these.
    waiting: i64,
    /// How many deliveries have succeeded.
    delivered: i64,
    #[schema(required, format = DateTime)]
    last_delivered_at: Option<String>,
    /// Since when no delivery has succeeded.
    #[schema(required, format = DateTime)]
    failing_since: Option<String>,
    /// What the last failure was.
    #[schema(required)]
    last_error: Option<String>,
}

/// A webhook with the secret that it was just given.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookWithSecretJson {
    webhook: WebhookJson,
    /// `whsec_…`, with which requests are signed. It is shown this once; null where a repeated request is
    /// answered again.
    #[schema(required)]
    secret: Option<String>,
}

/// All webhooks, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhooksJson {
    items: Vec<WebhookJson>,
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookTestJson {
    /// Whether the endpoint accepted it.
    delivered: bool,
    /// The status of its answer.
    #[schema(required)]
    status: Option<i32>,
    /// What went wrong.
    #[schema(required)]
    error: Option<String>,
    took_ms: i64,
    /// The `webhook-id` that was sent.
    event_id: String,
}

/// A page of the deliveries that failed or wait.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingDeliveriesJson {
    items: Vec<WaitingDeliveryJson>,
    #[schema(required)]
    next_page_token: Option<String>,
}

/// A delivery that failed, or waits behind one of the same product or rule.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingDeliveryJson {
    /// The id of the event, which is its `webhook-id`.
    event_id: String,
    r#type: String,
    /// The id of the product or of the rule.
    subject: String,
    /// The position in its log.
    position: i64,
    /// How often it was tried; 0 where it waits behind another one.
    attempts: i32,
    #[schema(required, format = DateTime)]
    failed_at: Option<String>,
    #[schema(required, format = DateTime)]
    next_attempt_at: Option<String>,
    #[schema(required)]
    last_status: Option<i32>,
    #[schema(required)]
    last_error: Option<String>,
}

impl WebhookJson {
    pub(crate) fn of(hook: v1::Webhook) -> Self {
        Self {
            state: match hook.state() {
                v1::WebhookState::Active => "active",
                v1::WebhookState::Paused => "paused",
                v1::WebhookState::Disabled => "disabled",
                v1::WebhookState::Unspecified => "unknown",
            },
            created_at: hook.created_at.as_ref().and_then(rfc3339),
            updated_at: hook.updated_at.as_ref().and_then(rfc3339),
            rotated_at: hook.rotated_at.as_ref().and_then(rfc3339),
            previous_secret_until: hook.previous_secret_until.as_ref().and_then(rfc3339),
            last_delivered_at: hook.last_delivered_at.as_ref().and_then(rfc3339),
            failing_since: hook.failing_since.as_ref().and_then(rfc3339),
            id: hook.id,
            url: hook.url,
            description: hook.description,
            types: hook.types,
            product_ids: hook.product_ids,
            disabled_reason: stated(hook.disabled_reason),
            version: hook.version,
            created_by: hook.created_by,
            position: hook.position,
            rule_position: hook.rule_position,
            lag: hook.lag,
            waiting: hook.waiting,
            delivered: hook.delivered,
            last_error: stated(hook.last_error),
        }
    }
}

impl WebhookWithSecretJson {
    pub(crate) fn of(hook: v1::Webhook, secret: String) -> Self {
        Self {
            webhook: WebhookJson::of(hook),
            secret: stated(secret),
        }
    }
}

impl WebhooksJson {
    pub(crate) fn of(hooks: Vec<v1::Webhook>) -> Self {
        Self {
            items: hooks.into_iter().map(WebhookJson::of).collect(),
        }
    }
}

impl WebhookTestJson {
    pub(crate) fn of(tested: v1::TestWebhookResponse) -> Self {
        Self {
            delivered: tested.delivered,
            status: Some(tested.status).filter(|status| *status != 0),
            error: stated(tested.error),
            took_ms: tested.took_ms,
            event_id: tested.event_id,
        }
    }
}

impl WaitingDeliveriesJson {
    pub(crate) fn of(page: v1::ListWaitingDeliveriesResponse) -> Self {
        let items = page.deliveries.into_iter().map(|one| WaitingDeliveryJson {
            failed_at: one.failed_at.as_ref().and_then(rfc3339),
            next_attempt_at: one.next_attempt_at.as_ref().and_then(rfc3339),
            event_id: one.event_id,
            r#type: one.r#type,
            subject: one.subject,
            position: one.position,
            attempts: one.attempts,
            last_status: Some(one.last_status).filter(|status| *status != 0),
            last_error: stated(one.last_error),
        });
        Self {
            items: items.collect(),
            next_page_token: stated(page.next_page_token),
        }
    }
}

/// Reads the body of `POST /api/webhooks`. The write service decides what a webhook may be.
pub(crate) fn read_new(body: &RawValue) -> Result<v1::CreateWebhookRequest, Problem> {
    let mut errors = FieldErrors::default();
    let mut hook = v1::CreateWebhookRequest::default();
    for (name, value) in raw::members(body, &[], &mut errors) {
        let place = pointer(&[&name]);
        match name.as_str() {
            "url" => hook.url = errors.take(place, raw::text(value)).unwrap_or_default(),
            "description" => hook.description = text(place, value, &mut errors),
            "types" => hook.types = raw::texts_or_null(value, &[&name], &mut errors),
            "product_ids" => hook.product_ids = raw::texts_or_null(value, &[&name], &mut errors),
            "after_position" => hook.after_position = position(place, value, &mut errors),
            "after_rule_position" => hook.after_rule_position = position(place, value, &mut errors),
            _ => errors.push(place, with_nearest(raw::UNKNOWN, &name, &NEW_MEMBERS)),
        }
    }
    let place = pointer(&["url"]);
    if hook.url.is_empty() && !errors.has(&place) && !errors.has("") {
        errors.push(place, "is required");
    }
    errors.finish()?;
    Ok(hook)
}

/// Reads the body of `PATCH /api/webhooks/{id}`: what is stated changes, null empties.
pub(crate) fn read_change(body: &RawValue) -> Result<v1::UpdateWebhookRequest, Problem> {
    let mut errors = FieldErrors::default();
    let mut hook = v1::UpdateWebhookRequest::default();
    let mut paths = Vec::new();
    for (name, value) in raw::members(body, &[], &mut errors) {
        let place = pointer(&[&name]);
        match name.as_str() {
            "url" => hook.url = errors.take(place, raw::text(value)).unwrap_or_default(),
            "description" => hook.description = text(place, value, &mut errors),
            "types" => hook.types = raw::texts_or_null(value, &[&name], &mut errors),
            "product_ids" => hook.product_ids = raw::texts_or_null(value, &[&name], &mut errors),
            "state" => match raw::text(value).as_deref() {
                Ok("active") => hook.set_state(v1::WebhookState::Active),
                Ok("paused") => hook.set_state(v1::WebhookState::Paused),
                _ => errors.push(place, "must be active or paused"),
            },
            _ => errors.push(place, with_nearest(raw::UNKNOWN, &name, &CHANGED_MEMBERS)),
        }
        paths.push(name);
    }
    if paths.is_empty() && errors.is_empty() {
        let detail = format!(
            "must have a member to change: {}",
            CHANGED_MEMBERS.join(", ")
        );
        errors.push(String::new(), detail);
    }
    errors.finish()?;
    hook.update_mask = Some(FieldMask { paths });
    Ok(hook)
}

/// Reads the body of `POST /api/webhooks/{id}/rotate`: for how many seconds both secrets sign.
pub(crate) fn read_rotation(body: &RawValue) -> Result<i64, Problem> {
    read_grace_seconds(body, GRACE_S_UNLESS_TOLD)
}

/// Reads the body of `POST /api/webhooks/{id}/replay`.
pub(crate) fn read_replay(body: &RawValue) -> Result<v1::ReplayWebhookRequest, Problem> {
    let mut errors = FieldErrors::default();
    let mut replay = v1::ReplayWebhookRequest::default();
    for (name, value) in raw::members(body, &[], &mut errors) {
        let place = pointer(&[&name]);
        match name.as_str() {
            "after_position" => replay.after_position = position(place, value, &mut errors),
            "after_rule_position" => {
                replay.after_rule_position = position(place, value, &mut errors);
            }
            "from_now" => match value.get() {
                "true" => replay.from_now = true,
                "false" => {}
                _ => errors.push(place, "must be true or false"),
            },
            _ => errors.push(place, with_nearest(raw::UNKNOWN, &name, &REPLAY_MEMBERS)),
        }
    }
    errors.finish()?;
    Ok(replay)
}

fn text(place: String, value: &RawValue, errors: &mut FieldErrors) -> String {
    let text = errors.take(place, raw::text_or_null(value));
    text.unwrap_or_default()
}

fn position(place: String, value: &RawValue, errors: &mut FieldErrors) -> Option<i64> {
    if raw::is_null(value) {
        return None;
    }
    let position = number::whole(value).filter(|position| *position >= 0);
    errors.take(
        place,
        position.ok_or("must be a whole number from 0, or null"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn raw_of(body: &Value) -> Box<RawValue> {
        RawValue::from_string(body.to_string()).expect("JSON")
    }

    fn check_refused<T>(result: Result<T, Problem>, pointer: &str, detail: &str) {
        let problem = result.err().expect("at fault");
        let expected = json!([{"pointer": pointer, "detail": detail}]);
        assert_eq!(problem.to_json()["errors"], expected);
    }

    #[test]
    fn a_member_at_fault_is_named() {
        let new = |body: Value| read_new(&raw_of(&body));
        check_refused(new(json!({})), "/url", "is required");
        let odd = json!({"url": "https://a.example", "product_id": []});
        let told = "is not a member that can be set; did you mean product_ids?";
        check_refused(new(odd), "/product_id", told);
        let odd = json!({"url": "https://a.example", "after_position": -1});
        check_refused(
            new(odd),
            "/after_position",
            "must be a whole number from 0, or null",
        );

        let change = |body: Value| read_change(&raw_of(&body));
        check_refused(
            change(json!({"state": "disabled"})),
            "/state",
            "must be active or paused",
        );
        let told = "must have a member to change: url, description, types, product_ids, state";
        check_refused(change(json!({})), "", told);
        let mask = change(json!({"types": null, "state": "paused"})).expect("valid");
        let paths = mask.update_mask.expect("mask").paths;
        assert_eq!(
            (paths, mask.types.len()),
            (vec!["state".to_owned(), "types".to_owned()], 0)
        );
    }

    #[test]
    fn a_rotation_has_a_day_unless_told() {
        let rotation = |body: Value| read_rotation(&raw_of(&body));
        assert_eq!(rotation(json!({})).ok(), Some(86_400));
        assert_eq!(rotation(json!({"grace_seconds": 0})).ok(), Some(0));
        let long = rotation(json!({"grace_seconds": 2_592_001}));
        check_refused(
            long,
            "/grace_seconds",
            "must be a whole number from 0 to 2592000",
        );
    }
}
