//! The caller of an upstream: trace and actor, which every request carries in its metadata.

use std::time::Duration;

use service_kit::TraceContext;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

pub(crate) struct Caller {
    pub(crate) trace: TraceContext,
    pub(crate) actor: Option<Actor>,
}

impl Caller {
    pub(super) fn request<M>(&self, message: M, deadline: Duration) -> Request<M> {
        let mut request = self.patiently(message);
        request.set_timeout(deadline);
        request
    }

    /// A request for steps that take as long as they take.
    pub(super) fn patiently<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        self.sign(request.metadata_mut());
        request
    }

    /// What calls tell of the caller, for a part of the program that makes them itself.
    pub(crate) fn metadata(&self) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        self.sign(&mut metadata);
        metadata
    }

    fn sign(&self, metadata: &mut MetadataMap) {
        if let Ok(trace) = MetadataValue::try_from(self.trace.to_string()) {
            metadata.insert("traceparent", trace);
        }
        if let Some(Actor(actor)) = &self.actor {
            metadata.insert("catalog-actor", actor.clone());
        }
    }
}

/// Invariant: 1 to [`Actor::CHARS_MAX`] visible ASCII characters.
pub(crate) struct Actor(MetadataValue<Ascii>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Catalog-Actor is 1 to {} visible ASCII characters", Actor::CHARS_MAX)]
pub(crate) struct InvalidActor;

impl Actor {
    const CHARS_MAX: usize = 100;
}

impl TryFrom<&[u8]> for Actor {
    type Error = InvalidActor;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidActor> {
        let bounded = (1..=Self::CHARS_MAX).contains(&bytes.len());
        if !bounded || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(InvalidActor);
        }
        MetadataValue::try_from(bytes)
            .map(Self)
            .map_err(|_| InvalidActor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_bounded_and_visible() {
        assert!(Actor::try_from(&b"jane@example.org"[..]).is_ok());
        assert!(Actor::try_from("x".repeat(100).as_bytes()).is_ok());
        for bad in ["", "two words", "caf\u{e9}", "a\tb", &"x".repeat(101)] {
            assert!(Actor::try_from(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
