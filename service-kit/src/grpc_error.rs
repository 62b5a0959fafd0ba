//! Typed gRPC errors: every one carries `google.rpc.ErrorInfo`, and `BadRequest` where fields are at
//! fault, so that no client has to read a message text. (AIP-193.)

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The domain in which the reasons of errors are unique.
pub const ERROR_DOMAIN: &str = "catalog";

/// The most bytes of the fields at fault and what is wrong with them: details travel in a header, and all
/// headers of an answer together have 16 KiB at most clients, in which binary ones take a third more.
const VIOLATIONS_BYTES_MAX: usize = 6 * 1024;

/// A status with details. `reason` is UPPER_SNAKE_CASE and stable; `message` is for people; `violations`
/// are the fields at fault as (path, description); those that do not fit into an answer are left out.
pub fn status(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    violations: impl IntoIterator<Item = (String, String)>,
) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
    let mut room = VIOLATIONS_BYTES_MAX;
    let fits = |(field, description): &(String, String)| {
        let left = room.checked_sub(field.len() + description.len());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let at_fault: Vec<_> = violations
        .into_iter()
        .take_while(fits)
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
