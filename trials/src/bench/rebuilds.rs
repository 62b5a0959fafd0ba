//! Measures a rebuild of many generated events while clients read: time, peak memory, failed reads;
//! and its replay against a bare consumer of the same stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use catalog_events::STREAM;
use catalog_proto::v1::RebuildRequest;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::rebuild_progress::Phase;
use client_kit::Meter;
use futures_util::StreamExt as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::bench::imports;
use crate::bench::process::{self, pid};
use crate::cluster::{Cluster, Part, channel};

const READERS: usize = 2;
/// The interval between two reads: a reader is there to notice a failure, not to load the machine.
const READ_EVERY_MS: u64 = 10;
const PULL_MESSAGES_MAX: usize = 1_000;

#[derive(Debug, Serialize)]
pub(super) struct RebuildFigures {
    pub(super) events: u64,
    pub(super) seconds: f64,
    /// Events a second of the replay, into documents and keyword index both.
    pub(super) replayed_per_second: f64,
    pub(super) bare_consumer_per_second: f64,
    /// The peak memory of the query service while it rebuilt.
    pub(super) peak_mb: f64,
    pub(super) reads: u64,
    pub(super) failed_reads: u64,
}

pub(super) async fn measure(cluster: &Cluster, events: u64) -> anyhow::Result<RebuildFigures> {
    eprintln!("rebuild: {events} events are written first");
    imports::fill(cluster, events, 0).await?;
    let events = u64::try_from(cluster.log_position().await?)?;
    eprintln!("rebuild: a bare consumer reads {events} events");
    let bare_consumer_per_second = bare_consumer(cluster, events).await?;
    let query = pid(cluster, Part::Query)?;
    process::reset_peak(query)?;
    let readers = Readers::start(cluster);
    let started = Instant::now();
    let replay = rebuild(cluster).await?;
    let seconds = started.elapsed().as_secs_f64();
    let (reads, failed_reads) = readers.stop().await?;
    Ok(RebuildFigures {
        events,
        seconds,
        replayed_per_second: events as f64 / replay.as_secs_f64(),
        bare_consumer_per_second,
        peak_mb: process::peak_mb(query)?,
        reads,
        failed_reads,
    })
}

/// Rebuilds and tells how long the replay took, from the first progress to the first step after it.
async fn rebuild(cluster: &Cluster) -> anyhow::Result<Duration> {
    let mut operations = CatalogQueryOperationsClient::new(channel(&cluster.query_grpc()));
    let mut meter = Meter::new("rebuild");
    let started = Instant::now();
    let mut steps = operations.rebuild(RebuildRequest {}).await?.into_inner();
    let mut replay = None;
    while let Some(step) = steps.message().await? {
        match step.phase() {
            Phase::Unspecified => {}
            Phase::Replay => {
                let (done, total) = (step.done.max(0) as u64, step.total.max(0) as u64);
                meter.set(done, Some(total), &format!("{done} of {total} events"));
            }
            Phase::Embed | Phase::Compare => {
                replay.get_or_insert_with(|| started.elapsed());
            }
            Phase::Switched => {
                return replay.context("a rebuild without a replay");
            }
        }
    }
    bail!("the rebuild ended without a switch")
}

/// Events a second of a consumer that does nothing with them.
async fn bare_consumer(cluster: &Cluster, events: u64) -> anyhow::Result<f64> {
    let client = catalog_events::connect("bench", &cluster.devkit.nats_url()).await?;
    let stream = jetstream::new(client).get_stream(STREAM).await?;
    let consumer: PullConsumer = stream
        .create_consumer(pull::Config {
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        })
        .await?;
    let started = Instant::now();
    let stream = consumer.stream().max_messages_per_batch(PULL_MESSAGES_MAX);
    let mut messages = stream.messages().await?;
    for _ in 0..events {
        messages.next().await.context("the stream ended")??;
    }
    Ok(events as f64 / started.elapsed().as_secs_f64())
}

/// Fails unless the answer is a success; the error holds what the BFF said.
async fn ok(answer: reqwest::Result<reqwest::Response>) -> anyhow::Result<()> {
    let answer = answer?;
    let status = answer.status();
    let body = answer.text().await?;
    anyhow::ensure!(status.is_success(), "{status} {body}");
    Ok(())
}

/// Clients that get and search the whole time.
struct Readers {
    stop: CancellationToken,
    reads: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    tasks: tokio::task::JoinSet<()>,
}

impl Readers {
    fn start(cluster: &Cluster) -> Self {
        let mut readers = Self {
            stop: CancellationToken::new(),
            reads: Arc::default(),
            failed: Arc::default(),
            tasks: tokio::task::JoinSet::new(),
        };
        let client = reqwest::Client::new();
        let started = Instant::now();
        for _ in 0..READERS {
            let (client, http) = (client.clone(), cluster.http());
            let (reads, failed) = (readers.reads.clone(), readers.failed.clone());
            let stop = readers.stop.clone();
            readers.tasks.spawn(async move {
                let paths = [
                    "/api/products/search?strategy=keyword&q=wireless+mouse&untracked=true",
                    "/api/products/sample-000001",
                    "/api/products/search?q=desk+lamp&untracked=true",
                ];
                for path in paths.iter().cycle() {
                    if stop.is_cancelled() {
                        return;
                    }
                    let asked = Instant::now();
                    let answer = client.get(format!("{http}{path}")).send().await;
                    reads.fetch_add(1, Ordering::Relaxed);
                    if let Err(err) = ok(answer).await {
                        let (at, took) = (started.elapsed(), asked.elapsed());
                        eprintln!("rebuild: at {at:.1?} {path} failed after {took:.0?}: {err:#}");
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(READ_EVERY_MS)).await;
                }
            });
        }
        readers
    }

    /// Ends the clients; returns the number of reads and how many of them failed.
    async fn stop(mut self) -> anyhow::Result<(u64, u64)> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Ok((load(&self.reads), load(&self.failed)))
    }
}
