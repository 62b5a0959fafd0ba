//! Lets a request pass if its caller may do what it asks for. Invariant: a route without a policy is
//! served to nobody.

pub(super) mod policy;

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::api::Api;
use crate::http::guard::policy::Policy;
use crate::http::request::principal::Principal;
use crate::keys::{Limit, Refused};
use crate::problem::Problem;
use crate::scope::Scope;
use crate::tokens::{Provider, Untrusted};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The addresses of Algolia's API.
const SEARCH_CLIENTS: &str = "/1/";
const ALGOLIA_KEY: &str = "x-algolia-api-key";
const OWN_KEY: &str = "ck_";
const NO_TOKEN: HeaderValue = HeaderValue::from_static("Bearer realm=\"catalog\"");
/// A key or a token was sent, and it is not good (RFC 6750, section 3.1).
const BAD_TOKEN: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"catalog\", error=\"invalid_token\"");

pub(crate) async fn guard(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let Some(matched) = matched else {
        // There is no such address: nothing to guard.
        return next.run(request).await;
    };
    let Some(route) = policy::route(matched.as_str()) else {
        return Problem::new(StatusCode::FORBIDDEN, "Nobody may do this").into_response();
    };
    let Some(policy) = route.policy(request.method()) else {
        // The route answers that it has no such method.
        return next.run(request).await;
    };
    let beside = key_of_search_client(&route.path, &request);
    let principal = match admit(&api, request.headers(), beside, policy).await {
        Ok(principal) => principal,
        Err(problem) => return problem.into_response(),
    };
    let limit = principal.limit().map(Limit::header);
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(policy);
    let mut response = next.run(request).await;
    if let Some(Ok(policy)) = limit.map(HeaderValue::try_from) {
        response.headers_mut().insert(RATE_LIMIT_POLICY, policy);
    }
    response
}

/// Finds out who asks, and whether they may.
async fn admit(
    api: &Api,
    headers: &HeaderMap,
    beside: Option<String>,
    policy: Policy,
) -> Result<Principal, Problem> {
    let principal = match beside {
        Some(key) if !headers.contains_key(AUTHORIZATION) => of_key(api, headers, &key)?,
        _ => principal(api, headers).await?,
    };
    if let Policy::Needs(scope) = policy {
        check_scope(api, &principal, scope)?;
        check_whole(&principal, scope)?;
    }
    if let Some(limit) = principal.limit().filter(|limit| !limit.take()) {
        let remaining = HeaderValue::from_static("\"key\";r=0;t=1");
        let problem = Problem::for_now(
            StatusCode::TOO_MANY_REQUESTS,
            format!("The key is good for {} requests a second", limit.per_second),
        );
        return Err(problem.with(RATE_LIMIT, remaining));
    }
    Ok(principal)
}

/// Algolia's clients send their key in a header of their own or in the address. One that is none of ours counts
/// as no key: such clients cannot do without.
fn key_of_search_client(path: &str, request: &Request) -> Option<String> {
    if !path.starts_with(SEARCH_CLIENTS) {
        return None;
    }
    let headed = request.headers().get(ALGOLIA_KEY);
    let headed = headed.and_then(|value| value.to_str().ok().map(str::to_owned));
    let within = || {
        let query = request.uri().query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(name, _)| name == ALGOLIA_KEY);
        found.map(|(_, key)| key.into_owned())
    };
    headed
        .or_else(within)
        .filter(|key| key.starts_with(OWN_KEY))
}

async fn principal(api: &Api, headers: &HeaderMap) -> Result<Principal, Problem> {
    let mut stated = headers.get_all(AUTHORIZATION).iter();
    let stated = match (stated.next(), stated.next()) {
        (None, _) => return Ok(Principal::Public),
        (Some(stated), None) => stated.to_str().ok(),
        (Some(_), Some(_)) => None,
    };
    let token = stated.and_then(|stated| {
        let (scheme, token) = stated.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer.then_some(token.trim())
    });
    let token = token.ok_or_else(|| unauthenticated("Authorization is `Bearer KEY`"))?;
    match &api.provider {
        Some(provider) if is_jwt(token) => of_token(provider, token).await,
        _ => of_key(api, headers, token),
    }
}

/// A key has no dots.
fn is_jwt(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

async fn of_token(provider: &Provider, token: &str) -> Result<Principal, Problem> {
    let token = provider.check(token).await.map_err(|err| match err {
        Untrusted::Invalid(reason) => bad_token(reason),
        Untrusted::NotCurrent => Problem::for_now(
            StatusCode::SERVICE_UNAVAILABLE,
            "Tokens cannot be checked now: the identity provider is away",
        ),
    })?;
    Ok(Principal::Token(token))
}

fn of_key(api: &Api, headers: &HeaderMap, token: &str) -> Result<Principal, Problem> {
    let (key, secret) = api.keys.check(token).map_err(|refused| match refused {
        Refused::Unknown => bad_token("The key is unknown, revoked or expired"),
        Refused::NotCurrent => Problem::for_now(
            StatusCode::SERVICE_UNAVAILABLE,
            "Keys cannot be checked now: the write service is away",
        ),
    })?;
    if !key.allows_origin(headers.get(ORIGIN).map(HeaderValue::as_bytes)) {
        let detail = "The key is not for pages of this origin";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(Principal::Key(key, secret))
}

fn check_scope(api: &Api, principal: &Principal, scope: Scope) -> Result<(), Problem> {
    if api.public.has(scope) || principal.scopes().has(scope) {
        return Ok(());
    }
    let name = scope.name();
    Err(match principal {
        Principal::Public => unauthenticated(format!("This needs a key with the scope {name}")),
        Principal::Key(..) | Principal::Token(_) => {
            let detail = format!("The key or token does not have the scope {name}");
            Problem::new(StatusCode::FORBIDDEN, detail)
        }
    })
}

/// A key that sees a part of the catalog may only search, for only searches are held to its filter.
fn check_whole(principal: &Principal, scope: Scope) -> Result<(), Problem> {
    match principal {
        Principal::Key(key, _) if !key.forced_filter.is_empty() && scope != Scope::Search => {
            let detail = "The key sees a part of the catalog: it can only search";
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
        Principal::Key(..) | Principal::Token(_) | Principal::Public => Ok(()),
    }
}

fn unauthenticated(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail).with(WWW_AUTHENTICATE, NO_TOKEN)
}

fn bad_token(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail).with(WWW_AUTHENTICATE, BAD_TOKEN)
}
