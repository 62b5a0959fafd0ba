//! The other end of a gRPC port: connections that show who calls, and check who answers.

use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::transport::channel::ResponseFuture;
use tonic::transport::{Channel, Endpoint, Error};
use tower::Service;

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
        let channel = if endpoint.uri().scheme_str() == Some("https") {
            endpoint.connect_with_connector_lazy(Connector::new(&self.tls)?)
        } else {
            endpoint.connect_lazy()
        };
        Ok(GrpcChannel {
            channel,
            authorization: self.authorization.clone(),
        })
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
