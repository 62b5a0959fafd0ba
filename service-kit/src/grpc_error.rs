//! Typed gRPC errors: every one carries `google.rpc.ErrorInfo`, and `BadRequest` where fields are at
//! fault, so that no client has to read a message text. (AIP-193.)

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The domain in which the reasons of errors are unique.
pub const ERROR_DOMAIN: &str = "catalog";

/// A status with details. `reason` is UPPER_SNAKE_CASE and stable; `message` is for people; `violations`
/// are the fields at fault as (path, description).
pub fn status(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    violations: impl IntoIterator<Item = (String, String)>,
) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
    let at_fault: Vec<_> = violations
        .into_iter()
        .map(|(field, description)| FieldViolation::new(field, description))
        .collect();
    if !at_fault.is_empty() {
        details.set_bad_request(at_fault);
    }
    Status::with_error_details(code, message, details)
}

/// The machine-readable reason of a status, where the server gave one.
pub fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// The fields at fault of a status, as (path, description).
pub fn violations(status: &Status) -> Vec<(String, String)> {
    let violations = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations);
    let pairs = violations.unwrap_or_default().into_iter();
    pairs.map(|one| (one.field, one.description)).collect()
}
