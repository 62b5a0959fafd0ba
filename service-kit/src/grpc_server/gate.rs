//! Asks every call for a service token, except those about health: load balancers have none.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService as _;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower::{Layer, Service};

use crate::ServiceTokens;

/// Wraps a service in a [`Gate`].
#[derive(Clone, Debug)]
pub(super) struct GateLayer {
    /// None lets everybody in.
    pub(super) tokens: Option<Arc<ServiceTokens>>,
}

/// A service that answers `UNAUTHENTICATED` to calls without a token.
#[derive(Clone, Debug)]
pub(super) struct Gate<S> {
    inner: S,
    tokens: Option<Arc<ServiceTokens>>,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate {
            inner,
            tokens: self.tokens.clone(),
        }
    }
}

impl<S, B> Service<Request<B>> for Gate<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let tokens = self.tokens.as_ref();
        let tokens = tokens.filter(|_| !is_about_health(request.uri().path()));
        match tokens.map(|tokens| tokens.check(request.headers())) {
            Some(Err(refused)) => Either::Right(ready(Ok(refused.into_http()))),
            None | Some(Ok(())) => Either::Left(self.inner.call(request)),
        }
    }
}

fn is_about_health(path: &str) -> bool {
    let service = path.trim_start_matches('/').split('/').next();
    service == Some(HealthServer::<HealthService>::NAME)
}
