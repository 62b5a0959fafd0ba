//! The health route for people and for load balancers in front. Operators ask the other listener.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// Answers 200 as long as the process answers at all: an absent upstream is no reason to take this
/// replica out.
#[utoipa::path(
    get,
    path = "/api/health",
    operation_id = "health",
    tag = "operation",
    summary = "Ask whether the service answers",
    responses((status = 200, description = "It does", body = serde_json::Value, example = json!({"status": "ok"}))),
    security(())
)]
pub(crate) async fn health() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}
