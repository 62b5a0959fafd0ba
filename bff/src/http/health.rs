//! For people and load balancers in front; operators ask the other listener.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// 200 as long as the process answers: an absent upstream is no reason to take this replica out.
pub(super) async fn health() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}
