//! The HTTP listener. Invariant: no client holds a connection by being slow. One bound limits the
//! time from the first byte of a request to the first byte of its answer, another the silence after
//! an answer.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::upstream::CONSISTENCY_WAIT;

/// Extra time beyond a request's own deadlines, so that these strike first and answer.
const MARGIN: Duration = Duration::from_secs(1);

pub(crate) struct Listener {
    inner: TcpListener,
    patience: Patience,
}

#[derive(Clone, Copy)]
struct Patience {
    idle: Duration,
    /// The time for the head, the body, and then the slowest handler.
    request: Duration,
}

impl Listener {
    pub(crate) async fn bind(config: &Config) -> io::Result<Self> {
        let slowest = config
            .write_deadline
            .max(config.get_deadline + CONSISTENCY_WAIT)
            .max(config.batch_deadline + CONSISTENCY_WAIT)
            .max(config.search_deadline + CONSISTENCY_WAIT);
        Ok(Self {
            inner: TcpListener::bind(config.http_addr).await?,
            patience: Patience {
                idle: config.idle_timeout,
                request: config.read_timeout * 2 + slowest + MARGIN,
            },
        })
    }

    pub(crate) fn addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = axum::serve::Listener::accept(&mut self.inner).await;
        if let Err(err) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {err}");
        }
        (Connection::new(stream, self.patience), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.addr()
    }
}

/// A stream that fails with `TimedOut` when its client runs out of time.
pub(crate) struct Connection {
    stream: TcpStream,
    patience: Patience,
    /// Whether bytes of a request have arrived and none of its answer have left.
    asking: bool,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    fn new(stream: TcpStream, patience: Patience) -> Self {
        Self {
            stream,
            patience,
            asking: true,
            deadline: Box::pin(tokio::time::sleep(patience.request)),
        }
    }

    fn set_asking(&mut self) {
        if !self.asking {
            self.asking = true;
            let late_at = Instant::now() + self.patience.request;
            self.deadline.as_mut().reset(late_at);
        }
    }

    /// An answer that goes on for long, such as a stream of events, is no silence.
    fn set_answering(&mut self) {
        self.asking = false;
        let silent_at = Instant::now() + self.patience.idle;
        self.deadline.as_mut().reset(silent_at);
    }

    /// Passes a result on, and turns waiting into an error when the time is up.
    fn unless_late<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => self
                .deadline
                .as_mut()
                .poll(cx)
                .map(|()| Err(io::ErrorKind::TimedOut.into())),
            ready => ready,
        }
    }

    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.set_answering();
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
            self.set_asking();
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
