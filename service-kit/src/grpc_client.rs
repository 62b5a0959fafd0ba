//! The other end of a gRPC port: connections that show who calls, and check who answers.

mod replicas;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, Uri};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{BoxError, Service};

use self::replicas::{MakeEndpoint, Replicas};
use crate::transport::Connector;
use crate::{ClientTls, Env, ServiceTokens, TlsError};

/// How a client shows who it is, and knows whom it calls. The default shows nothing, and trusts at `https://`
/// whom the system trusts.
#[derive(Clone, Debug, Default)]
pub struct GrpcAccess {
    authorization: Option<HeaderValue>,
    tls: ClientTls,
}

impl GrpcAccess {
    /// Reads `SERVICE_TOKEN` and the files of TLS.
    pub fn read(env: &mut Env, token_help: &'static str) -> Self {
        let tokens = env.secret("SERVICE_TOKEN", token_help);
        let tls = ClientTls::read(env);
        Self::default().with_tokens(tokens.as_ref()).with_tls(tls)
    }

    /// Shows the first of `tokens` with every call.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Option<&ServiceTokens>) -> Self {
        self.authorization = tokens.map(|tokens| tokens.shown().clone());
        self
    }

    /// Uses these files at `https://`.
    #[must_use]
    pub fn with_tls(self, tls: ClientTls) -> Self {
        Self { tls, ..self }
    }

    /// A connection to `endpoint`, which is made at the first call and again whenever it was lost. Must be
    /// called within a Tokio runtime. It fails where files of TLS cannot be used.
    pub fn channel(&self, endpoint: &Endpoint) -> Result<GrpcChannel, TlsError> {
        Ok(GrpcChannel {
            route: Route::One(self.connect(endpoint)?),
            authorization: self.authorization.clone(),
        })
    }

    /// Connections to all replicas of a service: those of `targets`, and where a name at `http://` stands for
    /// several addresses, all of these, as they come and go. Calls whose path begins with `reads` have one
    /// message each way and change nothing: one that met a replica which gives no answer is tried once on
    /// another. `endpoint` makes the endpoint of an address.
    pub fn replicas(
        &self,
        targets: &[Uri],
        reads: &'static str,
        endpoint: impl Fn(Uri) -> Endpoint + Send + Sync + 'static,
    ) -> Result<GrpcChannel, TlsError> {
        let endpoint: MakeEndpoint = Arc::new(endpoint);
        let member = |uri: &Uri| Ok((uri.clone(), self.connect(&endpoint(uri.clone()))?));
        let members: Result<Vec<_>, TlsError> = targets.iter().map(member).collect();
        let replicas = Replicas::new(members?, reads);
        // What TLS has to check is the name, so that is what is called.
        if targets
            .iter()
            .all(|target| target.scheme_str() == Some("http"))
        {
            replicas.follow_names(targets.to_vec(), endpoint);
        }
        Ok(GrpcChannel {
            route: Route::Several(replicas),
            authorization: self.authorization.clone(),
        })
    }

    pub(crate) fn connect(&self, endpoint: &Endpoint) -> Result<Channel, TlsError> {
        Ok(if endpoint.uri().scheme_str() == Some("https") {
            endpoint.connect_with_connector_lazy(Connector::new(&self.tls)?)
        } else {
            endpoint.connect_lazy()
        })
    }
}

/// Connections whose calls carry the token of the client. Clones share them.
#[derive(Clone, Debug)]
pub struct GrpcChannel {
    route: Route,
    authorization: Option<HeaderValue>,
}

#[derive(Clone, Debug)]
enum Route {
    One(Channel),
    Several(Replicas),
}

impl Service<Request<Body>> for GrpcChannel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.route {
            Route::One(channel) => channel.poll_ready(cx).map_err(Into::into),
            // Each replica is waited for when it has been chosen.
            Route::Several(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert(AUTHORIZATION, authorization.clone());
        }
        match &mut self.route {
            Route::One(channel) => {
                let answer = channel.call(request);
                Box::pin(answer.map(|answer| answer.map_err(Into::into)))
            }
            Route::Several(replicas) => Box::pin(replicas.clone().call(request)),
        }
    }
}
