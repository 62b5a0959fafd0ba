//! The one error map: every failure, here or upstream, leaves as a problem document (RFC 9457).
//! Invariant: what an upstream says about its insides is logged, never answered.

mod fields;
mod instance;
mod kinds;

use std::borrow::Cow;
use std::error::Error as _;
use std::fmt::{Display, Write as _};

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use catalog_proto::encoded::Malformed;
use serde::Serialize;
use tonic::{Code, Status};

use crate::problem::fields::{FieldError, pointer_of_field};
use crate::upstream;

pub(crate) use crate::problem::fields::{FieldErrors, pointer};
pub(crate) use crate::problem::kinds::{Kind, named as kind_named};
pub(crate) use client_kit::{nearest, with_nearest};

const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// Marks an answer that is older than the request's consistency tokens.
pub(crate) const CATALOG_STALE: HeaderName = HeaderName::from_static("catalog-stale");
pub(crate) const TRUE: HeaderValue = HeaderValue::from_static("true");

/// An error answer before it is written: `IntoResponse` leaves it in the response's extensions, and
/// [`render`] writes it where the request's path and trace are at hand.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: &'static Kind,
    status: StatusCode,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: HeaderMap,
    /// The text for the log; it is never answered.
    cause: Option<String>,
}

impl Problem {
    /// The answer to the status of a write. What may have been done is 504: a 503 would be repeated by
    /// proxies.
    pub(crate) fn of_write_status(status: &Status, if_match: bool) -> Self {
        if upstream::is_outcome_unknown(status) {
            let detail = "The write was not answered in time, and may have been done";
            return Self::of_kind(&kinds::OUTCOME_UNKNOWN, detail).because(chain(status));
        }
        Self::of_status(status, if_match)
    }

    /// The answer to an upstream's status. `if_match` tells whether the request carried `If-Match`.
    pub(crate) fn of_status(status: &Status, if_match: bool) -> Self {
        let mut problem = Self::of_code(status, if_match);
        if upstream::is_stale(status.metadata()) {
            problem = problem.with(CATALOG_STALE, TRUE);
        }
        problem.because(chain(status))
    }

