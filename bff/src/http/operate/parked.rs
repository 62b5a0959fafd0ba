//! Routes about events that could not be applied.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::params::Query;
use crate::json::operations::{ParkedEventsJson, RetriedJson};
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const POSITIONS_MAX: usize = 1_000;

/// `GET /api/parked-events`: 200 with the first 1,000 of them.
#[utoipa::path(
    get,
    path = "/api/parked-events",
    operation_id = "listParkedEvents",
    tag = "operation",
    summary = "List the events that could not be applied, and why",
    responses((status = 200, description = "The events, in the order of the log", body = ParkedEventsJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn list_parked(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let parked = api.upstream.parked_events(&caller).await;
    let parked = parked.map_err(|status| Problem::of_operation_status(&status))?;
    json_response(StatusCode::OK, &ParkedEventsJson::of(parked))
}

/// `POST /api/parked-events/retry?position=…`: 200 with what became of them.
#[utoipa::path(
    post,
    path = "/api/parked-events/retry",
    operation_id = "retryParkedEvents",
    tag = "operation",
    summary = "Try to apply parked events again, as the event log has them",
    params(("position" = Option<Vec<i64>>, Query, description = "Only the events at these positions", minimum = 1)),
    responses((status = 200, description = "What became of them", body = RetriedJson)),
    security(("key" = ["operate"]))
)]
pub(crate) async fn retry_parked(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["position"], &mut errors);
    let mut positions = Vec::new();
    for stated in query.all("position") {
        match stated.parse().ok().filter(|position: &i64| *position > 0) {
            Some(position) => positions.push(position),
            None => errors.push("/position".to_owned(), "must be a whole number from 1"),
        }
    }
    if positions.len() > POSITIONS_MAX {
        let detail = format!("is given more than {POSITIONS_MAX} times");
        errors.push("/position".to_owned(), detail);
    }
    errors.finish()?;
    let retried = api.upstream.retry_parked(&caller, positions).await;
    let retried = retried.map_err(|status| Problem::of_operation_status(&status))?;
    json_response(StatusCode::OK, &RetriedJson::of(retried))
}
