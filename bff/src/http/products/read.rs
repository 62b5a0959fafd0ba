//! Routes that read products: one, or several by id.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, ETAG, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use catalog_events::ProductId;
use catalog_proto::encoded::{self, Malformed, ProductView};
use catalog_proto::v1;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::products::history::read_as_of;
use crate::http::products::list;
use crate::http::request::consistency::{ConsistencyTokens, set_stale};
use crate::http::request::params::{ProductPath, Query};
use crate::http::request::version::{IfNoneMatch, etag};
use crate::json::linked::linked;
use crate::json::product::{BatchJson, PageJson, ProductJson};
use crate::openapi::params::{
    CachedHeaders, ListParams, PastParams, ProductPathParams, ReadHeaders,
};
use crate::openapi::product::{LinkedProduct, Product, ProductList};
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const BATCH_MAX: usize = 100;

/// `GET /api/products/{id}`: 200 with an `ETag`, or 304 when the client holds that version. With
/// `as_of_version=…` or `as_of=…` it answers the product as it was, which is never stale.
#[utoipa::path(
    get,
    path = "/api/products/{id}",
    operation_id = "getProduct",
    tag = "products",
    summary = "Read a product",
    params(ProductPathParams, PastParams, ReadHeaders, CachedHeaders),
    responses(
        (status = 200, description = "The product",
            content((Product = "application/json"), (LinkedProduct = "application/ld+json")), headers(("ETag" = String, description = "The version"))),
        (status = 304, description = "The client holds this version"),
    ),
    security(("key" = ["read"]))
)]
pub(crate) async fn get_product(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    query: Query,
    ConsistencyTokens(tokens): ConsistencyTokens,
    if_none_match: IfNoneMatch,
    form: Form,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["as_of", "as_of_version"], &mut errors);
    errors.finish()?;
    let found = match read_as_of(&query)? {
        None => api.upstream.get_product(&caller, &id, tokens).await,
        Some(as_of) => api.upstream.get_product_as_of(&caller, &id, as_of).await,
    }
    .map_err(|status| Problem::of_status(&status, false))?;
    let product = found.product.view()?;
    let tag = form.etag(product.version);
    let mut response = if if_none_match.holds_tag(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        form.response(product)?
    };
    response.headers_mut().insert(ETAG, tag);
    response.headers_mut().append(VARY, BY_FORM);
    set_stale(&mut response, found.stale);
    Ok(response)
}

/// `GET /api/products?ids=a&ids=b`: the products in the order asked, each once. A text that cannot
/// be an id is reported as missing, like an unknown id. Without `ids`, a page of all products, or of
/// those that the other parameters name.
#[utoipa::path(
    get,
    path = "/api/products",
    operation_id = "listProducts",
    tag = "products",
    summary = "Read products by their ids, or page by page",
    params(ListParams, ReadHeaders),
    responses((status = 200, description = "The products that there are", body = ProductList)),
    security(("key" = ["read"]))
)]
pub(crate) async fn list_products(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
    ConsistencyTokens(tokens): ConsistencyTokens,
) -> Result<Response, Problem> {
    if query.all("ids").next().is_some() {
        return products_by_id(&api, &caller, &query, tokens).await;
    }
    let mut message = list::read(&query)?;
    message.consistency_tokens = tokens;
    let page = api.upstream.list_products(&caller, message).await;
    let page =
        page.map_err(|status| Problem::of_status(&status, false).renamed("/gtins", "/gtin"))?;
    let mut response = json_response(StatusCode::OK, &PageJson::of(&page)?)?;
    set_stale(&mut response, page.stale);
    Ok(response)
}

async fn products_by_id(
    api: &Api,
    caller: &Caller,
    query: &Query,
    consistency_tokens: Vec<String>,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["ids"], &mut errors);
    errors.finish()?;
    let asked: Vec<&str> = query.all("ids").filter(|id| !id.is_empty()).collect();
    if asked.is_empty() || asked.len() > BATCH_MAX {
        let detail = format!("must be given 1 to {BATCH_MAX} times");
        return Err(Problem::invalid_field("/ids", detail));
    }
    let mut seen = HashSet::new();
    let distinct: Vec<&str> = asked.into_iter().filter(|id| seen.insert(*id)).collect();
    let valid = distinct.iter().filter(|id| id.parse::<ProductId>().is_ok());
    let message = v1::BatchGetProductsRequest {
        ids: valid.map(|id| id.to_string()).collect(),
        consistency_tokens,
        ..v1::BatchGetProductsRequest::default()
    };
    let answer = if message.ids.is_empty() {
        encoded::BatchGetProductsResponse::default()
    } else {
        api.upstream
            .batch_get_products(caller, message)
            .await
            .map_err(|status| Problem::of_status(&status, false))?
    };
    let mut response = json_response(StatusCode::OK, &in_order(&distinct, &answer)?)?;
    set_stale(&mut response, answer.stale);
    Ok(response)
}

const LINKED: &str = "application/ld+json";
const BY_FORM: HeaderValue = HeaderValue::from_static("accept");

/// The form in which a product is answered. Each has entity tags of its own.
pub(crate) enum Form {
    Plain,
    /// In the words of schema.org, for machines that read pages.
    Linked,
}

impl Form {
    fn etag(&self, version: i64) -> HeaderValue {
        match self {
            Self::Plain => etag(version),
            Self::Linked => HeaderValue::try_from(format!("\"{version}-linked\""))
                .unwrap_or(HeaderValue::from_static("\"linked\"")),
        }
    }

    fn response(&self, product: ProductView<'_>) -> Result<Response, Problem> {
        match self {
            Self::Plain => product_response(StatusCode::OK, product),
            Self::Linked => {
                let mut response = json_response(StatusCode::OK, &linked(&product))?;
                let kind = HeaderValue::from_static(LINKED);
                response.headers_mut().insert(CONTENT_TYPE, kind);
                Ok(response)
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accepted = parts.headers.get_all(ACCEPT).iter();
        let accepted = accepted.filter_map(|value| value.to_str().ok());
        let mut kinds = accepted.flat_map(|list| list.split(','));
        let is_linked = |kind: &str| {
            let essence = kind.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case(LINKED)
        };
        Ok(if kinds.any(is_linked) {
            Self::Linked
        } else {
            Self::Plain
        })
    }
}

pub(crate) fn product_response(
    status: StatusCode,
    product: ProductView<'_>,
) -> Result<Response, Problem> {
    let tag = etag(product.version);
    let mut response = json_response(status, &ProductJson::from(product))?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

fn in_order<'a>(
    asked: &[&'a str],
    answer: &'a encoded::BatchGetProductsResponse,
) -> Result<BatchJson<'a>, Malformed> {
    let views = answer.products.iter().map(encoded::Product::view);
    let mut by_id: HashMap<&str, ProductView<'_>> = views
        .map(|product| product.map(|product| (product.id, product)))
        .collect::<Result<_, _>>()?;
    let mut batch = BatchJson {
        items: Vec::with_capacity(by_id.len()),
        missing: Vec::new(),
        stale: answer.stale,
    };
    for id in asked {
        match by_id.remove(id) {
            Some(product) => batch.items.push(product.into()),
            None => batch.missing.push(id),
        }
    }
    Ok(batch)
}
