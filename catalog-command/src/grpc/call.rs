//! What a gRPC call says of its caller.

use service_kit::TraceContext;
use tonic::Request;

use crate::commands::Call;
use crate::domain::Violation;
use crate::grpc::request_key::{Repeatable, request_key};
use crate::store::Origin;

const ACTOR_CHARS_MAX: usize = 100;

/// Takes a request apart: who calls, under which request id, and what is asked.
pub(super) fn call<M: Repeatable>(request: Request<M>) -> Result<(Call, M), Vec<Violation>> {
    let origin = origin(&request);
    let (metadata, _, mut message) = request.into_parts();
    let request = request_key(&mut message, &metadata)?;
    Ok((Call { origin, request }, message))
}

pub(super) fn origin<T>(request: &Request<T>) -> Origin {
    let actor = request
        .metadata()
        .get("catalog-actor")
        .and_then(|actor| actor.to_str().ok())
        .unwrap_or("anonymous");
    Origin {
        actor: actor.chars().take(ACTOR_CHARS_MAX).collect(),
        traceparent: request
            .extensions()
            .get::<TraceContext>()
            .map(ToString::to_string),
    }
}
