//! Calls that say who makes them.

use std::env;

use client_kit::bounded;
use tonic::Request;

const ACTOR: &str = "catalog-actor";

/// A call that says who makes it, for histories and the audit trail.
pub(crate) fn signed<T>(message: T) -> Request<T> {
    let mut request = bounded(message);
    let user = env::var("USER").unwrap_or_default();
    if let Ok(actor) = format!("catalogctl {user}").trim_end().parse() {
        request.metadata_mut().insert(ACTOR, actor);
    }
    request
}
