//! Search rules: synonyms, and what is done to the answers of some queries. Written like products,
//! with versions and keys; the write service answers reads too, so that a writer sees what it wrote.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use catalog_events::{RuleId, StoredRule};
use catalog_proto::v1;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::body;
use crate::http::idempotency::RequestId;
use crate::http::params::{Query, read_limit};
use crate::http::version::{IfMatch, IfNoneMatch, PutCondition, etag};
use crate::json::rule::RulesJson;
use crate::json::{raw, rule};
use crate::problem::{FieldErrors, Problem};

use crate::upstream::Caller;

const LIMIT_UNLESS_TOLD: i32 = 100;
const LIMIT_MAX: i32 = 1_000;

/// `GET /api/search-rules?type=synonyms|curation&limit=…&page_token=…`: by id.
pub(super) async fn list_rules(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    let kind = query.one("type")?;
    let kind = kind.map_or(Some(v1::SearchRuleType::Unspecified), rule_type);
    let kind = kind.ok_or("must be synonyms or curation");
    let kind = errors.take("/type".to_owned(), kind);
    let limit = read_limit(&query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let page_token = query.one("page_token")?.unwrap_or_default().to_owned();
    errors.finish()?;
    let message = v1::ListSearchRulesRequest {
        r#type: kind.unwrap_or_default().into(),
        limit,
        page_token,
    };
    let listed = api.upstream.list_rules(&caller, message).await;
    let listed = listed.map_err(|status| Problem::of_rule_status(&status, false))?;
    json_response(StatusCode::OK, &RulesJson::of(listed))
}

/// `GET /api/search-rules/{id}`: 200 with an `ETag`, or 304 when the client holds that version.
pub(super) async fn get_rule(
    State(api): State<Arc<Api>>,
    RulePath(id): RulePath,
    caller: Caller,
    if_none_match: IfNoneMatch,
) -> Result<Response, Problem> {
    let found = api.upstream.get_rule(&caller, &id).await;
    let found = found.map_err(|status| Problem::of_rule_status(&status, false))?;
    match if_none_match.holds(found.version) {
        true => Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag(found.version))]).into_response()),
        false => rule_response(StatusCode::OK, found),
    }
}

/// `PUT /api/search-rules/{id}`: 201 or 200 with the rule as it is now.
pub(super) async fn put_rule(
    State(api): State<Arc<Api>>,
    RulePath(id): RulePath,
    caller: Caller,
    condition: PutCondition,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let body = raw::value(&body);
    let body = body.map_err(|err| Problem::new(StatusCode::BAD_REQUEST, err.to_string()))?;
    let message = v1::PutSearchRuleRequest {
        rule: Some(rule::read(body, &id)?),
        expected_version: condition.expected_version(),
        request_id: request_id.to_message(),
    };
    let conditional = message.expected_version.is_some();
    let written = api.upstream.put_rule(&caller, message).await;
    let written = written.map_err(|status| Problem::of_rule_status(&status, conditional))?;
    let status = match written.created {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    rule_response(status, written.rule)
}

/// `DELETE /api/search-rules/{id}`: 204.
pub(super) async fn delete_rule(
    State(api): State<Arc<Api>>,
    RulePath(id): RulePath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
) -> Result<Response, Problem> {
    let message = v1::DeleteSearchRuleRequest {
        id: id.to_string(),
        expected_version: if_match.version(),
        request_id: request_id.to_message(),
    };
    let deleted = api.upstream.delete_rule(&caller, message).await;
    deleted.map_err(|status| Problem::of_rule_status(&status, if_match.is_present()))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The id of the path. What cannot be an id cannot be a rule's: 404.
pub(super) struct RulePath(RuleId);

impl<S: Send + Sync> FromRequestParts<S> for RulePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(id)| id.try_into().ok());
        id.map(Self).ok_or_else(Problem::rule_not_found)
    }
}

fn rule_response(status: StatusCode, rule: v1::SearchRule) -> Result<Response, Problem> {
    let version = rule.version;
    let mut response = json_response(status, &StoredRule::from(rule))?;
    response.headers_mut().insert(ETAG, etag(version));
    Ok(response)
}

fn rule_type(name: &str) -> Option<v1::SearchRuleType> {
    match name {
        "synonyms" => Some(v1::SearchRuleType::Synonyms),
        "curation" => Some(v1::SearchRuleType::Curation),
        _ => None,
    }
}
