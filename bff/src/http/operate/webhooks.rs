//! Routes for webhooks: who is told of events over HTTP, and how that goes.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use catalog_proto::v1;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::idempotency::RequestId;
use crate::http::request::params::{Query, read_limit};
use crate::http::request::version::{IfMatch, Unmet, etag};
use crate::json::webhook::{
    WaitingDeliveriesJson, WebhookJson, WebhookTestJson, WebhookWithSecretJson, WebhooksJson,
    read_change, read_new, read_replay, read_rotation,
};
use crate::openapi::params::{
    ConditionHeaders, WaitingListParams, WebhookPathParams, WriteHeaders,
};
use crate::openapi::webhook::{NewWebhook, SecretRotation, WebhookChange, WebhookReplay};
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const LIMIT_UNLESS_TOLD: i32 = 100;
const LIMIT_MAX: i32 = 1_000;

/// `GET /api/webhooks`: all webhooks, the newest first.
#[utoipa::path(
    get,
    path = "/api/webhooks",
    operation_id = "listWebhooks",
    tag = "webhooks",
    summary = "List webhooks",
    responses((status = 200, description = "All webhooks, the newest first", body = WebhooksJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn list_webhooks(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let all = api.upstream.list_webhooks(&caller).await;
    let all = all.map_err(|status| Problem::of_webhook_status(&status, false))?;
    json_response(StatusCode::OK, &WebhooksJson::of(all))
}

/// `POST /api/webhooks`: 201 with the webhook and its secret, which is shown this once.
#[utoipa::path(
    post,
    path = "/api/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    summary = "Make a webhook",
    description = "Events are sent by `POST` as the specification Standard Webhooks has it: \
                   `{\"type\": …, \"timestamp\": …, \"data\": …}`, where `data` is the event as it is on NATS, with the \
                   headers `webhook-id` (the same for each attempt), `webhook-timestamp` and \
                   `webhook-signature`. Events of one product come in order. An answer of 200 to 299 accepts one; \
                   410 disables the webhook; everything else is tried again for three days.",
    params(WriteHeaders),
    request_body(content = NewWebhook),
    responses((status = 201, description = "The webhook, with its secret", body = WebhookWithSecretJson, headers(("ETag" = String, description = "The version"), ("Location" = String, description = "Its path")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn create_webhook(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let mut message = read_new(body::value(&body)?)?;
    message.request_id = request_id.to_message();
    let made = api.upstream.create_webhook(&caller, message).await;
    let (hook, secret) = made.map_err(|status| Problem::of_webhook_status(&status, false))?;
    let location = HeaderValue::try_from(format!("/api/webhooks/{}", hook.id));
    let mut response = with_secret(StatusCode::CREATED, hook, secret)?;
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /api/webhooks/{id}`: 200 with the webhook and how far it is.
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}",
    operation_id = "getWebhook",
    tag = "webhooks",
    summary = "Read a webhook",
    params(WebhookPathParams),
    responses((status = 200, description = "The webhook", body = WebhookJson, headers(("ETag" = String, description = "The version")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn get_webhook(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
) -> Result<Response, Problem> {
    let hook = api.upstream.get_webhook(&caller, id).await;
    answer(hook.map_err(|status| Problem::of_webhook_status(&status, false))?)
}

/// `PATCH /api/webhooks/{id}`: 200 with the webhook as it is now.
#[utoipa::path(
    patch,
    path = "/api/webhooks/{id}",
    operation_id = "updateWebhook",
    tag = "webhooks",
    summary = "Change, pause or enable a webhook",
    params(WebhookPathParams, ConditionHeaders, WriteHeaders),
    request_body(content = WebhookChange),
    responses((status = 200, description = "The webhook", body = WebhookJson, headers(("ETag" = String, description = "The version")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn update_webhook(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let mut message = read_change(body::value(&body)?)?;
    message.id = id.to_string();
    message.expected_version = expected(&api, &caller, id, &if_match).await?;
    message.request_id = request_id.to_message();
    let hook = api.upstream.update_webhook(&caller, message).await;
    answer(hook.map_err(|status| Problem::of_webhook_status(&status, if_match.is_present()))?)
}

/// `DELETE /api/webhooks/{id}`: 204. Nothing is sent any more.
#[utoipa::path(
    delete,
    path = "/api/webhooks/{id}",
    operation_id = "deleteWebhook",
    tag = "webhooks",
    summary = "Delete a webhook",
    params(WebhookPathParams, ConditionHeaders, WriteHeaders),
    responses((status = 204, description = "It is deleted, and what waited for it")),
    security(("key" = ["operate"]))
)]
pub(crate) async fn delete_webhook(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
) -> Result<Response, Problem> {
    let message = v1::DeleteWebhookRequest {
        id: id.to_string(),
        expected_version: expected(&api, &caller, id, &if_match).await?,
        request_id: request_id.to_message(),
    };
    let deleted = api.upstream.delete_webhook(&caller, message).await;
    deleted.map_err(|status| Problem::of_webhook_status(&status, if_match.is_present()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/webhooks/{id}/rotate`: 200 with the webhook and its new secret.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/rotate",
    operation_id = "rotateWebhookSecret",
    tag = "webhooks",
    summary = "Give a webhook a new secret",
    params(WebhookPathParams, ConditionHeaders, WriteHeaders),
    request_body(content = SecretRotation),
    responses((status = 200, description = "The webhook, with its new secret", body = WebhookWithSecretJson, headers(("ETag" = String, description = "The version")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn rotate_secret(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let message = v1::RotateWebhookSecretRequest {
        id: id.to_string(),
        grace_seconds: read_rotation(body::value(&body)?)?,
        expected_version: expected(&api, &caller, id, &if_match).await?,
        request_id: request_id.to_message(),
    };
    let rotated = api.upstream.rotate_webhook(&caller, message).await;
    let (hook, secret) =
        rotated.map_err(|status| Problem::of_webhook_status(&status, if_match.is_present()))?;
    with_secret(StatusCode::OK, hook, secret)
}

/// `POST /api/webhooks/{id}/replay`: 200 with the webhook at its new place.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/replay",
    operation_id = "replayWebhook",
    tag = "webhooks",
    summary = "Send events again, or go on from now",
    params(WebhookPathParams, ConditionHeaders, WriteHeaders),
    request_body(content = WebhookReplay),
    responses((status = 200, description = "The webhook", body = WebhookJson, headers(("ETag" = String, description = "The version")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn replay_webhook(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let mut message = read_replay(body::value(&body)?)?;
    message.id = id.to_string();
    message.expected_version = expected(&api, &caller, id, &if_match).await?;
    message.request_id = request_id.to_message();
    let hook = api.upstream.replay_webhook(&caller, message).await;
    answer(hook.map_err(|status| Problem::of_webhook_status(&status, if_match.is_present()))?)
}

/// `POST /api/webhooks/{id}/test`: 200 with what came of an event that is sent now, whatever that is.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "webhooks",
    summary = "Send a test event now",
    params(WebhookPathParams),
    responses((status = 200, description = "What came of it", body = WebhookTestJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn test_webhook(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
) -> Result<Response, Problem> {
    let tested = api.upstream.test_webhook(&caller, id).await;
    let tested = tested.map_err(|status| Problem::of_webhook_status(&status, false))?;
    json_response(StatusCode::OK, &WebhookTestJson::of(tested))
}

/// `GET /api/webhooks/{id}/waiting?limit=…&page_token=…`: a page of the deliveries that failed or wait.
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}/waiting",
    operation_id = "listWaitingDeliveries",
    tag = "webhooks",
    summary = "List deliveries that failed or wait behind one",
    params(WebhookPathParams, WaitingListParams),
    responses((status = 200, description = "A page of them, in the order of the logs", body = WaitingDeliveriesJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn list_waiting(
    State(api): State<Arc<Api>>,
    WebhookPath(id): WebhookPath,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["limit", "page_token"], &mut errors);
    let limit = read_limit(&query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let page_token = query.one("page_token")?.unwrap_or_default().to_owned();
    errors.finish()?;
    let message = v1::ListWaitingDeliveriesRequest {
        id: id.to_string(),
        limit,
        page_token,
    };
    let page = api.upstream.waiting_deliveries(&caller, message).await;
    let page = page.map_err(|status| Problem::of_webhook_status(&status, false))?;
    json_response(StatusCode::OK, &WaitingDeliveriesJson::of(page))
}

/// The id of the path. A text that cannot be an id is answered 404, like an unknown one.
pub(crate) struct WebhookPath(Uuid);

impl<S: Send + Sync> FromRequestParts<S> for WebhookPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<Uuid>::from_request_parts(parts, state).await;
        let id = path.map_err(|_| Problem::webhook_not_found())?;
        Ok(Self(id.0))
    }
}

async fn expected(
    api: &Api,
    caller: &Caller,
    id: Uuid,
    if_match: &IfMatch,
) -> Result<Option<i64>, Problem> {
    let current = async { Ok(api.upstream.get_webhook(caller, id).await?.version) };
    let expected = if_match.expected(current).await;
    expected.map_err(|unmet: Unmet<Status>| match unmet {
        Unmet::Unknown(status) if status.code() != Code::NotFound => {
            Problem::of_webhook_status(&status, true)
        }
        Unmet::Never | Unmet::Unknown(_) => Problem::webhook_at_other_version(),
    })
}

fn answer(hook: v1::Webhook) -> Result<Response, Problem> {
    let version = hook.version;
    let mut response = json_response(StatusCode::OK, &WebhookJson::of(hook))?;
    response.headers_mut().insert(ETAG, etag(version));
    Ok(response)
}

fn with_secret(status: StatusCode, hook: v1::Webhook, secret: String) -> Result<Response, Problem> {
    let version = hook.version;
    let mut response = json_response(status, &WebhookWithSecretJson::of(hook, secret))?;
    response.headers_mut().insert(ETAG, etag(version));
    Ok(response)
}
