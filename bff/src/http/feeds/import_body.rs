//! The body of an import as a reader of bytes, for the thread that reads the feed. Invariant: memory is
//! bounded by a few parts of the body, however fast it comes.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

const AHEAD_PARTS: usize = 16;
/// The most bytes that are still read when nobody needs them: a client that is writing reads no answer.
const UNREAD_BYTES_MAX: u64 = 16 << 20;

/// How much a client may send and how slowly.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes_max: u64,
    /// The longest time between two parts.
    pub(super) silence_max: Duration,
}

/// Reads the body as it comes.
pub(super) struct ImportBody {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    part: Bytes,
    /// Why the body broke off, until a reader is told.
    broken: Option<io::Error>,
}

/// Makes a reader of a body. It must be read on a thread that may block.
pub(super) fn reader(body: Body, bounds: Bounds) -> ImportBody {
    let (sender, parts) = mpsc::channel(AHEAD_PARTS);
    tokio::spawn(pump(body, bounds, sender));
    ImportBody {
        parts,
        part: Bytes::new(),
        broken: None,
    }
}

async fn pump(body: Body, bounds: Bounds, parts: mpsc::Sender<io::Result<Bytes>>) {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut unread) = (0, 0);
    loop {
        let part = match tokio::time::timeout(bounds.silence_max, stream.next()).await {
            Ok(Some(Ok(part))) => part,
            Ok(None) => return,
            Ok(Some(Err(_))) => {
                let broken = io::ErrorKind::UnexpectedEof;
                let broken = io::Error::new(broken, "the body broke off or is malformed");
                return drop(parts.send(Err(broken)).await);
            }
            Err(_) => {
                let silent = io::Error::new(io::ErrorKind::TimedOut, "the body stopped coming");
                return drop(parts.send(Err(silent)).await);
            }
        };
        let length = part.len() as u64;
        bytes += length;
        if bytes > bounds.bytes_max {
            let detail = format!("the body is longer than {} bytes", bounds.bytes_max);
            let long = io::Error::new(io::ErrorKind::FileTooLarge, detail);
            let _ = parts.send(Err(long)).await;
            unread += length;
        } else if parts.send(Ok(part)).await.is_err() {
            unread += length;
        }
        if unread > UNREAD_BYTES_MAX {
            return;
        }
    }
}

/// What a client is told of a body that could not be read; none where the fault is not that of the body.
pub(super) fn status_of(err: &io::Error) -> Option<StatusCode> {
    match err.kind() {
        io::ErrorKind::FileTooLarge => Some(StatusCode::PAYLOAD_TOO_LARGE),
        io::ErrorKind::TimedOut => Some(StatusCode::REQUEST_TIMEOUT),
        io::ErrorKind::UnexpectedEof => Some(StatusCode::BAD_REQUEST),
        _ => None,
    }
}

impl ImportBody {
    /// Whether nothing comes any more. Waits for the next part.
    pub(super) fn is_empty(&mut self) -> bool {
        while self.part.is_empty() {
            match self.parts.blocking_recv() {
                Some(Ok(part)) => self.part = part,
                Some(Err(err)) => {
                    self.broken = Some(err);
                    return false;
                }
                None => return true,
            }
        }
        false
    }
}

impl Read for ImportBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.broken.is_none() && self.is_empty() {
            return Ok(0);
        }
        if let Some(err) = self.broken.take() {
            return Err(err);
        }
        let length = buffer.len().min(self.part.len());
        self.part.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