    fn of_code(status: &Status, if_match: bool) -> Self {
        match status.code() {
            Code::NotFound => Self::product_not_found(),
            Code::Unavailable | Code::DeadlineExceeded => {
                Self::for_now(StatusCode::SERVICE_UNAVAILABLE, "Catalog unavailable")
            }
            Code::InvalidArgument => Self::of_invalid_argument(status),
            Code::AlreadyExists => Self::of_kind(&kinds::PRODUCT_EXISTS, "Product exists already"),
            Code::Aborted if if_match => Self::precondition_failed(),
            Code::Aborted => Self::new(StatusCode::CONFLICT, "Product was changed meanwhile"),
            Code::FailedPrecondition => {
                Self::new(StatusCode::CONFLICT, status.message().to_owned())
            }
            Code::ResourceExhausted => {
                Self::for_now(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
            }
            Code::Unauthenticated => {
                Self::new(StatusCode::UNAUTHORIZED, "Credentials are missing or wrong")
                    .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Code::PermissionDenied => Self::new(StatusCode::FORBIDDEN, "Not allowed"),
            code @ (Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss) => {
                let detail = format!("Catalog error ({})", code_name(code));
                Self::new(StatusCode::BAD_GATEWAY, detail)
            }
        }
    }

    /// The answer to the status of a call about a search rule. `conditional` tells whether the request
    /// demanded a version of it.
    pub(crate) fn of_rule_status(status: &Status, conditional: bool) -> Self {
        let reason = service_kit::reason(status);
        let problem = match (status.code(), reason.as_deref()) {
            (Code::NotFound, _) => Self::rule_not_found(),
            (Code::Aborted, Some("RULE_EXISTS")) if conditional => {
                Self::new(StatusCode::PRECONDITION_FAILED, "Search rule exists")
            }
            (Code::Aborted, _) if conditional => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "Search rule is not at the version of If-Match",
            ),
            (Code::Aborted, _) => {
                Self::new(StatusCode::CONFLICT, "Search rule was changed meanwhile")
            }
            (Code::ResourceExhausted, Some("TOO_MANY_RULES")) => Self::of_kind(
                &kinds::TOO_MANY_RULES,
                "There are as many search rules as there can be: delete one first",
            ),
            _ => return Self::of_write_status(status, conditional),
        };
        problem.because(chain(status))
    }

    /// The answer to the status of a call about an API key.
    pub(crate) fn of_key_status(status: &Status) -> Self {
        let reason = service_kit::reason(status);
        let problem = match (status.code(), reason.as_deref()) {
            (Code::NotFound, _) => Self::key_not_found(),
            (Code::ResourceExhausted, Some("TOO_MANY_KEYS")) => Self::of_kind(
                &kinds::TOO_MANY_KEYS,
                "There are as many API keys as there can be: revoke one first",
            ),
            _ => return Self::of_write_status(status, false),
        };
        problem.because(chain(status))
    }

    /// The answer to the status of what an operator asked for.
    pub(crate) fn of_operation_status(status: &Status) -> Self {
        match status.code() {
            Code::Aborted | Code::FailedPrecondition => {
                Self::new(StatusCode::CONFLICT, status.message().to_owned()).because(chain(status))
            }
            Code::NotFound => {
                Self::new(StatusCode::NOT_FOUND, status.message().to_owned()).because(chain(status))
            }
            _ => Self::of_write_status(status, false),
        }
    }

    /// The answer to the status of a call about a webhook. `conditional` tells whether the request demanded a
    /// version of it.
    pub(crate) fn of_webhook_status(status: &Status, conditional: bool) -> Self {
        let reason = service_kit::reason(status);
        let problem = match (status.code(), reason.as_deref()) {
            (Code::NotFound, _) => Self::webhook_not_found(),
            (Code::Aborted, _) if conditional => Self::webhook_at_other_version(),
            (Code::Aborted, _) => Self::new(StatusCode::CONFLICT, "Webhook was changed meanwhile"),
            (Code::OutOfRange, _) => Self::of_invalid_argument(status),
            (Code::ResourceExhausted, Some("TOO_MANY_WEBHOOKS")) => Self::of_kind(
                &kinds::TOO_MANY_WEBHOOKS,
                "There are as many webhooks as there can be: delete one first",
            ),
            _ => return Self::of_write_status(status, conditional),
        };
        problem.because(chain(status))
    }

    fn of_invalid_argument(status: &Status) -> Self {
        if service_kit::reason(status).as_deref() == Some("REQUEST_ID_REUSED") {
            let detail = "Idempotency-Key was used for another request";
            return Self::of_kind(&kinds::IDEMPOTENCY_KEY_REUSED, detail);
        }
        let mut errors = FieldErrors::default();
        for (field, detail) in service_kit::violations(status) {
            if field.starts_with("consistency_tokens") {
                let detail = format!("Catalog-Consistency: {detail}");
                return Self::new(StatusCode::BAD_REQUEST, detail);
            }
            errors.push(pointer_of_field(&field), detail);
        }
        if errors.is_empty() {
            let detail = status.message().to_owned();
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
        }
        Self::from(errors)
    }

    /// A write that may have been done.
    pub(crate) fn outcome_unknown(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of_kind(&kinds::OUTCOME_UNKNOWN, detail)
    }

    pub(crate) fn product_not_found() -> Self {
        Self::of_kind(&kinds::PRODUCT_NOT_FOUND, "Product not found")
    }

    pub(crate) fn webhook_not_found() -> Self {
        Self::of_kind(&kinds::WEBHOOK_NOT_FOUND, "Webhook not found")
    }

    pub(crate) fn webhook_at_other_version() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "Webhook is not at the version of If-Match",
        )
    }

    pub(crate) fn key_not_found() -> Self {
        Self::of_kind(&kinds::KEY_NOT_FOUND, "API key not found")
    }

    pub(crate) fn rule_not_found() -> Self {
        Self::of_kind(&kinds::RULE_NOT_FOUND, "Search rule not found")
    }

    pub(crate) fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "Product is not at the version of If-Match",
        )
    }

    /// A request with one field at fault.
    pub(crate) fn invalid_field(pointer: &str, detail: impl Display) -> Self {
        let mut errors = FieldErrors::default();
        errors.push(pointer.to_owned(), detail);
        Self::from(errors)
    }

    pub(crate) fn internal(cause: impl Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error").because(cause.to_string())
    }

    pub(crate) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            kind: kinds::of_status(status),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// A problem that will soon be over: the same request may be sent again.
    pub(crate) fn for_now(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, detail).with(RETRY_AFTER, RETRY_AFTER_S)
    }

    /// A problem of a kind.
    pub(crate) fn of_kind(kind: &'static Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::new(kind.status, detail);
        problem.0.kind = kind;
        problem
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The problem for a client that states under another name what is at fault: `/gtins` as `/gtin`.
    pub(crate) fn renamed(mut self, pointer: &str, to: &str) -> Self {
        let mut errors = FieldErrors::of(std::mem::take(&mut self.0.errors));
        errors.rename(pointer, to);
        self.0.errors = errors.into_list();
        self
    }

    fn because(mut self, cause: String) -> Self {
        self.0.cause = Some(cause);
        self
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The problem as a part of an answer to several requests.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let Parts {
            kind,
            status,
            detail,
            errors,
            ..
        } = &*self.0;
        let mut json = serde_json::json!({
            "type": kind.url(),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
        });
        if !errors.is_empty() {
            json["errors"] = serde_json::to_value(errors).unwrap_or_default();
        }
        json
    }
}

