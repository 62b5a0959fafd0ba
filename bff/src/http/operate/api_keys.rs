//! Routes for API keys. Whoever makes a key gives away no more than they may do themselves.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use catalog_proto::v1;
use uuid::Uuid;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::idempotency::RequestId;
use crate::http::request::params::{Query, read_flag, read_limit};
use crate::http::request::principal::Principal;
use crate::http::search::filter::check_forced;
use crate::json::api_key::{ApiKeyWithSecretJson, ApiKeysJson, read_grace, read_new};
use crate::openapi::api_key::{NewApiKey, Rotation};
use crate::openapi::params::{ApiKeyListParams, ApiKeyPathParams, WriteHeaders};
use crate::problem::{FieldErrors, Problem};
use crate::scope::{Scope, Scopes};
use crate::upstream::Caller;

const LIMIT_UNLESS_TOLD: i32 = 100;
const LIMIT_MAX: i32 = 100;

/// `GET /api/keys?limit=…&page_token=…&ended=true`: a page of keys, the newest first.
#[utoipa::path(
    get,
    path = "/api/keys",
    operation_id = "listApiKeys",
    tag = "keys",
    summary = "List API keys",
    params(ApiKeyListParams),
    responses((status = 200, description = "A page of keys, the newest first", body = ApiKeysJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn list_keys(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["limit", "page_token", "ended"], &mut errors);
    let limit = read_limit(&query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let page_token = query.one("page_token")?.unwrap_or_default().to_owned();
    let include_ended = read_flag(&query, "ended", &mut errors)?;
    errors.finish()?;
    let message = v1::ListApiKeysRequest {
        limit,
        page_token,
        include_ended,
    };
    let page = api.upstream.list_keys(&caller, message).await;
    let page = page.map_err(|status| Problem::of_key_status(&status))?;
    json_response(StatusCode::OK, &ApiKeysJson::of(page))
}

/// `POST /api/keys`: 201 with the key and its secret, which is shown this once.
#[utoipa::path(
    post,
    path = "/api/keys",
    operation_id = "createApiKey",
    tag = "keys",
    summary = "Make an API key",
    params(WriteHeaders),
    request_body(content = NewApiKey),
    responses((status = 201, description = "The key, with its secret", body = ApiKeyWithSecretJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn create_key(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Extension(principal): Extension<Principal>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let held = principal.scopes().or(api.public);
    let (mut message, is_filtered) = read_new(body::value(&body)?, held)?;
    check_forced(is_filtered.then_some(message.forced_filter.as_str()))?;
    message.request_id = request_id.to_message();
    let made = api.upstream.create_key(&caller, message).await;
    let (key, secret) = made.map_err(|status| Problem::of_key_status(&status))?;
    json_response(StatusCode::CREATED, &ApiKeyWithSecretJson::of(key, secret))
}

/// `POST /api/keys/{id}/rotate`: 200 with the key and its new secret.
#[utoipa::path(
    post,
    path = "/api/keys/{id}/rotate",
    operation_id = "rotateApiKey",
    tag = "keys",
    summary = "Give an API key a new secret",
    params(ApiKeyPathParams, WriteHeaders),
    request_body(content = Rotation),
    responses((status = 200, description = "The key, with its new secret", body = ApiKeyWithSecretJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn rotate_key(
    State(api): State<Arc<Api>>,
    KeyPath(id): KeyPath,
    caller: Caller,
    Extension(principal): Extension<Principal>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    check_may_hold(&api, &principal, &id.to_string())?;
    let body = body::read(&api, request, body::JSON).await?;
    let message = v1::RotateApiKeyRequest {
        id: id.to_string(),
        grace_seconds: read_grace(body::value(&body)?)?,
        expected_version: None,
        request_id: request_id.to_message(),
    };
    let rotated = api.upstream.rotate_key(&caller, message).await;
    let (key, secret) = rotated.map_err(|status| Problem::of_key_status(&status))?;
    json_response(StatusCode::OK, &ApiKeyWithSecretJson::of(key, secret))
}

/// Checks that the caller may do all that the key may: whoever gives it a new secret holds it from then on. A key
/// that is not known here yet is given to those only who may do everything.
fn check_may_hold(api: &Api, principal: &Principal, id: &str) -> Result<(), Problem> {
    let held = principal.scopes().or(api.public);
    let needed = api.keys.scopes_of(id).unwrap_or(Scopes::ALL);
    if Scope::ALL
        .into_iter()
        .all(|scope| held.has(scope) || !needed.has(scope))
    {
        return Ok(());
    }
    let detail = "The key may do more than you may: who may do as much has to rotate it";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// `DELETE /api/keys/{id}`: 204. The key is over at once.
#[utoipa::path(
    delete,
    path = "/api/keys/{id}",
    operation_id = "revokeApiKey",
    tag = "keys",
    summary = "Revoke an API key",
    params(ApiKeyPathParams, WriteHeaders),
    responses((status = 204, description = "The key is over")),
    security(("key" = ["operate"]))
)]
pub(crate) async fn revoke_key(
    State(api): State<Arc<Api>>,
    KeyPath(id): KeyPath,
    caller: Caller,
    request_id: RequestId,
) -> Result<Response, Problem> {
    let message = v1::RevokeApiKeyRequest {
        id: id.to_string(),
        expected_version: None,
        request_id: request_id.to_message(),
    };
    let revoked = api.upstream.revoke_key(&caller, message).await;
    revoked.map_err(|status| Problem::of_key_status(&status))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The key id of the path. A text that cannot be an id is answered 404, like an unknown one.
pub(crate) struct KeyPath(Uuid);

impl<S: Send + Sync> FromRequestParts<S> for KeyPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<Uuid>::from_request_parts(parts, state).await;
        let id = path.map_err(|_| Problem::key_not_found())?;
        Ok(Self(id.0))
    }
}
