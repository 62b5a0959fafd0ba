//! Sends HTTP/1.1 requests over kept connections, each after the answer to the one before. A
//! request costs as little as possible, since the load shares its processors with what it measures.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The result of one round.
#[derive(Debug, Default)]
pub(in crate::bench) struct Load {
    pub(in crate::bench) requests: u64,
    pub(in crate::bench) seconds: f64,
    /// The times of all requests in microseconds, sorted.
    micros: Vec<u32>,
}

impl Load {
    /// The time that a share of the requests did not exceed, in milliseconds.
    pub(in crate::bench) fn percentile_ms(&self, share: f64) -> f64 {
        percentile_ms(&self.micros, share)
    }
}

/// The time that a share of the requests did not exceed, in milliseconds.
pub(in crate::bench) fn percentile_ms(sorted_micros: &[u32], share: f64) -> f64 {
    let last = sorted_micros.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    let micros = sorted_micros.get(index);
    micros.map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
}

/// What is asked for over and over.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Asked {
    pub(in crate::bench) path: String,
    /// Header lines, each with its end.
    pub(in crate::bench) headers: String,
    /// Any other answer is an error.
    pub(in crate::bench) status: u16,
}

/// Sends the same request over and over.
pub(in crate::bench) async fn run(
    address: &str,
    asked: &Asked,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Load> {
    let Asked { path, headers, .. } = asked;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n");
    let status = asked.status;
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (address, request) = (address.to_owned(), request.clone());
        clients.spawn(async move {
            client(&address, request.as_bytes(), status, started + length).await
        });
    }
    let mut load = Load::default();
    while let Some(micros) = clients.join_next().await {
        load.micros.extend(micros??);
    }
    load.seconds = started.elapsed().as_secs_f64();
    load.requests = load.micros.len() as u64;
    load.micros.sort_unstable();
    Ok(load)
}

async fn client(
    address: &str,
    request: &[u8],
    status: u16,
    until: Instant,
) -> anyhow::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(HEAD_BYTES_MAX);
    let mut micros = Vec::new();
    while Instant::now() < until {
        let sent = Instant::now();
        stream.write_all(request).await?;
        let answered = read_answer(&mut stream, &mut buffer).await?;
        if answered != status {
            bail!("answer {answered} where {status} was expected");
        }
        micros.push(micros_since(sent));
    }
    Ok(micros)
}

/// The time since a request was sent, in microseconds.
pub(in crate::bench) fn micros_since(sent: Instant) -> u32 {
    u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Reads one answer that states its length, and drops all but its status.
pub(in crate::bench) async fn read_answer(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> anyhow::Result<u16> {
    buffer.clear();
    let mut status = 0;
    let mut wanted = None;
    loop {
        if let Some(wanted) = wanted
            && buffer.len() >= wanted
        {
            return Ok(status);
        }
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        if wanted.is_none()
            && let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n")
        {
            let (told, length) = status_and_length(&buffer[..head])?;
            status = told;
            wanted = Some(head + 4 + length);
        }
        if wanted.is_none() && buffer.len() > HEAD_BYTES_MAX {
            bail!("the head of the answer is too long");
        }
    }
}

fn status_and_length(head: &[u8]) -> anyhow::Result<(u16, usize)> {
    let head = str::from_utf8(head).context("the head is not text")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    let status: u16 = status.parse().context("the answer has no status")?;
    if status == 304 {
        return Ok((status, 0));
    }
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.context("the answer does not state its length")?;
    Ok((status, length.trim().parse()?))
}
