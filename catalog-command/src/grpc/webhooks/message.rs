//! Webhooks and what waits for them as messages, and the other way round.

use catalog_events::Position;
use catalog_proto::v1;
use prost_types::FieldMask;

use crate::commands::ShownWebhook;
use crate::domain::{Violation, Webhook, WebhookPatch, WebhookState};
use crate::grpc::convert::timestamp;
use crate::store::{LogKind, LogSpot, WaitingDelivery, WaitingPage, WebhookProgress};

const WAITING_UNLESS_TOLD: i64 = 100;
const WAITING_MAX: i64 = 1_000;

pub(super) fn webhook_message(shown: ShownWebhook) -> v1::Webhook {
    message(shown.webhook, shown.progress)
}

pub(super) fn message(hook: Webhook, progress: WebhookProgress) -> v1::Webhook {
    v1::Webhook {
        id: hook.id.to_string(),
        url: hook.url,
        description: hook.description,
        types: hook.types,
        product_ids: hook.product_ids,
        state: state_message(hook.state).into(),
        disabled_reason: hook.disabled_reason.unwrap_or_default(),
        created_at: Some(timestamp(hook.created_at)),
        created_by: hook.created_by,
        version: hook.version.get(),
        updated_at: Some(timestamp(hook.updated_at)),
        rotated_at: hook.rotated_at.map(timestamp),
        previous_secret_until: hook.previous_until.map(timestamp),
        position: progress.position,
        rule_position: progress.rule_position,
        lag: progress.lag,
        waiting: progress.waiting,
        delivered: progress.delivered,
        last_delivered_at: progress.last_delivered_at.map(timestamp),
        failing_since: progress.failing_since.map(timestamp),
        last_error: progress.last_error.unwrap_or_default(),
    }
}

fn state_message(state: WebhookState) -> v1::WebhookState {
    match state {
        WebhookState::Active => v1::WebhookState::Active,
        WebhookState::Paused => v1::WebhookState::Paused,
        WebhookState::Disabled => v1::WebhookState::Disabled,
    }
}

/// The fields that the mask names.
pub(super) fn patch(request: v1::UpdateWebhookRequest) -> Result<WebhookPatch, Vec<Violation>> {
    let state = request.state();
    let FieldMask { paths } = request.update_mask.unwrap_or_default();
    if paths.is_empty() {
        let problem = "is empty: name the fields to change";
        return Err(vec![Violation::new("update_mask", problem)]);
    }
    let has = |name: &str| paths.iter().any(|path| path == name);
    let known = ["url", "description", "types", "product_ids", "state"];
    if let Some(unknown) = paths.iter().find(|path| !known.contains(&path.as_str())) {
        let problem = format!("names {unknown:?}: there are {}", known.join(", "));
        return Err(vec![Violation::new("update_mask", problem)]);
    }
    let state = match state {
        _ if !has("state") => None,
        v1::WebhookState::Active => Some(WebhookState::Active),
        v1::WebhookState::Paused => Some(WebhookState::Paused),
        v1::WebhookState::Disabled => Some(WebhookState::Disabled),
        v1::WebhookState::Unspecified => {
            let problem = "is neither active nor paused";
            return Err(vec![Violation::new("state", problem)]);
        }
    };
    Ok(WebhookPatch {
        url: has("url").then_some(request.url),
        description: has("description").then_some(request.description),
        types: has("types").then_some(request.types),
        product_ids: has("product_ids").then_some(request.product_ids),
        state,
    })
}

pub(super) fn waiting_page(
    webhook: uuid::Uuid,
    request: &v1::ListWaitingDeliveriesRequest,
) -> Result<WaitingPage, Vec<Violation>> {
    let limit = match i64::from(request.limit) {
        ..0 => return Err(vec![Violation::new("limit", "is negative")]),
        0 => WAITING_UNLESS_TOLD,
        limit => limit.min(WAITING_MAX),
    };
    let after = match request.page_token.as_str() {
        "" => None,
        token => {
            let problem = || vec![Violation::new("page_token", "is none of this service")];
            Some(spot(token).ok_or_else(problem)?)
        }
    };
    Ok(WaitingPage {
        webhook,
        after,
        limit,
    })
}

/// The token of the page after this delivery.
pub(super) fn page_token(last: &WaitingDelivery) -> String {
    format!("{}.{}", last.spot.log.as_str(), last.spot.position)
}

fn spot(token: &str) -> Option<LogSpot> {
    let (log, position) = token.split_once('.')?;
    Some(LogSpot {
        log: LogKind::named(log)?,
        position: Position(position.parse().ok()?),
    })
}

pub(super) fn waiting_message(waiting: WaitingDelivery) -> v1::WaitingDelivery {
    v1::WaitingDelivery {
        event_id: waiting.event_id.to_string(),
        r#type: waiting.event_type,
        subject: waiting.subject,
        position: waiting.spot.position.to_i64(),
        attempts: waiting.attempts,
        failed_at: waiting.failed_at.map(timestamp),
        next_attempt_at: waiting.next_attempt_at.map(timestamp),
        last_status: waiting.last_status.unwrap_or_default(),
        last_error: waiting.last_error.unwrap_or_default(),
    }
}
