//! Routes that write products. The write service decides; it gets the version of `If-Match` and the
//! `Idempotency-Key`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use catalog_events::ProductId;
use catalog_proto::v1;
use tonic::{Code, Status};

use crate::http::api::Api;
use crate::http::products::read::product_response;
use crate::http::request::body;
use crate::http::request::consistency::set_token;
use crate::http::request::idempotency::RequestId;
use crate::http::request::params::ProductPath;
use crate::http::request::version::{IfMatch, PutCondition, Unmet};
use crate::json::draft;
use crate::openapi::params::{ConditionHeaders, ProductPathParams, PutHeaders, WriteHeaders};
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
        .map_err(|status| Problem::of_write_status(&status, false))?;
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
    let expected = expected_version(&api, &caller, &id, &if_match).await?;
    let message = patch.into_request(expected, request_id.to_message());
    let updated = api
        .upstream
        .update_product(&caller, message)
        .await
        .map_err(|status| Problem::of_write_status(&status, if_match.is_present()))?;
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
    let price = draft::read_price(body::value(&body)?)?;
    let expected = expected_version(&api, &caller, &id, &if_match).await?;
    let message = v1::ChangePriceRequest {
        id: id.to_string(),
        expected_version: expected,
        request_id: request_id.to_message(),
        ..price
    };
    let changed = api
        .upstream
        .change_price(&caller, message)
        .await
        .map_err(|status| Problem::of_write_status(&status, if_match.is_present()))?;
    written_response(StatusCode::OK, &changed)
}

/// `PUT /api/products/{id}`: 201 or 200 with the product, which takes the place of what was there.
#[utoipa::path(
    put,
    path = "/api/products/{id}",
    operation_id = "putProduct",
    tag = "products",
    summary = "Create a product, or replace it as a whole",
    params(ProductPathParams, PutHeaders, WriteHeaders),
    request_body(content = NewProduct),
    responses(
        (status = 200, description = "The product that took the place of another", body = Product, headers(("ETag" = String), ("Catalog-Consistency" = String))),
        (status = 201, description = "The new product", body = Product, headers(("ETag" = String), ("Catalog-Consistency" = String))),
    ),
    security(("key" = ["write"]))
)]
pub(crate) async fn put_product(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    condition: PutCondition,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let product = draft::read_replacement(body::value(&body)?, &id)?;
    let current = api.upstream.current_version(&caller, &id);
    let expected = condition.expected(current).await.map_err(unmet)?;
    let message = v1::PutProductRequest {
        product: Some(product),
        expected_version: expected,
        request_id: request_id.to_message(),
    };
    let (written, created) = api
        .upstream
        .put_product(&caller, message)
        .await
        .map_err(|status| Problem::of_write_status(&status, condition.is_present()))?;
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    written_response(status, &written)
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
    let expected = expected_version(&api, &caller, &id, &if_match).await?;
    let message = v1::DeleteProductRequest {
        id: id.to_string(),
        expected_version: expected,
        request_id: request_id.to_message(),
    };
    let token = api
        .upstream
        .delete_product(&caller, message)
        .await
        .map_err(|status| Problem::of_write_status(&status, if_match.is_present()))?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_token(&mut response, &token);
    Ok(response)
}

/// Turns `If-Match` into the version that the write service is to expect.
async fn expected_version(
    api: &Api,
    caller: &Caller,
    id: &ProductId,
    if_match: &IfMatch,
) -> Result<Option<i64>, Problem> {
    let current = api.upstream.current_version(caller, id);
    if_match.expected(current).await.map_err(unmet)
}

fn unmet(unmet: Unmet<Status>) -> Problem {
    match unmet {
        Unmet::Never => Problem::precondition_failed(),
        Unmet::Unknown(status) if status.code() == Code::NotFound => Problem::precondition_failed(),
        Unmet::Unknown(status) => Problem::of_status(&status, true),
    }
}

fn written_response(status: StatusCode, written: &Written) -> Result<Response, Problem> {
    let mut response = product_response(status, (&written.product).into())?;
    set_token(&mut response, &written.token);
    Ok(response)
}
