//! Routes that write products. The write service decides; it gets the version of `If-Match` and the
//! `Idempotency-Key`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use catalog_proto::v1;

use crate::http::api::Api;
use crate::http::products::read::product_response;
use crate::http::request::body;
use crate::http::request::consistency::set_token;
use crate::http::request::idempotency::RequestId;
use crate::http::request::params::ProductPath;
use crate::http::request::version::IfMatch;
use crate::json::draft;
use crate::openapi::params::{ConditionHeaders, ProductPathParams, WriteHeaders};
use crate::openapi::product::{NewProduct, PriceChange, Product, ProductPatch};
use crate::problem::Problem;
use crate::upstream::{Caller, Written};

/// `POST /api/products`: 201 with `Location`.
#[utoipa::path(
    post,
    path = "/api/products",
    operation_id = "createProduct",
    tag = "products",
    summary = "Create a product",
    params(WriteHeaders),
    request_body(content = NewProduct),
    responses((status = 201, description = "The product", body = Product,
        headers(("Location" = String), ("ETag" = String), ("Catalog-Consistency" = String)))),
    security(("key" = ["write"]))
)]
pub(crate) async fn create_product(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let message = v1::CreateProductRequest {
        product: Some(draft::read_creation(body::value(&body)?)?),
        request_id: request_id.to_message(),
    };
    let created = api
        .upstream
        .create_product(&caller, message)
        .await
        .map_err(|status| Problem::of_status(&status, false))?;
    let mut response = written_response(StatusCode::CREATED, &created)?;
    if let Ok(location) = HeaderValue::try_from(format!("/api/products/{}", created.product.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `PATCH /api/products/{id}`: 200 with the product as it is now.
#[utoipa::path(
    patch,
    path = "/api/products/{id}",
    operation_id = "updateProduct",
    tag = "products",
    summary = "Change some members of a product",
    params(ProductPathParams, ConditionHeaders, WriteHeaders),
    request_body(
        content((ProductPatch = "application/merge-patch+json"), (ProductPatch = "application/json"))
    ),
    responses((status = 200, description = "The product as it is now", body = Product, headers(("ETag" = String, description = "The version"), ("Catalog-Consistency" = String, description = "The token of this write")))),
    security(("key" = ["write"]))
)]
pub(crate) async fn update_product(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::MERGE_PATCH).await?;
    let patch = draft::read_patch(body::value(&body)?, &id)?;
    let message = patch.into_request(if_match.version(), request_id.to_message());
    let updated = api
        .upstream
        .update_product(&caller, message)
        .await
        .map_err(|status| Problem::of_status(&status, if_match.is_present()))?;
    written_response(StatusCode::OK, &updated)
}

/// `PUT /api/products/{id}/price`: 200 with the product as it is now.
#[utoipa::path(
    put,
    path = "/api/products/{id}/price",
    operation_id = "changePrice",
    tag = "products",
    summary = "Change the price of a product",
    params(ProductPathParams, ConditionHeaders, WriteHeaders),
    request_body(content = PriceChange),
    responses((status = 200, description = "The product as it is now", body = Product, headers(("ETag" = String, description = "The version"), ("Catalog-Consistency" = String, description = "The token of this write")))),
    security(("key" = ["write"]))
)]
pub(crate) async fn change_price(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let message = v1::ChangePriceRequest {
        id: id.to_string(),
        expected_version: if_match.version(),
        request_id: request_id.to_message(),
        ..draft::read_price(body::value(&body)?)?
    };
    let changed = api
        .upstream
        .change_price(&caller, message)
        .await
        .map_err(|status| Problem::of_status(&status, if_match.is_present()))?;
    written_response(StatusCode::OK, &changed)
}

/// `DELETE /api/products/{id}`: 204.
#[utoipa::path(
    delete,
    path = "/api/products/{id}",
    operation_id = "deleteProduct",
    tag = "products",
    summary = "Delete a product",
    params(ProductPathParams, ConditionHeaders, WriteHeaders),
    responses((status = 204, description = "It is deleted", headers(("Catalog-Consistency" = String)))),
    security(("key" = ["write"]))
)]
pub(crate) async fn delete_product(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    if_match: IfMatch,
    request_id: RequestId,
) -> Result<Response, Problem> {
    let message = v1::DeleteProductRequest {
        id: id.to_string(),
        expected_version: if_match.version(),
        request_id: request_id.to_message(),
    };
    let token = api
        .upstream
        .delete_product(&caller, message)
        .await
        .map_err(|status| Problem::of_status(&status, if_match.is_present()))?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_token(&mut response, &token);
    Ok(response)
}

fn written_response(status: StatusCode, written: &Written) -> Result<Response, Problem> {
    let mut response = product_response(status, &written.product)?;
    set_token(&mut response, &written.token);
    Ok(response)
}
