//! The health route for people and for load balancers in front. Operators ask the other listener.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// Answers 200 as long as the process answers at all: an absent upstream is no reason to take this
/// replica out.
pub(super) async fn health() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}
