//! Routes that build the read model anew, and that go back to the one before.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use catalog_proto::v1;
use tonic::{Status, Streaming};

use crate::http::api::Api;
use crate::http::operate::steps::{self, Steps};
use crate::http::request::idempotency::NotRepeatable;
use crate::http::request::params::Query;
use crate::json::operations::{RebuiltJson, phase};
use crate::problem::Problem;
use crate::upstream::Caller;

/// `POST /api/rebuilds`: 200 when the new generation answers. The rebuild goes on when the client has gone.
#[utoipa::path(
    post,
    path = "/api/rebuilds",
    operation_id = "rebuild",
    tag = "operation",
    summary = "Build a new generation of the read model from the events",
    description = "Reads go on meanwhile. The new generation answers once it equals the event log at one position; \
        409 where it does not, or while another rebuild is under way. `Accept: application/x-ndjson` gets the \
        progress, and the generation as the last line.",
    responses((status = 200, description = "The generation that answers now",
        content((RebuiltJson = "application/json"), (String = "application/x-ndjson")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn rebuild(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let begun = api.upstream.rebuild(&caller).await;
    answer(&headers, begun).await
}

/// `POST /api/rollbacks`: 200 when the generation before answers, after it has caught up.
#[utoipa::path(
    post,
    path = "/api/rollbacks",
    operation_id = "rollBack",
    tag = "operation",
    summary = "Go back to the generation before the last rebuild",
    description = "It answers once it has caught up with the log; 409 where there is none. \
        `Accept: application/x-ndjson` gets the progress, and the generation as the last line.",
    responses((status = 200, description = "The generation that answers now",
        content((RebuiltJson = "application/json"), (String = "application/x-ndjson")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn roll_back(
    State(api): State<Arc<Api>>,
    caller: Caller,
    _: NotRepeatable,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    query.check_none()?;
    let begun = api.upstream.rollback(&caller).await;
    answer(&headers, begun).await
}

async fn answer(
    headers: &HeaderMap,
    begun: Result<Streaming<v1::RebuildProgress>, Status>,
) -> Result<Response, Problem> {
    let begun = begun.map_err(|status| Problem::of_operation_status(&status))?;
    steps::answer(headers, |steps| follow(begun, steps)).await
}

async fn follow(
    mut begun: Streaming<v1::RebuildProgress>,
    steps: Steps,
) -> Result<RebuiltJson, Problem> {
    let failed = |status: Status| Problem::of_operation_status(&status);
    let mut rebuilt = None;
    while let Some(step) = begun.message().await.map_err(failed)? {
        steps.tell_counts(phase(&step), step.done, step.total);
        rebuilt = RebuiltJson::of(&step).or(rebuilt);
    }
    rebuilt.ok_or_else(|| Problem::internal("the read service ended before it switched"))
}
