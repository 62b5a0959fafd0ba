//! Measures how soon a write is found: from the answer 201 to the first keyword search that shows
//! the product, both over HTTP, at a steady rate of writes. Only some of the writes are searched
//! for, so that the searches do not become the load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::bench::statistics::percentile;
use crate::cluster::Cluster;

/// The rates to measure, in writes a second.
const RATES: [u32; 3] = [10, 100, 500];
const PROBES_PER_SECOND_MAX: u32 = 25;
const LOOK_EVERY_MS: u64 = 2;
const FOUND_SECONDS_MAX: u64 = 30;
/// The most requests in flight: a service that cannot hold the rate is measured at the rate that it
/// can.
const WRITES_IN_FLIGHT_MAX: usize = 64;

/// The figures at one rate.
#[derive(Debug, Serialize)]
pub(super) struct Freshness {
    pub(super) writes_per_second_asked: u32,
    pub(super) writes_per_second: f64,
    pub(super) probes: usize,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    max_ms: f64,
}

pub(super) async fn measure(cluster: &Cluster, seconds: u64) -> anyhow::Result<Vec<Freshness>> {
    let client = reqwest::Client::new();
    let mut measured = Vec::new();
    for rate in RATES {
        eprintln!("freshness: {rate} writes/s for {seconds} s");
        let writer = Writer {
            client: client.clone(),
            http: cluster.http(),
            run: (0..6).map(|_| fastrand::lowercase()).collect(),
        };
        measured.push(at_rate(Arc::new(writer), rate, seconds).await?);
    }
    Ok(measured)
}

struct Writer {
    client: reqwest::Client,
    http: String,
    /// Letters that make ids and words of one run differ from those of any other.
    run: String,
}

/// Writes at even intervals, whether or not earlier writes have been answered.
async fn at_rate(writer: Arc<Writer>, rate: u32, seconds: u64) -> anyhow::Result<Freshness> {
    let places = Arc::new(Semaphore::new(WRITES_IN_FLIGHT_MAX));
    let probe_every = rate.div_ceil(PROBES_PER_SECOND_MAX);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    let count = u64::from(rate) * seconds;
    for number in 0..count {
        ticks.tick().await;
        let place = Arc::clone(&places).acquire_owned().await?;
        let writer = Arc::clone(&writer);
        let probes = number % u64::from(probe_every) == 0;
        tasks.spawn(async move {
            writer.create(number).await?;
            let written = Instant::now();
            drop(place);
            if probes {
                writer.find(number, written).await.map(Some)
            } else {
                Ok(None)
            }
        });
    }
    let elapsed = started.elapsed();
    let mut millis = Vec::new();
    while let Some(done) = tasks.join_next().await {
        millis.extend(done??);
    }
    millis.sort_by(f64::total_cmp);
    Ok(Freshness {
        writes_per_second_asked: rate,
        writes_per_second: count as f64 / elapsed.as_secs_f64(),
        probes: millis.len(),
        p50_ms: percentile(&millis, 0.50),
        p99_ms: percentile(&millis, 0.99),
        max_ms: percentile(&millis, 1.0),
    })
}

impl Writer {
    /// A word that no other product has.
    fn word(&self, number: u64) -> String {
        format!("zq{}{number}", self.run)
    }

    async fn create(&self, number: u64) -> anyhow::Result<()> {
        let word = self.word(number);
        let product = json!({
            "id": format!("fresh-{word}"),
            "title": format!("Freshly written {word} desk lamp, walnut"),
            "description": "Written to see how soon it is found by its words.",
            "price": "19.90",
            "currency": "USD",
            "brand": "Lumeno",
        });
        let answer = self
            .client
            .post(format!("{}/api/products", self.http))
            .json(&product)
            .send()
            .await?;
        if answer.status() != reqwest::StatusCode::CREATED {
            bail!("a write was answered {}", answer.status());
        }
        Ok(())
    }

    /// Searches until the product is found; returns the milliseconds since `written`.
    async fn find(&self, number: u64, written: Instant) -> anyhow::Result<f64> {
        let word = self.word(number);
        let url = format!(
            "{}/api/products/search?strategy=keyword&limit=1&untracked=true&q={word}",
            self.http
        );
        loop {
            let answer: serde_json::Value = self.client.get(&url).send().await?.json().await?;
            let items = answer["items"]
                .as_array()
                .context("an answer of no items")?;
            if !items.is_empty() {
                return Ok(written.elapsed().as_secs_f64() * 1_000.0);
            }
            if written.elapsed() > Duration::from_secs(FOUND_SECONDS_MAX) {
                bail!("{word} was not found within {FOUND_SECONDS_MAX} s of its write");
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
    }
}
