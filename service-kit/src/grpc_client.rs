//! The other end of a gRPC port: connections that show who calls.

use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::transport::channel::ResponseFuture;
use tonic::transport::{Channel, Endpoint, Error};
use tower::Service;

use crate::ServiceTokens;

/// How a client shows who it is. The default shows nothing.
#[derive(Clone, Debug, Default)]
pub struct GrpcAccess {
    authorization: Option<HeaderValue>,
}

impl GrpcAccess {
    /// Shows the first of `tokens` with every call.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Option<&ServiceTokens>) -> Self {
        self.authorization = tokens.map(|tokens| tokens.shown().clone());
        self
    }

    /// A connection to `endpoint`, which is made at the first call and again whenever it was lost. Must be
    /// called within a Tokio runtime.
    pub fn channel(&self, endpoint: &Endpoint) -> GrpcChannel {
        GrpcChannel {
            channel: endpoint.connect_lazy(),
            authorization: self.authorization.clone(),
        }
    }
}

/// A connection whose calls carry the token of the client. Clones share the connection.
#[derive(Clone, Debug)]
pub struct GrpcChannel {
    channel: Channel,
    authorization: Option<HeaderValue>,
}

impl Service<Request<Body>> for GrpcChannel {
    type Response = Response<Body>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> ResponseFuture {
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert(AUTHORIZATION, authorization.clone());
        }
        self.channel.call(request)
    }
}
