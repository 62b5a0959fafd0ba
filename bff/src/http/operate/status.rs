//! Routes that tell how the catalog is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tonic::{Code, Status};

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::params::Query;
use crate::json::operations::{RankingProfilesJson, StatusJson};
use crate::problem::Problem;
use crate::upstream::Caller;

/// `GET /api/status`: 200 even where a side does not answer, for that is what is asked.
#[utoipa::path(
    get,
    path = "/api/status",
    operation_id = "getStatus",
    tag = "operation",
    summary = "Read where the log, the stream and every projection stand",
    responses((status = 200, description = "Where they stand", body = StatusJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn get_status(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let (write, read) = tokio::join!(
        api.upstream.write_status(&caller),
        api.upstream.read_status(&caller)
    );
    let status = StatusJson::of(write.map_err(no_answer), read.map_err(no_answer));
    json_response(StatusCode::OK, &status)
}

/// `GET /api/metrics`: what this instance has answered since it began.
#[utoipa::path(
    get,
    path = "/api/metrics",
    operation_id = "getMetrics",
    tag = "operation",
    summary = "Read what this instance has answered: counts, times, refusals",
    responses((status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text")),
    security(("key" = ["operate"]))
)]
pub(crate) async fn get_metrics(
    State(api): State<Arc<Api>>,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let text = api.metrics.text().map_err(Problem::internal)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response())
}

/// `GET /api/ranking-profiles`: what `profile` of a search can be.
#[utoipa::path(
    get,
    path = "/api/ranking-profiles",
    operation_id = "listRankingProfiles",
    tag = "search rules",
    summary = "List the ranking profiles, with every weight",
    responses((status = 200, description = "The profiles by name", body = RankingProfilesJson)),
    security(("key" = ["rules"]))
)]
pub(crate) async fn list_profiles(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let listed = api.upstream.ranking_profiles(&caller).await;
    let listed = listed.map_err(|status| Problem::of_operation_status(&status))?;
    json_response(StatusCode::OK, &RankingProfilesJson::of(listed))
}

/// What an operator is told of a side that does not answer. Its own words may tell of its insides.
fn no_answer(status: Status) -> String {
    match status.code() {
        Code::Unavailable => "it is away",
        Code::DeadlineExceeded => "it does not answer in time",
        Code::Unimplemented => "it is of an older release",
        _ => "it failed: see its log",
    }
    .to_owned()
}
