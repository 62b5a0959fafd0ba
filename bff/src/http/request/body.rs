//! Takes in a request body, within its bounds of bytes and time.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use serde_json::value::RawValue;

use crate::http::api::Api;
use crate::http::shed::admission::Turn;
use crate::json::raw;
use crate::problem::Problem;

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

pub(crate) const JSON: &[&str] = &["application/json"];
pub(crate) const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// How many times its bound a body may be long and still be read to its end before it is refused:
/// a client that is writing reads no answer.
const EXCESS_TIMES_MAX: usize = 8;

/// Reads the whole body, whose content type must be one of `kinds`.
pub(crate) async fn read(
    api: &Api,
    request: Request,
    kinds: &'static [&'static str],
) -> Result<Bytes, Problem> {
    check_kind(&request, kinds)?;
    let stated_length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0_usize);
    if stated_length > api.body_bytes_max.saturating_mul(EXCESS_TIMES_MAX) {
        return Err(too_large(api));
    }
    let turn = request.extensions().get::<Turn>().cloned();
    let collected = collect(request.into_body(), api);
    let collected = tokio::time::timeout(api.read_timeout, collected).await;
    let body = collected.map_err(|_| {
        let detail = "Body did not arrive in time";
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
    })??;
    if let Some(turn) = turn {
        turn.wait().await?;
    }
    Ok(body)
}

/// The body as one JSON value; any other body is a 400.
pub(crate) fn value(body: &[u8]) -> Result<&RawValue, Problem> {
    raw::value(body).map_err(|err| Problem::new(StatusCode::BAD_REQUEST, err.to_string()))
}

fn check_kind(request: &Request, kinds: &'static [&'static str]) -> Result<(), Problem> {
    let headers = request.headers();
    let unsupported = |detail: String| {
        let accepted = HeaderValue::try_from(kinds.join(", "))
            .unwrap_or(HeaderValue::from_static("application/json"));
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
        // RFC 5789, section 2.2.
        let problem = match *request.method() {
            Method::PATCH => problem.with(ACCEPT_PATCH, accepted.clone()),
            _ => problem,
        };
        problem.with(ACCEPT, accepted)
    };
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !kinds
        .iter()
        .any(|known| known.eq_ignore_ascii_case(essence))
    {
        return Err(unsupported(format!(
            "Content-Type must be {}",
            kinds.join(" or ")
        )));
    }
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(()),
        Some(_) => Err(unsupported("A compressed body is not accepted".to_owned())),
    }
}

async fn collect(body: Body, api: &Api) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut body = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "Body broke off or is malformed"))?;
        length = length.saturating_add(chunk.len());
        if length <= api.body_bytes_max {
            body.extend_from_slice(&chunk);
        } else if length > api.body_bytes_max.saturating_mul(EXCESS_TIMES_MAX) {
            break;
        }
    }
    if length <= api.body_bytes_max {
        Ok(body.freeze())
    } else {
        Err(too_large(api))
    }
}

fn too_large(api: &Api) -> Problem {
    let detail = format!("Body is longer than {} bytes", api.body_bytes_max);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}
