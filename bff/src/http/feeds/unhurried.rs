//! Lifts the bounds of a connection for a request that takes long by its nature.

use std::convert::Infallible;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use crate::listener::{Peer, Unhurried};

/// The bounds stay lifted for as long as this is kept.
pub(crate) struct Unhurry(
    #[expect(dead_code, reason = "it lifts the bounds until it is dropped")] Option<Unhurried>,
);

impl<S: Send + Sync> FromRequestParts<S> for Unhurry {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>();
        Ok(Self(peer.map(|ConnectInfo(peer)| peer.unhurried())))
    }
}
