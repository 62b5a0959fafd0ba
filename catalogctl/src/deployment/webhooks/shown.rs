//! How webhooks and what waits for them are shown: as lines, and as JSON.

use catalog_proto::v1::{TestWebhookResponse, WaitingDelivery, Webhook};
use client_kit::output;
use serde_json::{Value, json};

use crate::moment::moment;

pub(super) fn to_line(hook: &Webhook) -> String {
    let mut line = format!("{}  {}  {}", hook.id, state(hook), hook.url);
    let mut tell = |what: &str, value: &str| {
        if !value.is_empty() {
            line.push_str("  ");
            line.push_str(what);
            line.push_str(value);
        }
    };
    tell("", &hook.description);
    tell("types ", &hook.types.join(","));
    tell("products ", &hook.product_ids.join(","));
    tell("delivered ", &hook.delivered.to_string());
    tell("behind ", &hook.lag.to_string());
    if hook.waiting > 0 {
        tell("waiting ", &hook.waiting.to_string());
    }
    if let Some(since) = moment(hook.failing_since.as_ref()) {
        tell("failing since ", &since);
        tell("", &hook.last_error);
    }
    tell("because ", &hook.disabled_reason);
    output::plain(&line)
}

pub(super) fn to_json(hook: &Webhook) -> Value {
    json!({
        "id": hook.id,
        "url": hook.url,
        "description": hook.description,
        "types": hook.types,
        "product_ids": hook.product_ids,
        "state": state(hook),
        "disabled_reason": stated(&hook.disabled_reason),
        "version": hook.version,
        "created_at": moment(hook.created_at.as_ref()),
        "created_by": hook.created_by,
        "updated_at": moment(hook.updated_at.as_ref()),
        "rotated_at": moment(hook.rotated_at.as_ref()),
        "previous_secret_until": moment(hook.previous_secret_until.as_ref()),
        "position": hook.position,
        "rule_position": hook.rule_position,
        "lag": hook.lag,
        "waiting": hook.waiting,
        "delivered": hook.delivered,
        "last_delivered_at": moment(hook.last_delivered_at.as_ref()),
        "failing_since": moment(hook.failing_since.as_ref()),
        "last_error": stated(&hook.last_error),
    })
}

pub(super) fn waiting_line(waiting: &WaitingDelivery) -> String {
    let line = match moment(waiting.next_attempt_at.as_ref()) {
        None if waiting.attempts == 0 => "behind others, or due".to_owned(),
        None => "due".to_owned(),
        Some(at) => format!("next {at}"),
    };
    output::plain(&format!(
        "{}  {}  {}  {}  {} attempts  {line}  {}",
        waiting.position,
        waiting.event_id,
        waiting.r#type,
        waiting.subject,
        waiting.attempts,
        waiting.last_error,
    ))
}

pub(super) fn waiting_to_json(waiting: &WaitingDelivery) -> Value {
    json!({
        "event_id": waiting.event_id,
        "type": waiting.r#type,
        "subject": waiting.subject,
        "position": waiting.position,
        "attempts": waiting.attempts,
        "failed_at": moment(waiting.failed_at.as_ref()),
        "next_attempt_at": moment(waiting.next_attempt_at.as_ref()),
        "last_status": Some(waiting.last_status).filter(|status| *status != 0),
        "last_error": stated(&waiting.last_error),
    })
}

pub(super) fn test_line(tested: &TestWebhookResponse) -> String {
    let ms = tested.took_ms;
    if tested.delivered {
        format!("accepted with {} in {ms} ms", tested.status)
    } else {
        output::plain(&format!("failed after {ms} ms: {}", tested.error))
    }
}

pub(super) fn test_to_json(tested: &TestWebhookResponse) -> Value {
    json!({
        "delivered": tested.delivered,
        "status": Some(tested.status).filter(|status| *status != 0),
        "error": stated(&tested.error),
        "took_ms": tested.took_ms,
        "event_id": tested.event_id,
    })
}

fn state(hook: &Webhook) -> String {
    let name = hook.state().as_str_name();
    name.trim_start_matches("WEBHOOK_STATE_").to_lowercase()
}

fn stated(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use catalog_proto::v1::WebhookState;

    use super::*;

    #[test]
    fn a_webhook_is_told_on_one_line() {
        let hook = Webhook {
            id: "id-1".to_owned(),
            url: "https://shop.example/hook".to_owned(),
            description: "Shop\u{1b}[31m".to_owned(),
            types: vec!["rule.put".to_owned()],
            state: WebhookState::Disabled.into(),
            disabled_reason: "gone".to_owned(),
            lag: 7,
            ..Webhook::default()
        };
        let line = "id-1  disabled  https://shop.example/hook  Shop[31m  types rule.put  \
                    delivered 0  behind 7  because gone";
        assert_eq!(to_line(&hook), line);
        let json = to_json(&hook);
        assert_eq!(
            (&json["state"], &json["last_error"]),
            (&json!("disabled"), &Value::Null)
        );
    }
}
