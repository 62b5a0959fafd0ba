//! Many writes in one request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use catalog_proto::v1;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::consistency::set_token;
use crate::http::request::idempotency::RequestId;
use crate::json::bulk::{self, ResultsJson};
use crate::openapi::params::WriteHeaders;
use crate::openapi::product::ProductWrites;
use crate::problem::Problem;
use crate::upstream::Caller;

/// `POST /api/products:batch`: 200 with an answer for each write, in their order. One that is refused
/// keeps no other from being done.
#[utoipa::path(
    post,
    path = "/api/products:batch",
    operation_id = "writeProducts",
    tag = "products",
    summary = "Create, replace, change and delete up to 500 products",
    params(WriteHeaders),
    request_body(content = ProductWrites),
    responses((status = 200, description = "An answer for each write, in their order", body = ResultsJson,
        headers(("Catalog-Consistency" = String)))),
    security(("key" = ["write"]))
)]
pub(crate) async fn write_products(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let mut writes = Vec::new();
    let mut refused = Vec::new();
    for write in bulk::read(body::value(&body)?)? {
        match write {
            Ok(write) => {
                writes.push(write);
                refused.push(None);
            }
            Err(problem) => refused.push(Some(problem)),
        }
    }
    let answer = if writes.is_empty() {
        v1::WriteProductsResponse::default()
    } else {
        let message = v1::WriteProductsRequest {
            writes,
            request_id: request_id.to_message(),
        };
        let answer = api.upstream.write_products(&caller, message).await;
        answer.map_err(|status| Problem::of_write_status(&status, false))?
    };
    let mut response = json_response(StatusCode::OK, &ResultsJson::of(refused, &answer.results))?;
    set_token(&mut response, &answer.consistency_token);
    Ok(response)
}
