//! The API describes itself: its OpenAPI document, a page to try it out, and the kinds of problems.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use utoipa_swagger_ui::Config;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::pages::assets::short;
use crate::http::request::version::IfNoneMatch;
use crate::openapi::params::CachedHeaders;
use crate::openapi::problem::ProblemKind;
use crate::problem::{Problem, kind_named};

pub(crate) const PAGE: &str = "/api/docs";
pub(crate) const PAGE_INDEX: &str = "/api/docs/";
pub(crate) const PAGE_FILE: &str = "/api/docs/{file}";

/// Everything of the page comes from here: it styles itself, and draws icons from data.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; frame-ancestors 'none'; base-uri 'none'",
);
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// `GET /api/openapi.json`: this description.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "describeApi",
    tag = "operation",
    summary = "Read this description",
    params(CachedHeaders),
    responses(
        (status = 200, description = "An OpenAPI document", body = serde_json::Value),
        (status = 304, description = "The client holds it"),
    ),
    security(())
)]
pub(crate) async fn openapi(
    State(api): State<Arc<Api>>,
    if_none_match: IfNoneMatch,
) -> impl IntoResponse {
    let document = &api.document;
    let tag = (ETAG, document.etag.clone());
    if if_none_match.holds_tag(&document.etag) {
        return (StatusCode::NOT_MODIFIED, [tag]).into_response();
    }
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ([tag, kind], document.json.clone()).into_response()
}

/// `GET /api/problems/{name}`: what a kind of problem means. The `type` of a problem leads here.
#[utoipa::path(
    get,
    path = "/api/problems/{name}",
    operation_id = "describeProblem",
    tag = "operation",
    summary = "Read what a kind of problem means",
    params(("name" = String, Path, description = "The last part of its `type`", example = "product-not-found")),
    responses((status = 200, description = "The kind of problem", body = ProblemKind)),
    security(())
)]
pub(crate) async fn problem_kind(Path(name): Path<String>) -> Result<Response, Problem> {
    let kind = kind_named(&name)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "There is no such kind of problem"))?;
    let described = json!({
        "type": kind.url(),
        "title": kind.status.canonical_reason(),
        "status": kind.status.as_u16(),
        "description": kind.description,
    });
    json_response(StatusCode::OK, &described)
}

/// `GET /api/docs`: leads to the page, whose files lie beside it.
pub(crate) async fn page() -> impl IntoResponse {
    let to = HeaderValue::from_static(PAGE_INDEX);
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, to)])
}

pub(crate) async fn page_index(if_none_match: IfNoneMatch) -> Result<Response, Problem> {
    file("index.html", &if_none_match)
}

pub(crate) async fn page_file(
    Path(name): Path<String>,
    if_none_match: IfNoneMatch,
) -> Result<Response, Problem> {
    file(&name, &if_none_match)
}

/// Answers with a file of the page as it is: how it travels is agreed on with the client, as for every answer.
fn file(name: &str, if_none_match: &IfNoneMatch) -> Result<Response, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from("/api/openapi.json");
        // The validator would be asked over the internet.
        let config = config.validator_url("none").persist_authorization(true);
        Arc::new(config.display_request_duration(true).filter(true))
    });
    let found = utoipa_swagger_ui::serve(name, CONFIG.clone()).map_err(Problem::internal)?;
    let file = found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "Not found"))?;
    let kind = HeaderValue::try_from(file.content_type).map_err(Problem::internal)?;
    let tag = format!("\"{}\"", short(&Sha256::digest(&file.bytes)));
    let tag = HeaderValue::try_from(tag).map_err(Problem::internal)?;
    if if_none_match.holds_tag(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let headers: [(HeaderName, HeaderValue); 4] = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (CACHE_CONTROL, A_DAY),
        (ETAG, tag),
    ];
    let mut bytes = file.bytes.into_owned();
    if file.gzpipped {
        let mut unpacked = Vec::new();
        let mut packed = GzDecoder::new(&bytes[..]);
        packed
            .read_to_end(&mut unpacked)
            .map_err(Problem::internal)?;
        bytes = unpacked;
    }
    Ok((headers, bytes).into_response())
}
