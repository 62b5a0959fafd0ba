//! The shape of a problem (RFC 9457).

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/api/problems/product-not-found", "title": "Not Found", "status": 404, "detail": "Product not found",
    "instance": "/api/products/headset-2", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"
}))]
pub(crate) struct Problem {
    /// Where this kind of problem is described. It never changes.
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// The path of the request; left out of an answer to several requests.
    instance: Option<String>,
    /// What the request is logged under; left out of an answer to several requests.
    trace_id: Option<String>,
    /// The members and parameters at fault.
    errors: Option<Vec<FieldError>>,
}

/// A member or parameter at fault.
#[derive(Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// A JSON pointer to it; of a parameter, its name behind a slash.
    pointer: String,
    detail: String,
}

/// A kind of problem.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemKind {
    r#type: String,
    title: String,
    status: u16,
    /// What it means, and what to do.
    description: String,
}
