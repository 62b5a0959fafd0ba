//! The HTTP API: its routes, and the layers that every request passes.

mod routes;
mod guard;
mod headers;
mod shed;
mod api;
mod answer;
mod health;
mod products;
mod feeds;
mod search;
mod rules;
mod operate;
mod events;
mod pages;
mod usage;
mod request;

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION,
    RETRY_AFTER,
};
use axum::http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version,
};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use service_kit::{RequestLogLayer, Route, TraceContext};
use tower::util::option_layer;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::Pages;
use crate::openapi::Served;
use crate::problem::{self, Problem};
use crate::scope::Scopes;

use crate::http::answer::{Live, entity_tags};
use crate::http::guard::policy;
use crate::http::routes::DOCUMENT;
use crate::json::draft::{RESERVED, RESERVED_ID};

pub(crate) use crate::http::api::Api;
pub(crate) use crate::http::feeds::Feeds;
pub(crate) use crate::http::shed::admission::Admission;

/// Checks a filter that the searches of a key are to be held to, in the syntax of the query string of a search.
pub fn check_forced_filter(forced: &str) -> Result<(), String> {
    search::filter::check_forced(Some(forced)).map_err(|_| search::filter::FORCED_SYNTAX.to_owned())
}

/// Shorter answers fit one packet anyway.
const COMPRESSED_BYTES_MIN: u16 = 1_400;
/// How long a browser may keep what it learned of the origins.
const PREFLIGHT_S: u64 = 600;
const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Returns the description of the API.
pub(crate) fn document(public: Scopes) -> Served {
    Served::of(&DOCUMENT, public)
}

pub(crate) fn router(api: Arc<Api>, pages: Pages) -> Router {
    let (routes, _) = routes::routes().split_for_parts();
    layered(routes.merge(pages::routes(pages)), api)
}

/// Adds the layers, from the inside out: a panic becomes a problem, problems are written and answers
/// counted, every request gets its trace and its log line.
fn layered(routes: Router<Arc<Api>>, api: Arc<Api>) -> Router {
    routes
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "Not found") })
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(api.clone(), shed::shed))
        .layer(middleware::from_fn_with_state(api.clone(), guard::guard))
        .layer(compression())
        .layer(middleware::from_fn(entity_tags::tell_apart))
        .layer(option_layer(cors(&api.cors_origins)))
        .layer(middleware::from_fn(headers::options))
        .layer(middleware::from_fn(headers::describe))
        .layer(middleware::from_fn_with_state(api.clone(), observe))
        .layer(RequestLogLayer)
        .with_state(api)
}

/// Who writes a product may have hit upon an address that is no product's.
async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let writes = [Method::PUT, Method::PATCH, Method::DELETE];
    let id = uri.path().strip_prefix("/api/products/");
    let detail = match id.filter(|_| writes.contains(&method)) {
        Some(RESERVED_ID) => Cow::Owned(format!(
            "Method not allowed: the id {RESERVED_ID} {RESERVED}"
        )),
        _ => Cow::Borrowed("Method not allowed"),
    };
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// Compresses what is long enough to be worth the time.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_long = SizeAbove::new(COMPRESSED_BYTES_MIN);
    let is_text = NotForContentType::const_new("image/");
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(
            is_long
                .and(is_text)
                .and(NotForContentType::SSE)
                .and(is_not_live),
        )
}

fn is_not_live(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<Live>().is_none()
}

/// Lets pages of these origins ask; `*` stands for all.
fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("catalog-consistency"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("x-algolia-api-key"),
            HeaderName::from_static("x-algolia-application-id"),
        ])
        .expose_headers([
            ETAG,
            LOCATION,
            RETRY_AFTER,
            HeaderName::from_static("catalog-consistency"),
            HeaderName::from_static("catalog-stale"),
            HeaderName::from_static("catalog-position"),
            HeaderName::from_static("catalog-event"),
            CONTENT_DISPOSITION,
            X_TRACE_ID,
        ])
        .max_age(Duration::from_secs(PREFLIGHT_S));
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().cloned())
    };
    Some(layer.allow_origin(allowed))
}

async fn observe(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = route_of(&request);
    let trace = request.extensions().get::<TraceContext>().copied();
    let trace_id = trace.unwrap_or_else(TraceContext::fresh).trace_id();
    let query_bytes = uri.query().map_or(0, str::len);
    let mut response = if query_bytes > api.query_bytes_max {
        Problem::new(StatusCode::URI_TOO_LONG, "Query string is too long").into_response()
    } else if let Err(problem) = headers::check_host(&request) {
        problem.into_response()
    } else {
        next.run(request).await
    };
    problem::render(&mut response, uri.path(), &trace_id);
    if let Ok(value) = HeaderValue::try_from(trace_id) {
        response.headers_mut().insert(X_TRACE_ID, value);
    }
    response.extensions_mut().insert(Route(route));
    api.metrics
        .answered(&method, route, response.status(), started.elapsed());
    response
}

fn route_of(request: &Request) -> &'static str {
    let matched = request.extensions().get::<MatchedPath>();
    let known = matched.and_then(|path| policy::route(path.as_str()));
    known.map_or("unmatched", |route| route.path.as_str())
}

fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format!(
        "a handler panicked: {}",
        said.unwrap_or("no words")
    ))
    .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_TYPE;
    use axum::routing::get;
    use service_kit::Env;
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::Config;
    use crate::events::Feed;
    use crate::keys::KeyRing;
    use crate::metrics::Metrics;
    use crate::upstream::Upstream;

    async fn broken() -> &'static str {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_without_its_words() {
        let config = Config::read(&mut Env::from_pairs("BFF_", []));
        let metrics = Metrics::register(&mut Default::default());
        let api = Arc::new(Api {
            upstream: Upstream::connect_lazily(&config).expect("no TLS"),
            document: document(config.public),
            keys: KeyRing::new(config.keys_max_age),
            provider: None,
            events: Feed::new(
                Upstream::connect_lazily(&config).expect("no TLS").events,
                config.events,
            ),
            public: config.public,
            cors_origins: Vec::new(),
            admission: Admission::new(config.requests_max, config.waiting_max, &metrics),
            metrics,
            body_bytes_max: config.body_bytes_max,
            query_bytes_max: config.query_bytes_max,
            read_timeout: config.read_timeout,
            feeds: Feeds::new(config.import_bytes_max, CancellationToken::new()),
        });
        let router = layered(Router::new().route("/api/health", get(broken)), api);
        let request = Request::get("/api/health")
            .header("host", "x")
            .body(Body::empty())
            .expect("request");
        let response = router.oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 1024)
            .await
            .expect("body");
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.contains("Internal error") && !text.contains("secret"),
            "{text}"
        );
    }
}
