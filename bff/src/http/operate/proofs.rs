//! The route that proves the read models equal to the event log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use client_kit::proof::{Services, Step, prove, prove_and_repair};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::http::api::Api;
use crate::http::operate::steps::{self, Steps};
use crate::http::request::params::{Query, read_flag};
use crate::problem::{FieldErrors, Problem};

/// One at a time: each reads all there is.
static PLACE: Semaphore = Semaphore::const_new(1);

/// `POST /api/verifications?repair=true`: 200 with what was found, whatever that is.
#[utoipa::path(
    post,
    path = "/api/verifications",
    operation_id = "verify",
    tag = "operation",
    summary = "Prove that every projection holds what the event log says",
    description = "Reads every product of every projection, and of the log, while writes go on, and names what \
        differs. `repair=true` sets what differs to what the log says, and proves again. \
        `Accept: application/x-ndjson` gets the progress, and the report as the last line.",
    params(("repair" = Option<bool>, Query, description = "Mends what differs")),
    responses((status = 200, description = "What was found: `equal`, and the proof of the log and each projection",
        content((serde_json::Value = "application/json"), (String = "application/x-ndjson")))),
    security(("key" = ["operate"]))
)]
pub(crate) async fn verify(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["repair"], &mut errors);
    let repair = read_flag(&query, "repair", &mut errors)?;
    errors.finish()?;
    let place = PLACE.try_acquire().map_err(|_| {
        let detail = "A verification is under way: wait for it";
        Problem::new(StatusCode::CONFLICT, detail)
    })?;
    let services = Services::new(api.upstream.write_target(), api.upstream.read_target());
    let services = services.map_err(Problem::internal)?;
    steps::answer(&headers, |steps| async move {
        let _place = place;
        tokio::select! {
            proven = proven(&services, repair, &steps) => proven,
            () = steps.unread() => Err(Problem::internal("nobody waits for the proof any more")),
        }
    })
    .await
}

async fn proven(services: &Services, repair: bool, steps: &Steps) -> Result<Value, Problem> {
    let mut told = |step: Step<'_>| steps.tell(step.of, step.done, step.total);
    let proven = if repair {
        prove_and_repair(services, &mut told).await
    } else {
        prove(services, &mut told).await.map(|proof| (proof, 0))
    };
    match proven {
        Ok((proof, repaired)) => Ok(proof.to_json(repaired)),
        Err(err) => Err(Problem::new(
            StatusCode::BAD_GATEWAY,
            format!("It could not be verified: {err:#}"),
        )),
    }
}
