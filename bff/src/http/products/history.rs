//! Routes for the past of a product. The write service tells it, so that an answer is never older
//! than a write that was answered.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use catalog_proto::v1;
use catalog_proto::v1::get_product_as_of_request::AsOf;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::params::{ProductPath, Query, read_limit};
use crate::json::product::HistoryJson;
use crate::openapi::params::{HistoryParams, ProductPathParams};
use crate::openapi::product::History;
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const LIMIT_UNLESS_TOLD: i32 = 20;
const LIMIT_MAX: i32 = 100;

/// `GET /api/products/{id}/history?limit=…&before_version=…`: what happened, newest first.
#[utoipa::path(
    get,
    path = "/api/products/{id}/history",
    operation_id = "getProductHistory",
    tag = "products",
    summary = "Read what happened to a product",
    params(ProductPathParams, HistoryParams),
    responses((status = 200, description = "Changes, newest first", body = History)),
    security(("key" = ["read"]))
)]
pub(crate) async fn get_history(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    let (limit, before_version) = read_page(&query)?;
    let message = v1::GetProductHistoryRequest {
        id: id.to_string(),
        limit,
        before_version,
    };
    let history = api
        .upstream
        .get_product_history(&caller, message)
        .await
        .map_err(|status| Problem::of_status(&status, false))?;
    json_response(StatusCode::OK, &HistoryJson::of(&history))
}

/// The most changes on the page, and the version that they come before: 0 stands for the end.
fn read_page(query: &Query) -> Result<(i32, i64), Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["limit", "before_version"], &mut errors);
    let limit = read_limit(query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let before = match query.one("before_version")? {
        None => Ok(0),
        Some(version) => read_version(version).ok_or(NO_VERSION),
    };
    let before = errors
        .take("/before_version".to_owned(), before)
        .unwrap_or_default();
    errors.finish()?;
    Ok((limit, before))
}

const NO_VERSION: &str = "must be a whole number from 1";

/// Reads `as_of_version` or `as_of`. None asks for the product as it is.
pub(crate) fn read_as_of(query: &Query) -> Result<Option<AsOf>, Problem> {
    let as_of = match (query.one("as_of_version")?, query.one("as_of")?) {
        (None, None) => return Ok(None),
        (Some(version), None) => read_version(version)
            .map(AsOf::Version)
            .ok_or_else(|| Problem::invalid_field("/as_of_version", NO_VERSION)),
        (None, Some(time)) => moment(time).map(AsOf::Time).ok_or_else(|| {
            Problem::invalid_field("/as_of", "must be a time such as 2026-01-31T12:00:00Z")
        }),
        (Some(_), Some(_)) => {
            let detail = "excludes `as_of_version`: state one of them";
            Err(Problem::invalid_field("/as_of", detail))
        }
    };
    as_of.map(Some)
}

fn read_version(text: &str) -> Option<i64> {
    text.parse().ok().filter(|version| *version >= 1)
}

/// Reads an RFC 3339 time.
pub(crate) fn moment(text: &str) -> Option<prost_types::Timestamp> {
    // A plus that was not escaped has become a space, and no such time has one.
    let time = OffsetDateTime::parse(&text.replace(' ', "+"), &Rfc3339).ok()?;
    Some(prost_types::Timestamp {
        seconds: time.unix_timestamp(),
        nanos: i32::try_from(time.nanosecond()).ok()?,
    })
}
