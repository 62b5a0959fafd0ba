//! The HTTP listener. Invariant: no client holds a connection by being slow. One bound limits the
//! time from the first byte of a request to the first byte of its answer, another the silence after
//! what was last written. A handler that takes a long body bounds its parts itself, see [`Peer`]. With TLS, these
//! are bytes after decryption; a handshake has a bound of its own.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use service_kit::Alpn;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::upstream::CONSISTENCY_WAIT;

/// Extra time beyond a request's own deadlines, so that these strike first and answer.
const MARGIN: Duration = Duration::from_secs(1);

pub(crate) struct Listener {
    inner: service_kit::Listener,
    patience: Patience,
}

#[derive(Clone, Copy)]
struct Patience {
    idle: Duration,
    /// The time for the head, the body, and then the slowest handler.
    request: Duration,
}

impl Listener {
    pub(crate) async fn bind(config: &Config) -> anyhow::Result<Self> {
        let slowest = config
            .write_deadline
            .max(config.get_deadline + CONSISTENCY_WAIT)
            .max(config.batch_deadline + CONSISTENCY_WAIT)
            .max(config.search_deadline + CONSISTENCY_WAIT);
        Ok(Self {
            inner: service_kit::Listener::bind(config.http_addr, config.tls.as_ref(), Alpn::Http)
                .await?,
            patience: Patience {
                idle: config.idle_timeout,
                request: config.read_timeout * 2 + slowest + MARGIN,
            },
        })
    }

    pub(crate) fn addr(&self) -> io::Result<SocketAddr> {
        self.inner.addr()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = self.inner.accept().await;
        (Connection::new(stream, self.patience), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.addr()
    }
}

/// What handlers know of the connection that a request came by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// How many requests of the connection have bounds of their own.
    unhurried: Arc<AtomicUsize>,
}

impl Peer {
    /// Lifts the bounds of the connection for as long as the answer lives. The handler then bounds the
    /// time between the parts of the body.
    pub(crate) fn unhurried(&self) -> Unhurried {
        self.unhurried.fetch_add(1, Ordering::Relaxed);
        Unhurried(self.clone())
    }
}

/// A request with bounds of its own, until it is dropped.
#[derive(Debug)]
pub(crate) struct Unhurried(Peer);

impl Drop for Unhurried {
    fn drop(&mut self) {
        self.0.unhurried.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().peer.clone()
    }
}

/// A stream that fails with `TimedOut` when its client runs out of time.
pub(crate) struct Connection {
    stream: service_kit::Connection,
    patience: Patience,
    peer: Peer,
    /// Whether bytes of a request have arrived and none of its answer have left.
    asking: bool,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    fn new(stream: service_kit::Connection, patience: Patience) -> Self {
        Self {
            stream,
            patience,
            peer: Peer::default(),
            asking: true,
            deadline: Box::pin(tokio::time::sleep(patience.request)),
        }
    }

    fn asked(&mut self) {
        if !self.asking {
            self.asking = true;
            self.wait_for(self.patience.request);
        }
    }

    fn answered(&mut self) {
        self.asking = false;
        self.wait_for(self.patience.idle);
    }

    fn wait_for(&mut self, patience: Duration) {
        self.deadline.as_mut().reset(Instant::now() + patience);
    }

    /// Passes a result on, and turns waiting into an error when the time is up.
    fn unless_late<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            return result;
        }
        while self.deadline.as_mut().poll(cx).is_ready() {
            if self.peer.unhurried.load(Ordering::Relaxed) == 0 {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.wait_for(self.patience.idle);
        }
        Poll::Pending
    }

    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.answered();
        }
        self.unless_late(cx, result)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.asked();
        }
        self.unless_late(cx, result)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
