//! Measures an import from the first row until the last product is found by keyword, against bare
//! inserts of the same rows into one table of the same Postgres.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use catalog_proto::v1::GetReadStatusResponse;
use client_kit::feed::Rows;
use client_kit::import::{self, ImportOptions, Notice};
use client_kit::{Meter, ProductJson, Target, sample};
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, access};

const BATCH_ROWS: usize = 500;
const SEARCHABLE_SECONDS_MAX: u64 = 600;
/// The slowest rate, in products a second, at which a machine is not given up.
const SEARCHABLE_PER_SECOND_MIN: u64 = 500;
const EMBEDDED_PER_SECOND_MIN: u64 = 5;
/// The interval between two looks: a status counts through the whole index.
const EMBEDDED_LOOK_MS: u64 = 1_000;

#[derive(Debug, Serialize)]
pub(super) struct ImportFigures {
    pub(super) products: u64,
    accepted_per_second: f64,
    pub(super) searchable_per_second: f64,
    pub(super) bare_postgres_per_second: f64,
    /// How many products were embedded when the last one was searchable by keyword.
    pub(super) embedded_meanwhile: i64,
}

pub(super) async fn measure(
    cluster: &Cluster,
    rows: impl Fn() -> anyhow::Result<Rows>,
) -> anyhow::Result<ImportFigures> {
    eprintln!("bare inserts of the same rows");
    let bare_postgres_per_second = bare_inserts(cluster, rows()?).await?;
    let target = Target::command(&cluster.command_grpc()).with_access(access());
    let before = cluster.log_position().await?;
    let mut meter = Meter::new("import");
    let mut notice = |notice: Notice<'_>| {
        if let Notice::Progress(summary) = notice {
            meter.set(summary.rows, None, &format!("{} products", summary.rows));
        }
    };
    let started = Instant::now();
    let stop = CancellationToken::new();
    let options = ImportOptions::default();
    let (summary, result) = import::run(rows()?, &target, &options, stop, &mut notice).await;
    meter.clear();
    result?;
    if summary.rejected > 0 {
        bail!("{} rows were rejected", summary.rejected);
    }
    // The position is computed: the service may have committed the last events without a position
    // yet.
    let position = before + (summary.created + summary.updated) as i64;
    let status = cluster
        .caught_up(position, false, SEARCHABLE_SECONDS_MAX)
        .await?;
    let elapsed = started.elapsed();
    Ok(ImportFigures {
        products: summary.rows,
        accepted_per_second: summary.rows_per_second,
        searchable_per_second: rate(summary.rows, elapsed),
        bare_postgres_per_second,
        embedded_meanwhile: embedded(&status),
    })
}

/// Imports made-up products and waits until they are found by keyword and the model has embedded
/// `embedded` of them. Returns how many of those were embedded a second once nothing else was to be
/// done.
pub(super) async fn fill(
    cluster: &Cluster,
    products: u64,
    embedded: u64,
) -> anyhow::Result<Option<f64>> {
    let before = cluster.log_position().await?;
    let rows = import::rows(sample::products(products, sample::SEED_DEFAULT));
    let stop = CancellationToken::new();
    let target = Target::command(&cluster.command_grpc()).with_access(access());
    let options = ImportOptions::default();
    let (summary, result) = import::run(rows, &target, &options, stop, &mut |_| ()).await;
    result?;
    let position = before + (summary.created + summary.updated) as i64;
    let seconds_max = SEARCHABLE_SECONDS_MAX + products / SEARCHABLE_PER_SECOND_MIN;
    let status = cluster.caught_up(position, false, seconds_max).await?;
    if embedded == 0 {
        return Ok(None);
    }
    let (started, before) = (Instant::now(), self::embedded(&status));
    let seconds_max = SEARCHABLE_SECONDS_MAX + embedded / EMBEDDED_PER_SECOND_MIN;
    let mut meter = Meter::new("embedding");
    let done = loop {
        let done = self::embedded(&cluster.read_status().await?);
        if done.unsigned_abs() >= embedded {
            break done;
        }
        if started.elapsed().as_secs() > seconds_max {
            bail!("{done} of {embedded} products are embedded after {seconds_max} s");
        }
        meter.set(
            done.unsigned_abs(),
            Some(embedded),
            &format!("{done} products"),
        );
        tokio::time::sleep(Duration::from_millis(EMBEDDED_LOOK_MS)).await;
    };
    Ok(Some(rate(
        (done - before).unsigned_abs(),
        started.elapsed(),
    )))
}

pub(super) fn embedded(status: &GetReadStatusResponse) -> i64 {
    let mut projections = status.projections.iter();
    let embeddings = projections.find(|projection| projection.name == "embeddings");
    embeddings.map_or(0, |projection| projection.documents)
}

/// The rows a second when only one `jsonb` table has to be written.
async fn bare_inserts(cluster: &Cluster, rows: Rows) -> anyhow::Result<f64> {
    let url = cluster.devkit.database_url("bench_bare").await?;
    let mut db = PgConnection::connect(&url).await?;
    sqlx::raw_sql("CREATE TABLE bare (id text PRIMARY KEY, product jsonb NOT NULL)")
        .execute(&mut db)
        .await?;
    let mut count = 0;
    let started = Instant::now();
    let (mut ids, mut products) = (Vec::new(), Vec::new());
    let mut rows = rows.peekable();
    while let Some(row) = rows.next() {
        let row = row?
            .parsed
            .map_err(|mistake| anyhow::anyhow!("{}", mistake.reason))?;
        let product = row.and_then(|row| row.product).unwrap_or_default();
        products.push(serde_json::to_string(&ProductJson::from(&product)).context("JSON")?);
        ids.push(product.id);
        if ids.len() == BATCH_ROWS || rows.peek().is_none() {
            sqlx::query("INSERT INTO bare SELECT id, product::jsonb FROM unnest($1::text[], $2::text[]) AS new (id, product)")
                .bind(&ids)
                .bind(&products)
                .execute(&mut db)
                .await?;
            count += ids.len() as u64;
            ids.clear();
            products.clear();
        }
    }
    Ok(rate(count, started.elapsed()))
}

fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(0.001)
}
