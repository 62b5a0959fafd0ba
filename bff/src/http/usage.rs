//! Routes about what becomes of searches: clients tell what was opened, operators ask what was
//! searched for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use catalog_proto::v1;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::params::{Query, read_limit, read_number};
use crate::json::usage::{AnalyticsJson, read_click};
use crate::openapi::usage::Click;
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const DAYS_UNLESS_TOLD: i32 = 7;
const DAYS_MAX: i32 = 90;
const QUERIES_UNLESS_TOLD: i32 = 20;
const QUERIES_MAX: i32 = 1_000;

/// `POST /api/events/click`: 202, for the click is taken in and may still be lost.
#[utoipa::path(
    post,
    path = "/api/events/click",
    operation_id = "recordClick",
    tag = "search",
    summary = "Tell that a product was opened from a search",
    request_body(content = Click),
    responses((status = 202, description = "It is taken in, and may still be lost")),
    security(("key" = ["search"]))
)]
pub(crate) async fn record_click(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<StatusCode, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let click = read_click(body::value(&body)?)?;
    api.upstream
        .record_click(&caller, click)
        .await
        .map_err(|status| Problem::of_status(&status, false))?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /api/analytics/searches?days=…&limit=…`: popular queries, queries without a result, what is
/// opened at each place, and how long searches take.
#[utoipa::path(
    get,
    path = "/api/analytics/searches",
    operation_id = "searchAnalytics",
    tag = "operation",
    summary = "Read what was searched for",
    params(
        ("days" = Option<i32>, Query, minimum = 1, maximum = 90),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "Popular queries, queries without a result, clicks by place, and times", body = AnalyticsJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn search_analytics(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["days", "limit"], &mut errors);
    let days = read_number(&query, "days", DAYS_UNLESS_TOLD, DAYS_MAX, &mut errors)?;
    let limit = read_limit(&query, QUERIES_UNLESS_TOLD, QUERIES_MAX, &mut errors)?;
    errors.finish()?;
    let request = v1::GetSearchAnalyticsRequest { days, limit };
    let answer = api
        .upstream
        .search_analytics(&caller, request)
        .await
        .map_err(|status| Problem::of_status(&status, false))?;
    json_response(StatusCode::OK, &AnalyticsJson::of(&answer))
}
