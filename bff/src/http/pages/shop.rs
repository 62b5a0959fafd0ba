//! The shop window. A browser draws it; what machines and previews look for stands in the page already.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use catalog_proto::encoded::ProductView;
use tonic::Code;

use crate::http::api::Api;
use crate::http::pages::assets::document;
use crate::http::request::params::ProductPath;
use crate::json::linked::linked;
use crate::problem::Problem;
use crate::scope::Scope;
use crate::upstream::Caller;

pub(super) const RESULTS: &str = "/";
pub(super) const PRODUCT: &str = "/products/{id}";

const PAGE: &str = "shop/index.html";
/// The head of a page that tells of no product.
const NO_PRODUCT: &str = "<title>Catalog</title>";
/// `GET /`: the page of results.
pub(super) async fn results() -> Result<Response, Problem> {
    let head =
        "<title>Catalog</title>\n<meta name=\"description\" content=\"Search all products\">";
    page(StatusCode::OK, head, "")
}

/// `GET /products/{id}`: the page of a product.
pub(super) async fn product(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: Result<ProductPath, Problem>,
) -> Result<Response, Problem> {
    // Where reading needs a key, the page tells so itself.
    if !api.public.has(Scope::Read) {
        return page(StatusCode::OK, NO_PRODUCT, "");
    }
    let gone = || page(StatusCode::NOT_FOUND, NO_PRODUCT, "");
    let Ok(ProductPath(id)) = path else {
        return gone();
    };
    match api.upstream.get_product(&caller, &id, Vec::new()).await {
        Ok(found) => {
            let product = found.product.view()?;
            page(StatusCode::OK, &head(&product)?, &body(&product))
        }
        Err(status) if status.code() == Code::NotFound => gone(),
        // The page asks again, and tells what is wrong.
        Err(_) => page(StatusCode::OK, NO_PRODUCT, ""),
    }
}

fn page(status: StatusCode, head: &str, body: &str) -> Result<Response, Problem> {
    document(status, PAGE, head, body)
}

/// What search engines and previews of links read.
fn head(product: &ProductView<'_>) -> Result<String, Problem> {
    let title = escaped(product.title);
    let description: String = product.description.chars().take(300).collect();
    let description = escaped(&description);
    let linked = serde_json::to_string(&linked(product)).map_err(Problem::internal)?;
    // No text of a product ends the script.
    let linked = linked.replace('<', "\\u003c");
    Ok(format!(
        "<title>{title}</title>\n<meta name=\"description\" content=\"{description}\">\n\
         <meta property=\"og:title\" content=\"{title}\">\n\
         <script type=\"application/ld+json\">{linked}</script>"
    ))
}

/// What is seen before the page is drawn, and without JavaScript.
fn body(product: &ProductView<'_>) -> String {
    let description = escaped(product.description);
    format!("<h1>{}</h1><p>{description}</p>", escaped(product.title))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(one),
        }
    }
    escaped
}
