//! A TCP proxy between services and what they depend on, whose connections go wrong on demand.
//! Faults are switched while connections are open. Invariant: bytes are delayed, or lost together
//! with their connection, but never reordered or changed, as TCP promises.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const CHUNK_BYTES: usize = 16 * 1024;
/// How long to wait before a port that was given up for a while is tried again.
const REBIND_EVERY_MS: u64 = 20;
/// One chunk in this many ends its connection while connections are reset.
const RESET_ONE_IN: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFault {
    Delay {
        ms: u64,
        jitter_ms: u64,
    },
    /// Nothing flows until the fault ends; then everything does.
    Stall,
    /// Bytes vanish. A connection that lost some is reset afterwards, as TCP would find out.
    HalfOpen,
    Reset,
    Refuse,
    Throttle {
        bytes_per_second: u64,
    },
}

/// A running proxy. It ends with this value, and so do its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    fault: Arc<watch::Sender<Option<LinkFault>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy from `port` on this machine to `upstream`, without a fault at first.
    pub async fn start(port: u16, upstream: SocketAddr) -> std::io::Result<Self> {
        let fault = Arc::new(watch::Sender::new(None));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let accepting = tokio::spawn(accept(listener, port, upstream, fault.clone()));
        Ok(Self {
            port,
            fault,
            accepting,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets the fault of open and new connections; none passes everything on.
    pub fn set(&self, fault: Option<LinkFault>) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set(Some(LinkFault::Reset));
    }
}

async fn accept(
    listener: TcpListener,
    port: u16,
    upstream: SocketAddr,
    faults: Arc<watch::Sender<Option<LinkFault>>>,
) {
    let mut listener = Some(listener);
    let mut fault = faults.subscribe();
    loop {
        let refuses = *fault.borrow_and_update() == Some(LinkFault::Refuse);
        if refuses {
            // Only a closed port refuses connections.
            listener = None;
            let _ = fault.changed().await;
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.ok();
            tokio::time::sleep(Duration::from_millis(REBIND_EVERY_MS)).await;
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(connection(client, upstream, faults.subscribe()));
                }
            }
            _ = fault.changed() => {}
        }
    }
}

/// How one direction of a connection ended.
#[derive(PartialEq)]
enum End {
    Closed,
    Reset,
}

