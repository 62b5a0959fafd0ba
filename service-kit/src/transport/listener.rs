//! A port that accepts connections. Invariant: a client that is slow in its handshake, or says nothing,
//! keeps nobody else waiting.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::transport::connection::Connection;
use crate::transport::reload::Reloaded;
use crate::transport::server_tls::{Alpn, ServerTls};

/// How long a handshake may take.
const HANDSHAKE_MS_MAX: u64 = 5_000;
/// Further clients wait in the queue of the system.
const HANDSHAKES_MAX: usize = 1_024;
/// How long to wait after an error of the system, which has for instance no file descriptors left.
const ERROR_PAUSE_MS: u64 = 1_000;

type Accepted = (Connection, SocketAddr);

/// A bound port; its connections are ready to use.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Reloaded<ServerConfig>>,
    handshakes: JoinSet<Option<Accepted>>,
}

impl Listener {
    /// Takes the port; port 0 takes a free one. With `tls`, it speaks TLS only.
    pub async fn bind(
        addr: SocketAddr,
        tls: Option<&ServerTls>,
        alpn: Alpn,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            tcp: TcpListener::bind(addr).await?,
            tls: tls
                .map(|tls| tls.start(alpn))
                .transpose()
                .context("TLS of the listener")?,
            handshakes: JoinSet::new(),
        })
    }

    /// The address that clients connect to, with the port that was taken.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Waits for the next connection. Dropping the wait loses none.
    pub async fn accept(&mut self) -> Accepted {
        loop {
            tokio::select! {
                Some(shaken) = self.handshakes.join_next(), if !self.handshakes.is_empty() => {
                    if let Ok(Some(accepted)) = shaken {
                        return accepted;
                    }
                }
                accepted = self.tcp.accept(), if self.handshakes.len() < HANDSHAKES_MAX => {
                    match accepted {
                        Ok((tcp, peer)) => {
                            if let Some(ready) = self.begin(tcp, peer) {
                                return ready;
                            }
                        }
                        Err(err) => pause_after(err).await,
                    }
                }
            }
        }
    }

    /// Returns a plain connection, or starts the handshake of one that is not.
    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr) -> Option<Accepted> {
        if let Err(err) = tcp.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {err}");
        }
        let Some(tls) = &self.tls else {
            return Some((Connection::Plain(tcp), peer));
        };
        let acceptor = TlsAcceptor::from(tls.current());
        self.handshakes.spawn(handshake(acceptor, tcp, peer));
        None
    }
}

async fn handshake(acceptor: TlsAcceptor, tcp: TcpStream, peer: SocketAddr) -> Option<Accepted> {
    let limit = Duration::from_millis(HANDSHAKE_MS_MAX);
    match tokio::time::timeout(limit, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => Some((Connection::Tls(Box::new(tls)), peer)),
        // Whoever only looks whether the port is open says nothing.
        Ok(Err(err)) if err.kind() == io::ErrorKind::UnexpectedEof => None,
        Ok(Err(err)) => {
            tracing::info!("no TLS with {peer}: {err}");
            None
        }
        Err(_) => {
            tracing::info!("no TLS with {peer}: it took more than {HANDSHAKE_MS_MAX} ms");
            None
        }
    }
}

async fn pause_after(err: io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    // These are of one client, which has gone.
    if !matches!(
        err.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!("cannot accept connections: {err}");
        tokio::time::sleep(Duration::from_millis(ERROR_PAUSE_MS)).await;
    }
}