/// As the log has it, with the cause that is never answered.
impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cause = self.0.cause.as_deref().unwrap_or(&self.0.detail);
        write!(f, "{} {cause}", self.0.status.as_u16())
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Request is invalid");
        problem.0.errors = errors.into_list();
        problem
    }
}

/// The read side answered with what is no product.
impl From<Malformed> for Problem {
    fn from(err: Malformed) -> Self {
        Self::internal(err)
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let mut response = self.0.status.into_response();
        response.headers_mut().extend(self.0.headers.drain());
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem that a response carries, if any, and logs the cause of a server error.
pub(crate) fn render(response: &mut Response, instance: &str, trace_id: &str) {
    let Some(Problem(problem)) = response.extensions_mut().remove() else {
        return;
    };
    if let Some(cause) = problem.cause.filter(|_| problem.status.is_server_error()) {
        tracing::warn!(status = problem.status.as_u16(), trace_id, "{cause}");
    }
    let document = Document {
        kind: problem.kind.url(),
        title: problem.status.canonical_reason().unwrap_or("Error"),
        status: problem.status.as_u16(),
        detail: &problem.detail,
        instance: &instance::reference(instance),
        trace_id,
        errors: &problem.errors,
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    *response.body_mut() = Body::from(body);
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

fn chain(status: &Status) -> String {
    let mut text = format!(
        "upstream: {} {}",
        code_name(status.code()),
        status.message()
    );
    let mut source = status.source();
    while let Some(err) = source {
        let _ = write!(text, ": {err}");
        source = err.source();
    }
    text
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_the_words_of_a_failed_upstream() {
        for code in [
            Code::Internal,
            Code::Unknown,
            Code::Unavailable,
            Code::PermissionDenied,
        ] {
            let problem = Problem::of_status(&Status::new(code, "secret"), false);
            assert!(!problem.0.detail.contains("secret"), "{code:?}");
            assert!(
                problem.0.cause.expect("cause").contains("secret"),
                "{code:?}"
            );
        }
    }
}
