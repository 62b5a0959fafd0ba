//! Writing products. The write service decides; a version in `If-Match` is passed on to it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use catalog_proto::v1;

use crate::draft;
use crate::http::current_currency::in_current_currency;
use crate::http::params::ProductPath;
use crate::http::products::product_response;
use crate::http::version::IfMatch;
use crate::http::{Api, body};
use crate::json;
use crate::price::Price;
use crate::problem::Problem;
use crate::upstream::Caller;

/// `POST /api/products`: 201 with `Location`.
pub(super) async fn create_product(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let input = draft::read_creation(value(&body)?)?;
    let created = api.upstream.create_product(&caller, input).await;
    let product = created.map_err(|status| Problem::of_status(&status, false))?;
    let mut response = product_response(StatusCode::CREATED, &product)?;
    if let Ok(location) = HeaderValue::try_from(format!("/api/products/{}", product.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `PATCH /api/products/{id}`: 200 with the product as it is now.
pub(super) async fn update_product(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    if_match: IfMatch,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::MERGE_PATCH).await?;
    let mut patch = draft::read_patch(value(&body)?, &id)?;
    let updated = match patch.unresolved.take() {
        None => {
            let message = patch.into_request(if_match.version());
            let updated = api.upstream.update_product(&caller, message).await;
            updated.map_err(|status| Problem::of_status(&status, if_match.is_present()))
        }
        Some(price) => {
            in_current_currency(&api, &caller, &id, if_match, &price, |price, version| {
                let mut patch = patch.clone();
                patch.set_price(price);
                api.upstream
                    .update_product(&caller, patch.into_request(Some(version)))
            })
            .await
        }
    };
    product_response(StatusCode::OK, &updated?)
}

/// `PUT /api/products/{id}/price`: 200 with the product as it is now.
pub(super) async fn change_price(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    if_match: IfMatch,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let message = |price_minor, currency: Option<_>, expected_version| v1::ChangePriceRequest {
        id: id.to_string(),
        price_minor,
        currency: currency.map_or(String::new(), String::from),
        expected_version,
        ..v1::ChangePriceRequest::default()
    };
    let changed = match draft::read_price(value(&body)?)? {
        Price::Minor { minor, currency } => {
            let message = message(minor, currency, if_match.version());
            let changed = api.upstream.change_price(&caller, message).await;
            changed.map_err(|status| Problem::of_status(&status, if_match.is_present()))
        }
        Price::Major(price) => {
            in_current_currency(&api, &caller, &id, if_match, &price, |price, version| {
                let message = message(price.minor(), Some(price.currency()), Some(version));
                api.upstream.change_price(&caller, message)
            })
            .await
        }
    };
    product_response(StatusCode::OK, &changed?)
}

/// `DELETE /api/products/{id}`: 204.
pub(super) async fn delete_product(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let message = v1::DeleteProductRequest {
        id: id.to_string(),
        expected_version: if_match.version(),
        ..v1::DeleteProductRequest::default()
    };
    match api.upstream.delete_product(&caller, message).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(status) => Err(Problem::of_status(&status, if_match.is_present())),
    }
}

fn value(body: &[u8]) -> Result<&serde_json::value::RawValue, Problem> {
    json::value(body).map_err(|err| Problem::new(StatusCode::BAD_REQUEST, err.to_string()))
}
