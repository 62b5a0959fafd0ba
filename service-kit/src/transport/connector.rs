//! Connects a gRPC client by TLS, and says in plain words why a server is not trusted.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use crate::transport::client_tls::ClientTls;
use crate::transport::error::TlsError;
use crate::transport::reload::Reloaded;

const HTTPS_PORT: u16 = 443;

/// Makes connections to `https://` addresses.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Reloaded<ClientConfig>>);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{0} names no host")]
    NoHost(Uri),
    #[error("cannot connect")]
    Tcp(#[from] io::Error),
    #[error("TLS with {host}: {why}")]
    Tls { host: String, why: String },
}

impl Connector {
    /// Must be called within a Tokio runtime.
    pub(crate) fn new(tls: &ClientTls) -> Result<Self, TlsError> {
        tls.start().map(Arc::new).map(Self)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(connect(self.0.current(), uri))
    }
}

async fn connect(
    config: Arc<ClientConfig>,
    uri: Uri,
) -> Result<TokioIo<TlsStream<TcpStream>>, ConnectError> {
    // The address of IPv6 stands in brackets.
    let host = uri.host().map(|host| host.trim_matches(['[', ']']));
    let Some(name) = host.and_then(|host| ServerName::try_from(host.to_owned()).ok()) else {
        return Err(ConnectError::NoHost(uri));
    };
    let host = name.to_str().into_owned();
    let port = uri.port_u16().unwrap_or(HTTPS_PORT);
    let tcp = TcpStream::connect((host.as_str(), port)).await?;
    tcp.set_nodelay(true)?;
    let connected = TlsConnector::from(config).connect(name, tcp).await;
    let refused = |err| ConnectError::Tls {
        host,
        why: why(&err),
    };
    connected.map(TokioIo::new).map_err(refused)
}

/// What is wrong, and what to do about it.
fn why(err: &io::Error) -> String {
    let inner = err.get_ref().and_then(|inner| inner.downcast_ref());
    let told = match inner {
        // The signature is bad where an authority of the same name has another key.
        Some(Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => {
            "its certificate is of an authority that is not trusted here: name the PEM file of its authority with …TLS_CA"
        }
        Some(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "its certificate has expired",
        Some(Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::UnknownCA,
        )) => {
            "it asks for a certificate of ours: name one with …TLS_CLIENT_CERT and …TLS_CLIENT_KEY"
        }
        Some(Error::InvalidMessage(_)) => "what answers there does not speak TLS",
        _ => return err.to_string(),
    };
    format!("{told} ({err})")
}
