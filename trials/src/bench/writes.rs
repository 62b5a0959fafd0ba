//! Measures sustained single writes with one and with many clients, against bare inserts of the
//! same rows, one row a transaction, into one table of the same Postgres.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::{CreateProductRequest, ProductInput};
use client_kit::{ProductJson, sample};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::bench::statistics::median;
use crate::cluster::{Cluster, Part, channel};

const CLIENTS: [usize; 2] = [1, 16];

/// The figures with a number of clients, as medians over the rounds.
#[derive(Debug, Serialize)]
pub(super) struct WriteFigures {
    pub(super) clients: usize,
    /// True when the query service was paused, which shows what the write side can do by itself.
    pub(super) alone: bool,
    pub(super) ours_per_second: f64,
    pub(super) bare_postgres_per_second: f64,
}

/// Hands out rows that nobody has written yet.
struct Rows {
    next: AtomicU64,
    prefix: String,
}

impl Rows {
    fn next(&self) -> ProductInput {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut product = sample::product(number, sample::SEED_DEFAULT);
        product.id = format!("{}-{number}", self.prefix);
        product
    }
}

pub(super) async fn measure(
    cluster: &Cluster,
    rounds: usize,
    seconds: u64,
) -> anyhow::Result<Vec<WriteFigures>> {
    let bare = cluster.devkit.database_url("bench_bare_writes").await?;
    let mut db = PgConnection::connect(&bare).await?;
    sqlx::raw_sql("CREATE TABLE bare (id text PRIMARY KEY, product jsonb NOT NULL)")
        .execute(&mut db)
        .await?;
    let run: String = (0..6).map(|_| fastrand::lowercase()).collect();
    let rows = Arc::new(Rows {
        next: AtomicU64::new(1),
        prefix: format!("write-{run}"),
    });
    let length = Duration::from_secs(seconds);
    let mut figures = Vec::new();
    for (alone, clients) in [false, true].into_iter().flat_map(with_clients) {
        let (mut ours, mut limit) = (Vec::new(), Vec::new());
        for round in 1..=rounds {
            eprintln!("writes: {clients} clients, round {round} of {rounds}");
            let _paused = if alone {
                cluster.pause(Part::Query).await?
            } else {
                None
            };
            ours.push(our_writes(cluster, &rows, clients, length).await?);
            limit.push(bare_writes(&bare, &rows, clients, length).await?);
        }
        figures.push(WriteFigures {
            clients,
            alone,
            ours_per_second: median(ours),
            bare_postgres_per_second: median(limit),
        });
    }
    Ok(figures)
}

fn with_clients(alone: bool) -> impl Iterator<Item = (bool, usize)> {
    CLIENTS.into_iter().map(move |clients| (alone, clients))
}

async fn our_writes(
    cluster: &Cluster,
    rows: &Arc<Rows>,
    clients: usize,
    length: Duration,
) -> anyhow::Result<f64> {
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    for _ in 0..clients {
        let mut client = CatalogCommandServiceClient::new(channel(&cluster.command_grpc()));
        let rows = Arc::clone(rows);
        tasks.spawn(async move {
            let mut count = 0;
            while started.elapsed() < length {
                let request = CreateProductRequest {
                    product: Some(rows.next()),
                    ..CreateProductRequest::default()
                };
                client.create_product(request).await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    per_second(tasks, started).await
}

async fn bare_writes(
    url: &str,
    rows: &Arc<Rows>,
    clients: usize,
    length: Duration,
) -> anyhow::Result<f64> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(PgConnection::connect(url).await?);
    }
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    for mut db in connections {
        let rows = Arc::clone(rows);
        tasks.spawn(async move {
            let mut count = 0;
            while started.elapsed() < length {
                let product = rows.next();
                let json = serde_json::to_string(&ProductJson::from(&product)).context("JSON")?;
                sqlx::query("INSERT INTO bare VALUES ($1, $2::jsonb)")
                    .bind(&product.id)
                    .bind(json)
                    .execute(&mut db)
                    .await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    per_second(tasks, started).await
}

async fn per_second(
    mut tasks: JoinSet<anyhow::Result<u64>>,
    started: Instant,
) -> anyhow::Result<f64> {
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done??;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
