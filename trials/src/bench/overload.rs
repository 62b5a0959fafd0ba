//! Asks four times as much as can be answered: what is accepted must be about as quick as without load, and
//! the rest must hear so soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use client_kit::sample;
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::bench::args::BenchArgs;
use crate::bench::imports;
use crate::bench::process::{Memory, memory_of, pid, reset_peak};
use crate::bench::reads::any_product;
use crate::bench::reads::load::{micros_since, percentile_ms, read_answer};
use crate::bench::statistics::median;
use crate::cluster::{Cluster, Part};

const PRODUCTS: u64 = 19_406;
const QUERIES: u64 = 500;
/// Enough to find out how much can be answered, and few enough that none is refused.
const CAPACITY_CLIENTS: usize = 16;
/// Each holds one request at a time, so that there are more than can wait.
const OVERLOAD_CLIENTS: usize = 512;
const TIMES: f64 = 4.0;
/// How long the overload lasts before it is measured.
const WARM_UP_S: u64 = 2;

/// Medians over the rounds for one kind of request.
#[derive(Debug, Serialize)]
pub(super) struct OverloadFigures {
    pub(super) asked: &'static str,
    pub(super) alone_p99_ms: f64,
    pub(super) capacity_per_second: f64,
    /// What was sent, which may be less than what was meant to be.
    pub(super) offered_per_second: f64,
    pub(super) accepted_per_second: f64,
    pub(super) accepted_p99_ms: f64,
    pub(super) refused_per_second: f64,
    pub(super) refused_p99_ms: f64,
    pub(super) bff: Memory,
    pub(super) query: Memory,
}

/// The answers of one round.
#[derive(Debug, Default)]
struct Round {
    seconds: f64,
    /// The times in microseconds, sorted.
    accepted: Vec<u32>,
    refused: Vec<u32>,
}

/// How requests are sent.
#[derive(Clone, Copy)]
enum Pace {
    /// Each client sends its next request after the answer to the one before.
    Steady,
    /// So many a second by all clients together.
    PerSecond(f64),
}

pub(super) async fn measure(
    cluster: &Cluster,
    args: &BenchArgs,
) -> anyhow::Result<Vec<OverloadFigures>> {
    imports::fill(cluster, PRODUCTS, 0).await?;
    let product = any_product(cluster).await?;
    let kinds = [
        ("searches by words", searches()),
        (
            "reads of a product",
            vec![format!("/api/products/{}", product.id)],
        ),
    ];
    let mut figures = Vec::new();
    for (asked, paths) in kinds {
        figures.push(measure_kind(cluster, args, asked, &paths).await?);
    }
    Ok(figures)
}

async fn measure_kind(
    cluster: &Cluster,
    args: &BenchArgs,
    asked: &'static str,
    paths: &[String],
) -> anyhow::Result<OverloadFigures> {
    let address = cluster.http().trim_start_matches("http://").to_owned();
    let request = |path: &String| format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let requests: Arc<[String]> = paths.iter().map(request).collect();
    let length = Duration::from_secs(args.seconds);
    let ask = async |clients, pace, length| {
        round(&address, Arc::clone(&requests), clients, pace, length).await
    };
    ask(CAPACITY_CLIENTS, Pace::Steady, length).await?;
    for part in [Part::Bff, Part::Query] {
        reset_peak(pid(cluster, part)?)?;
    }
    let (mut alone, mut capacity, mut overload) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=args.rounds {
        eprintln!("overload, {asked}: round {number} of {}", args.rounds);
        alone.push(ask(1, Pace::Steady, length).await?);
        let able = ask(CAPACITY_CLIENTS, Pace::Steady, length).await?;
        let pace = Pace::PerSecond(able.per_second(&able.accepted) * TIMES);
        capacity.push(able);
        let warm_up = Duration::from_secs(WARM_UP_S);
        ask(OVERLOAD_CLIENTS, pace, warm_up).await?;
        overload.push(ask(OVERLOAD_CLIENTS, pace, length).await?);
    }
    let over = |rounds: &[Round], figure: &dyn Fn(&Round) -> f64| {
        median(rounds.iter().map(figure).collect())
    };
    Ok(OverloadFigures {
        asked,
        alone_p99_ms: over(&alone, &|one| percentile_ms(&one.accepted, 0.99)),
        capacity_per_second: over(&capacity, &|one| one.per_second(&one.accepted)),
        offered_per_second: over(&overload, &|one| {
            one.per_second(&one.accepted) + one.per_second(&one.refused)
        }),
        accepted_per_second: over(&overload, &|one| one.per_second(&one.accepted)),
        accepted_p99_ms: over(&overload, &|one| percentile_ms(&one.accepted, 0.99)),
        refused_per_second: over(&overload, &|one| one.per_second(&one.refused)),
        refused_p99_ms: over(&overload, &|one| percentile_ms(&one.refused, 0.99)),
        bff: memory_of(cluster, Part::Bff)?,
        query: memory_of(cluster, Part::Query)?,
    })
}

fn searches() -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(7);
    let words = (0..QUERIES).map(|_| {
        let number = random.u64(1..=PRODUCTS);
        let title = sample::product(number, sample::SEED_DEFAULT).title;
        let words: Vec<String> = title
            .split(|one: char| !one.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let start = random.usize(0..words.len().saturating_sub(1).max(1));
        words[start..words.len().min(start + 2)].join("+")
    });
    let path = |words| format!("/api/products/search?q={words}&strategy=keyword&limit=20");
    words.map(path).collect()
}

impl Round {
    fn per_second(&self, times: &[u32]) -> f64 {
        times.len() as f64 / self.seconds
    }
}

async fn round(
    address: &str,
    requests: Arc<[String]>,
    clients: usize,
    pace: Pace,
    length: Duration,
) -> anyhow::Result<Round> {
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut set = JoinSet::new();
    for _ in 0..clients {
        let (address, requests, next) =
            (address.to_owned(), Arc::clone(&requests), Arc::clone(&next));
        set.spawn(async move { client(&address, &requests, &next, pace, started, length).await });
    }
    let mut round = Round::default();
    while let Some(of_client) = set.join_next().await {
        let of_client = of_client??;
        round.accepted.extend(of_client.accepted);
        round.refused.extend(of_client.refused);
    }
    round.seconds = started.elapsed().as_secs_f64();
    round.accepted.sort_unstable();
    round.refused.sort_unstable();
    Ok(round)
}

/// Sends requests in their order, each when it is due, and a late one at once.
async fn client(
    address: &str,
    requests: &[String],
    next: &AtomicU64,
    pace: Pace,
    started: Instant,
    length: Duration,
) -> anyhow::Result<Round> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut round = Round::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if let Pace::PerSecond(rate) = pace {
            let due = started + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(due.min(started + length).into()).await;
        }
        if started.elapsed() >= length {
            return Ok(round);
        }
        let request = &requests[number as usize % requests.len()];
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        match read_answer(&mut stream, &mut buffer).await? {
            200 => round.accepted.push(micros_since(sent)),
            429 | 503 => round.refused.push(micros_since(sent)),
            other => bail!("answer {other} under load"),
        }
    }
}