async fn connection(
    mut client: TcpStream,
    upstream: SocketAddr,
    fault: watch::Receiver<Option<LinkFault>>,
) {
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    if both_ways(&mut client, &mut server, fault).await == End::Reset {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

async fn both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    fault: watch::Receiver<Option<LinkFault>>,
) -> End {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let mut there = std::pin::pin!(pump(from_client, to_server, fault.clone()));
    let mut back = std::pin::pin!(pump(from_server, to_client, fault));
    tokio::select! {
        end = &mut there => match end {
            End::Closed => back.await,
            End::Reset => End::Reset,
        },
        end = &mut back => match end {
            End::Closed => there.await,
            End::Reset => End::Reset,
        },
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut fault: watch::Receiver<Option<LinkFault>>,
) -> End {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut lost = false;
    loop {
        let now = *fault.borrow_and_update();
        if (lost && now != Some(LinkFault::HalfOpen)) || now == Some(LinkFault::Refuse) {
            return End::Reset;
        }
        let bytes = tokio::select! {
            bytes = from.read(&mut chunk) => match bytes {
                Ok(bytes) => bytes,
                Err(_) => return End::Reset,
            },
            changed = fault.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return End::Reset,
            },
        };
        match pass(bytes, &mut fault).await {
            Passed::On => {}
            Passed::Lost => {
                lost = true;
                if bytes == 0 {
                    // No more bytes will come to be lost, so this waits for the end of the fault.
                    let _ = fault.changed().await;
                }
                continue;
            }
            Passed::Reset => return End::Reset,
        }
        if bytes == 0 {
            let _ = to.shutdown().await;
            return End::Closed;
        }
        if to.write_all(&chunk[..bytes]).await.is_err() {
            return End::Reset;
        }
    }
}

enum Passed {
    On,
    Lost,
    Reset,
}

/// Applies the current fault to a chunk.
async fn pass(bytes: usize, fault: &mut watch::Receiver<Option<LinkFault>>) -> Passed {
    loop {
        let now = *fault.borrow_and_update();
        match now {
            None => return Passed::On,
            Some(LinkFault::Delay { ms, jitter_ms }) => {
                let ms = ms + fastrand::u64(0..=jitter_ms);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return Passed::On;
            }
            Some(LinkFault::Throttle { bytes_per_second }) => {
                let ms = bytes as u64 * 1_000 / bytes_per_second.max(1);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return Passed::On;
            }
            Some(LinkFault::Stall) => {
                if fault.changed().await.is_err() {
                    return Passed::Reset;
                }
            }
            Some(LinkFault::HalfOpen) => return Passed::Lost,
            Some(LinkFault::Reset) if fastrand::u32(..RESET_ONE_IN) > 0 => return Passed::On,
            Some(LinkFault::Reset | LinkFault::Refuse) => return Passed::Reset,
        }
    }
}

impl fmt::Display for LinkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkFault::Delay { ms, jitter_ms } => write!(f, "delay {ms}+{jitter_ms}ms"),
            LinkFault::Stall => f.write_str("stall"),
            LinkFault::HalfOpen => f.write_str("half-open"),
            LinkFault::Reset => f.write_str("reset"),
            LinkFault::Refuse => f.write_str("refuse"),
            LinkFault::Throttle { bytes_per_second } => {
                write!(f, "throttle {}kB/s", bytes_per_second / 1_000)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::cluster::ports::free_port;

    /// A server that answers every byte with the same byte.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let address = listener.local_addr().expect("address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn proxy() -> Proxy {
        let port = free_port().expect("port");
        Proxy::start(port, echo().await).await.expect("proxy")
    }

    async fn connect(proxy: &Proxy) -> std::io::Result<TcpStream> {
        TcpStream::connect(("127.0.0.1", proxy.port())).await
    }

    async fn ask(stream: &mut TcpStream) -> std::io::Result<u8> {
        stream.write_all(&[7]).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn passes_bytes_on_and_delays_them() {
        let proxy = proxy().await;
        let mut stream = connect(&proxy).await.expect("connect");
        assert_eq!(ask(&mut stream).await.expect("echo"), 7);
        proxy.set(Some(LinkFault::Delay {
            ms: 20,
            jitter_ms: 0,
        }));
        let started = std::time::Instant::now();
        assert_eq!(ask(&mut stream).await.expect("echo"), 7);
        assert!(started.elapsed() >= Duration::from_millis(40), "both ways");
    }

    #[tokio::test]
    async fn a_stalled_connection_goes_on_where_it_stopped() {
        let proxy = proxy().await;
        let mut stream = connect(&proxy).await.expect("connect");
        proxy.set(Some(LinkFault::Stall));
        stream.write_all(&[7]).await.expect("the kernel takes it");
        let early = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await;
        assert!(early.is_err(), "nothing flows");
        proxy.set(None);
        assert_eq!(stream.read_u8().await.expect("all flows"), 7);
    }

    #[tokio::test]
    async fn what_a_half_open_connection_loses_ends_it_later() {
        let proxy = proxy().await;
        let mut quiet = connect(&proxy).await.expect("connect");
        assert_eq!(ask(&mut quiet).await.expect("echo"), 7);
        let mut stream = connect(&proxy).await.expect("connect");
        proxy.set(Some(LinkFault::HalfOpen));
        stream.write_all(&[7]).await.expect("the kernel takes it");
        let early = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await;
        assert!(early.is_err(), "silence");
        proxy.set(None);
        let err = stream.read_u8().await.expect_err("bytes are missing");
        assert_eq!(err.kind(), ErrorKind::ConnectionReset);
        assert_eq!(ask(&mut quiet).await.expect("lost nothing"), 7);
    }

    #[tokio::test]
    async fn refuses_and_accepts_again() {
        let proxy = proxy().await;
        let mut stream = connect(&proxy).await.expect("connect");
        assert_eq!(ask(&mut stream).await.expect("echo"), 7);
        proxy.set(Some(LinkFault::Refuse));
        assert!(stream.read_u8().await.is_err(), "open connections end");
        let refused = until(&proxy, |stream| stream.is_err()).await;
        let kind = refused.expect_err("closed port").kind();
        assert_eq!(kind, ErrorKind::ConnectionRefused);
        proxy.set(None);
        let mut reopened = until(&proxy, |stream| stream.is_ok()).await.expect("open");
        assert_eq!(ask(&mut reopened).await.expect("echo"), 7);
    }

    async fn until(
        proxy: &Proxy,
        wanted: impl Fn(&std::io::Result<TcpStream>) -> bool,
    ) -> std::io::Result<TcpStream> {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        loop {
            let stream = connect(proxy).await;
            if wanted(&stream) || std::time::Instant::now() > deadline {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
