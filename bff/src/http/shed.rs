//! Sheds load: what comes beyond what can be answered is refused at once, so that those within are answered
//! in time. There is a bound on all requests together; searches, reads and writes have places of their own
//! besides, since only requests of one kind tell how long one takes.

pub(super) mod admission;
mod limit;
mod places;

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::api::Api;
use crate::http::guard::policy::Policy;
use crate::http::request::consistency::CATALOG_CONSISTENCY;
use crate::http::shed::admission::{Kind, Turn};
use crate::problem::Problem;

/// Routes whose answers take as long as their clients like. They have bounds of their own.
const STREAMS: [&str; 3] = ["/api/events", "/api/export", "/api/import"];

pub(crate) async fn shed(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(_place) = api.admission.enter() else {
        return Problem::for_now(
            StatusCode::SERVICE_UNAVAILABLE,
            "More requests at once than can be answered in time",
        )
        .into_response();
    };
    let Some(kind) = kind(&api, &request) else {
        return next.run(request).await;
    };
    let turn = Turn::new(kind.clone());
    if request.body().is_end_stream() {
        if let Err(problem) = turn.wait().await {
            return problem.into_response();
        }
    } else {
        // Who reads the body waits then.
        request.extensions_mut().insert(turn.clone());
    }
    let response = next.run(request).await;
    turn.end(!response.status().is_server_error());
    response
}

/// The kind of a request; None where nothing is to be learned of how long it takes.
fn kind<'a>(api: &'a Api, request: &Request) -> Option<&'a Kind> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    // Who waits for a write of its own is not slow.
    if STREAMS.contains(&path) || request.headers().contains_key(CATALOG_CONSISTENCY) {
        return None;
    }
    match request.extensions().get::<Policy>()? {
        Policy::Needs(scope) => api.admission.kind(*scope),
        Policy::Open => None,
    }
}
