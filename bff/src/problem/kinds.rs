//! The kinds of problems. Their names are part of the API: clients tell problems apart by them, so a name
//! never changes and never means something else.

use axum::http::StatusCode;

/// A kind of problem, described at `/api/problems/NAME`.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    /// What it means, and what to do.
    pub(crate) description: &'static str,
}

macro_rules! kinds {
    ($($id:ident = $name:literal, $status:ident, $description:literal;)*) => {
        $(pub(crate) static $id: Kind = Kind {
            name: $name,
            status: StatusCode::$status,
            description: $description,
        };)*
        /// All kinds. The first of a status stands for problems that are of no other kind.
        pub(crate) static ALL: &[&Kind] = &[$(&$id),*];
    };
}

kinds! {
    BAD_REQUEST = "bad-request", BAD_REQUEST,
        "The request is malformed: its body is no JSON, broke off, or a header is no such header. `detail` says which.";
    UNAUTHENTICATED = "unauthenticated", UNAUTHORIZED,
        "The request has no valid key or token. Send `Authorization: Bearer KEY`.";
    FORBIDDEN = "forbidden", FORBIDDEN,
        "The key or token is valid, and this is not among what it may do.";
    NOT_FOUND = "not-found", NOT_FOUND,
        "There is no such address. `/api/openapi.json` lists all of them.";
    PRODUCT_NOT_FOUND = "product-not-found", NOT_FOUND,
        "There is no product of this id, or it was deleted.";
    RULE_NOT_FOUND = "search-rule-not-found", NOT_FOUND,
        "There is no search rule of this id, or it was deleted.";
    KEY_NOT_FOUND = "api-key-not-found", NOT_FOUND,
        "There is no API key of this id.";
    WEBHOOK_NOT_FOUND = "webhook-not-found", NOT_FOUND,
        "There is no webhook of this id, or it was deleted.";
    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED,
        "The address has no such method. `Allow` lists those it has.";
    NOT_ACCEPTABLE = "not-acceptable", NOT_ACCEPTABLE,
        "The answer cannot be given in a form that `Accept` names.";
    REQUEST_TIMEOUT = "request-timeout", REQUEST_TIMEOUT,
        "The body did not arrive in time. Nothing was done.";
    CONFLICT = "conflict", CONFLICT,
        "What is stored is in the way. Read it again and decide anew.";
    PRODUCT_EXISTS = "product-exists", CONFLICT,
        "There is a product of this id already. `PUT` replaces it, `PATCH` changes it.";
    TOO_MANY_RULES = "too-many-search-rules", CONFLICT,
        "There are as many search rules as there can be. Delete one first.";
    TOO_MANY_KEYS = "too-many-api-keys", CONFLICT,
        "There are as many API keys as there can be. Revoke one first.";
    TOO_MANY_WEBHOOKS = "too-many-webhooks", CONFLICT,
        "There are as many webhooks as there can be. Delete one first.";
    PRECONDITION_FAILED = "precondition-failed", PRECONDITION_FAILED,
        "It is not at a version that `If-Match` names, or it exists despite `If-None-Match: *`. Read it again.";
    TOO_LARGE = "too-large", PAYLOAD_TOO_LARGE,
        "The body, or the answer, is longer than the limit. Send or ask for less at once.";
    URI_TOO_LONG = "uri-too-long", URI_TOO_LONG,
        "The query string is too long. `POST /api/search` takes a search as a body.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE,
        "The body is of a kind that is not read here. `Accept` of the answer lists those that are.";
    INVALID_REQUEST = "invalid-request", UNPROCESSABLE_ENTITY,
        "Members or parameters are at fault: `errors` names each with what is wrong. Repeating it is of no use.";
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused", UNPROCESSABLE_ENTITY,
        "The `Idempotency-Key` was used for another request. Take a new one.";
    TOO_MANY_REQUESTS = "too-many-requests", TOO_MANY_REQUESTS,
        "More requests than the limit. Wait as long as `Retry-After` says. Nothing was done.";
    HEADERS_TOO_LARGE = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The head of the request is too long.";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR,
        "A fault of the service. It is logged under the `trace_id`.";
    UPSTREAM = "upstream-error", BAD_GATEWAY,
        "A service behind this one answered with a fault. It is logged under the `trace_id`.";
    UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE,
        "A service behind this one is away or busy. Nothing was done: try again after `Retry-After` seconds.";
    OUTCOME_UNKNOWN = "outcome-unknown", GATEWAY_TIMEOUT,
        "A write was not answered in time, and may have been done. Send it again under the same `Idempotency-Key`, or read first.";
}

/// Returns the kind of a problem of which no more is known than its status.
pub(crate) fn of_status(status: StatusCode) -> &'static Kind {
    let known = ALL.iter().find(|kind| kind.status == status);
    known.copied().unwrap_or(&INTERNAL)
}

pub(crate) fn named(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name)
}

impl Kind {
    pub(crate) fn url(&self) -> String {
        format!("/api/problems/{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: HashSet<&str> = ALL.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), ALL.len());
        for kind in ALL {
            assert!(std::ptr::eq(named(kind.name).expect("known"), *kind));
        }
    }
}
