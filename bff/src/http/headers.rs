//! What every answer says of itself: who may keep it, and what it depends on.

use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY,
    HOST, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::guard::policy;
use crate::problem::Problem;

/// Answers may be kept, and must be asked for again before they are used.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// The same, for nobody but the client: a key may see what others may not.
const ASK_AGAIN_ALONE: HeaderValue = HeaderValue::from_static("private, no-cache");
const KEEP_NOTHING: HeaderValue = HeaderValue::from_static("no-store");
const BY_KEY: HeaderValue = HeaderValue::from_static("authorization");
const NO_GUESSING: HeaderValue = HeaderValue::from_static("nosniff");
/// An answer of the API is no page: opened as one, it may do nothing.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Checks that a request names its host once (RFC 9112, section 3.2): those on the way could take it for another
/// one's otherwise. HTTP/1.0 and HTTP/2 do without the header.
pub(crate) fn check_host(request: &Request) -> Result<(), Problem> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let detail = match (hosts, request.version()) {
        (0, Version::HTTP_11) => "The request has no Host header",
        (0 | 1, _) => return Ok(()),
        _ => "The request has more than one Host header",
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, detail))
}

/// Answers what may be done at an address. A browser that asks whether a page may do it states that
/// method, and is answered by what knows the origins.
pub(crate) async fn options(request: Request, next: Next) -> Response {
    let is_preflight = request
        .headers()
        .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.and_then(|matched| policy::route(matched.as_str()));
    match route {
        Some(route) if *request.method() == Method::OPTIONS && !is_preflight => {
            (StatusCode::NO_CONTENT, [(ALLOW, route.allow())]).into_response()
        }
        Some(route) => {
            let mut response = next.run(request).await;
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(ALLOW, route.allow());
            }
            response
        }
        None => next.run(request).await,
    }
}

pub(crate) async fn describe(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let has_key = request.headers().contains_key(AUTHORIZATION);
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    headers.append(VARY, BY_KEY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_GUESSING);
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, NO_PAGE);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        let kept = is_read && (status.is_success() || status.is_redirection());
        let cache = match (kept, has_key) {
            (true, false) => ASK_AGAIN,
            (true, true) => ASK_AGAIN_ALONE,
            (false, _) => KEEP_NOTHING,
        };
        headers.insert(CACHE_CONTROL, cache);
    }
    response
}
