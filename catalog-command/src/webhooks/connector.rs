//! Connections to those who are told of events. Invariant: unless it is configured otherwise, none is made to
//! an address that is not public, whatever a name stands for at the moment of the connection.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tower::Service;

use crate::domain::{Reach, is_public};

/// Makes connections to `https://` addresses, and to `http://` ones of private networks where these may be
/// reached. It asks no proxy.
#[derive(Clone)]
pub(super) struct HookConnector {
    pub(super) reach: Reach,
    /// Why there is no TLS, where there is none.
    pub(super) tls: Result<TlsConnector, String>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the address names no host")]
    NoHost,
    #[error("{0} cannot be resolved: {1}")]
    Name(String, io::Error),
    #[error(
        "{host} stands for {address}, which is no public address: the catalog does not call it \
         (CATALOG_COMMAND_WEBHOOK_PRIVATE=true lets it)"
    )]
    Private { host: String, address: IpAddr },
    #[error("only https is called")]
    NotEncrypted,
    #[error("there is no TLS here: {0}")]
    NoTls(String),
    #[error("cannot connect to {0}: {1}")]
    Tcp(String, io::Error),
    #[error("TLS with {0} fails: {1}")]
    Tls(String, io::Error),
}

impl Service<Uri> for HookConnector {
    type Response = TokioIo<HookStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&uri).await.map(TokioIo::new) })
    }
}

impl HookConnector {
    async fn connect(&self, uri: &Uri) -> Result<HookStream, ConnectError> {
        // The address of IPv6 stands in brackets.
        let host = uri.host().ok_or(ConnectError::NoHost)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let encrypted = uri.scheme_str() == Some("https");
        if !encrypted && self.reach == Reach::Public {
            return Err(ConnectError::NotEncrypted);
        }
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let found = lookup_host((host.as_str(), port)).await;
        let found = found.map_err(|err| ConnectError::Name(host.clone(), err))?;
        let addresses: Vec<SocketAddr> = found.collect();
        // One private address among others is enough: who controls the name chooses the order.
        let private = addresses.iter().find(|it| !is_public(it.ip()));
        if let (Reach::Public, Some(private)) = (self.reach, private) {
            let address = private.ip();
            return Err(ConnectError::Private { host, address });
        }
        // These very addresses: a second look-up could name others.
        let tcp = TcpStream::connect(addresses.as_slice()).await;
        let tcp = tcp.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
        let tcp = tcp.map_err(|err| ConnectError::Tcp(host.clone(), err))?;
        if !encrypted {
            return Ok(HookStream::Plain(tcp));
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| ConnectError::NoHost)?;
        let tls = self.tls.clone().map_err(ConnectError::NoTls)?;
        let tls = tls.connect(name, tcp).await;
        let tls = tls.map_err(|err| ConnectError::Tls(host, err))?;
        Ok(HookStream::Tls(Box::new(tls)))
    }
}

/// A connection, plain or encrypted.
pub(super) enum HookStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for HookStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for HookStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for HookStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
