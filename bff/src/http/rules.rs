//! Routes for search rules: synonyms, and curation of the answers to some queries. Rules are written
//! like products, with versions and keys. The write service answers reads too, so that a writer sees
//! its own writes.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use catalog_events::{RuleId, StoredRule};
use catalog_proto::v1;
use tonic::{Code, Status};

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::idempotency::RequestId;
use crate::http::request::params::{Query, read_limit};
use crate::http::request::version::{IfMatch, IfNoneMatch, PutCondition, Unmet, etag};
use crate::json::rule::{self, RulesJson};
use crate::openapi::params::{
    CachedHeaders, ConditionHeaders, PutHeaders, RuleListParams, RulePathParams, WriteHeaders,
};
use crate::openapi::rule::{NewSearchRule, SearchRule, SearchRules};
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const LIMIT_UNLESS_TOLD: i32 = 100;
const LIMIT_MAX: i32 = 1_000;

/// `GET /api/search-rules?type=synonyms|curation&limit=…&page_token=…`: a page of rules, in the order
/// of their ids.
#[utoipa::path(
    get,
    path = "/api/search-rules",
    operation_id = "listSearchRules",
    tag = "search rules",
    summary = "List search rules",
    params(RuleListParams),
    responses((status = 200, description = "A page of rules", body = SearchRules)),
    security(("key" = ["rules"]))
)]
pub(crate) async fn list_rules(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["type", "limit", "page_token"], &mut errors);
    let kind = query
        .one("type")?
        .map_or(Ok(v1::SearchRuleType::Unspecified), rule_type);
    let kind = errors.take("/type".to_owned(), kind).unwrap_or_default();
    let limit = read_limit(&query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let page_token = query.one("page_token")?.unwrap_or_default().to_owned();
    errors.finish()?;
    let message = v1::ListSearchRulesRequest {
        r#type: kind.into(),
        limit,
        page_token,
    };
    let page = api
        .upstream
        .list_rules(&caller, message)
        .await
        .map_err(|status| Problem::of_rule_status(&status, false))?;
    json_response(StatusCode::OK, &RulesJson::of(page))
}

/// `GET /api/search-rules/{id}`: 200 with an `ETag`, or 304 when the client holds that version.
#[utoipa::path(
    get,
    path = "/api/search-rules/{id}",
    operation_id = "getSearchRule",
    tag = "search rules",
    summary = "Read a search rule",
    params(RulePathParams, CachedHeaders),
    responses(
        (status = 200, description = "The rule", body = SearchRule, headers(("ETag" = String, description = "The version"))),
        (status = 304, description = "The client holds this version"),
    ),
    security(("key" = ["rules"]))
)]
pub(crate) async fn get_rule(
    State(api): State<Arc<Api>>,
    RulePath(id): RulePath,
    caller: Caller,
    if_none_match: IfNoneMatch,
) -> Result<Response, Problem> {
    let rule = api
        .upstream
        .get_rule(&caller, &id)
        .await
        .map_err(|status| Problem::of_rule_status(&status, false))?;
    if if_none_match.holds(rule.version) {
        let tag = (ETAG, etag(rule.version));
        return Ok((StatusCode::NOT_MODIFIED, [tag]).into_response());
    }
    rule_response(StatusCode::OK, rule)
}

/// `PUT /api/search-rules/{id}`: 201 or 200 with the rule as it is now.
#[utoipa::path(
    put,
    path = "/api/search-rules/{id}",
    operation_id = "putSearchRule",
    tag = "search rules",
    summary = "Make or replace a search rule",
    params(RulePathParams, PutHeaders, WriteHeaders),
    request_body(content = NewSearchRule),
    responses(
        (status = 200, description = "The rule that took the place of another", body = SearchRule, headers(("ETag" = String, description = "The version"))),
        (status = 201, description = "The new rule", body = SearchRule, headers(("ETag" = String, description = "The version"))),
    ),
    security(("key" = ["rules"]))
)]
pub(crate) async fn put_rule(
    State(api): State<Arc<Api>>,
    RulePath(id): RulePath,
    caller: Caller,
    condition: PutCondition,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let rule = rule::read(body::value(&body)?, &id)?;
    let current = current_version(&api, &caller, &id);
    let expected = condition.expected(current).await.map_err(unmet)?;
    let message = v1::PutSearchRuleRequest {
        rule: Some(rule),
        expected_version: expected,
        request_id: request_id.to_message(),
    };
    let conditional = condition.is_present();
    let written = api
        .upstream
        .put_rule(&caller, message)
        .await
        .map_err(|status| Problem::of_rule_status(&status, conditional))?;
    let status = if written.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    rule_response(status, written.rule)
}

/// `DELETE /api/search-rules/{id}`: 204.
#[utoipa::path(
    delete,
    path = "/api/search-rules/{id}",
    operation_id = "deleteSearchRule",
    tag = "search rules",
    summary = "Delete a search rule",
    params(RulePathParams, ConditionHeaders, WriteHeaders),
    responses((status = 204, description = "It is deleted")),
    security(("key" = ["rules"]))
)]
pub(crate) async fn delete_rule(
    State(api): State<Arc<Api>>,
    RulePath(id): RulePath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
) -> Result<Response, Problem> {
    let current = current_version(&api, &caller, &id);
    let expected = if_match.expected(current).await.map_err(unmet)?;
    let message = v1::DeleteSearchRuleRequest {
        id: id.to_string(),
        expected_version: expected,
        request_id: request_id.to_message(),
    };
    api.upstream
        .delete_rule(&caller, message)
        .await
        .map_err(|status| Problem::of_rule_status(&status, if_match.is_present()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The rule id of the path. A text that cannot be an id is answered 404, like an unknown one.
pub(crate) struct RulePath(RuleId);

impl<S: Send + Sync> FromRequestParts<S> for RulePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(id)| id.try_into().ok());
        id.map(Self).ok_or_else(Problem::rule_not_found)
    }
}

async fn current_version(api: &Api, caller: &Caller, id: &RuleId) -> Result<i64, Status> {
    let rule = api.upstream.get_rule(caller, id).await?;
    Ok(rule.version)
}

fn unmet(unmet: Unmet<Status>) -> Problem {
    match unmet {
        Unmet::Unknown(status) if status.code() != Code::NotFound => {
            Problem::of_rule_status(&status, true)
        }
        Unmet::Never | Unmet::Unknown(_) => Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "Search rule is not at the version of If-Match",
        ),
    }
}

fn rule_response(status: StatusCode, rule: v1::SearchRule) -> Result<Response, Problem> {
    let version = rule.version;
    let mut response = json_response(status, &StoredRule::from(rule))?;
    response.headers_mut().insert(ETAG, etag(version));
    Ok(response)
}

fn rule_type(name: &str) -> Result<v1::SearchRuleType, &'static str> {
    match name {
        "synonyms" => Ok(v1::SearchRuleType::Synonyms),
        "curation" => Ok(v1::SearchRuleType::Curation),
        _ => Err("must be synonyms or curation"),
    }
}
