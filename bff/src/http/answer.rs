//! Answers in JSON.

pub(crate) mod long;
pub(crate) mod entity_tags;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::Problem;

/// Marks an answer whose parts are to reach the client as they come: one that is compressed waits for more.
#[derive(Clone, Copy)]
pub(crate) struct Live;

pub(crate) fn json_response(
    status: StatusCode,
    value: &impl Serialize,
) -> Result<Response, Problem> {
    let mut body = Vec::with_capacity(1024);
    serde_json::to_writer(&mut body, value).map_err(Problem::internal)?;
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(CONTENT_TYPE, kind)], body).into_response())
}
