//! Sheds load: more requests at once than there are places for are refused at once, so that those within
//! are answered in time. Nothing waits in a queue that only makes everybody late.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::http::api::Api;
use crate::problem::Problem;

pub(crate) fn places(count: usize) -> Semaphore {
    Semaphore::new(count.min(Semaphore::MAX_PERMITS))
}

pub(crate) async fn shed(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let Ok(_place) = api.places.try_acquire() else {
        return Problem::for_now(
            StatusCode::SERVICE_UNAVAILABLE,
            "More requests at once than can be answered in time",
        )
        .into_response();
    };
    next.run(request).await
}
