//! `catalogctl bench`: what this machine makes of the catalog, each figure beside the limit measured
//! in the same run. Nothing here is tuned to a target; rounds alternate between us and the limit, so
//! that both see the same noise, and medians are printed.

mod load;
mod peer;
mod process;
mod reads;
mod searches;
mod mixed_vectors;
mod completions;
mod footprint;
mod imports;
mod freshness;
mod writes;
mod rebuilds;
mod figures;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use client_kit::feed::{self, Mapping, MappingArgs, Rows, Source};
use client_kit::{import, output, sample};
use sqlx::{Connection as _, PgConnection};

use crate::bench::figures::Figures;
use crate::cluster::{Cluster, ClusterOptions, Part};

pub use crate::bench::peer::{PeerArgs, command as peer};

#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Made-up products to import
    #[arg(long, value_name = "N", default_value_t = 19_406)]
    products: u64,
    /// Imports this feed instead of made-up products
    #[arg(long, value_name = "FILE")]
    feed: Option<PathBuf>,
    #[command(flatten)]
    mapping: MappingArgs,
    /// Length of one round of reads
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    seconds: u64,
    /// Rounds of reads, each once for us and once for the limit
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Connections that read at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    connections: usize,
    /// Length of the writes at one rate or with one number of clients
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    write_seconds: u64,
    /// Made-up products to search; the vectors of the first 20,000 are computed, those of the others
    /// are mixed from them
    #[arg(long, value_name = "N", default_value_t = 19_406, value_parser = clap::value_parser!(u64).range(1..))]
    search_products: u64,
    /// Made-up events to rebuild the read models from
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rebuild_events: u64,
    /// Measures only these
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Measured>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

/// What can be measured on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Measured {
    /// Reads through the BFF
    Get,
    /// Single writes with one and with many clients
    Writes,
    /// From a write to the first search that finds it
    Freshness,
    /// A bulk import until it is searchable, and memory after it
    Import,
    /// Searches, beside SQL over the same products
    Search,
    /// A rebuild while clients read
    Rebuild,
}

impl BenchArgs {
    fn measures(&self, part: Measured) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

const PRODUCTS_TO_READ: u64 = 100;
const EMBEDDED_PRODUCTS_MAX: u64 = 20_000;

pub async fn command(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let catalogctl = std::env::current_exe().context("cannot find this program's own file")?;
    if cfg!(debug_assertions) {
        eprintln!("note: this is a development build; `cargo build --profile dist` measures more");
    }
    eprintln!("starting Postgres, NATS and the three services as processes of their own");
    let mut figures = Figures::new();
    let apart = |part: &Measured| matches!(part, Measured::Rebuild | Measured::Search);
    if !args.only.iter().all(apart) || args.only.is_empty() {
        let cluster = Cluster::start(&catalogctl, false).await?;
        measure(&cluster, &catalogctl, &args, &mut figures).await?;
    }
    if args.measures(Measured::Search) {
        search(&catalogctl, &args, &mut figures).await?;
    }
    if args.measures(Measured::Rebuild) {
        // Without the model: its work would take hours for a million products, and is not what a
        // rebuild waits for when the texts are the same.
        let cluster = Cluster::start_with(&catalogctl, ClusterOptions::default()).await?;
        figures.rebuild = Some(rebuilds::measure(&cluster, args.rebuild_events).await?);
    }
    if args.json {
        output::json(&figures)?;
    } else {
        output::line(&figures.table().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A catalogue of its own, whose products have all they need before the first search.
async fn search(catalogctl: &Path, args: &BenchArgs, figures: &mut Figures) -> anyhow::Result<()> {
    let products = args.search_products;
    let embedded = products.min(EMBEDDED_PRODUCTS_MAX);
    let mut cluster = Cluster::start(catalogctl, false).await?;
    eprintln!("searches: {products} products, and the vectors of {embedded}, 5,000 a minute");
    figures.embedded_per_second = imports::fill(&cluster, products, embedded).await?;
    if embedded < products {
        mixed_vectors::fill(&mut cluster, products).await?;
    }
    let length = Duration::from_secs(args.seconds);
    figures.completions = Some(completions::measure(&cluster, products, length).await?);
    figures.searches = searches::measure(&cluster, products, args.rounds, args.seconds).await?;
    figures.hybrid_beyond_slowest_leg_ms = searches::beyond_slowest_leg_ms(&figures.searches);
    figures.footprint = Some(footprint::measure(&cluster, products).await?);
    Ok(())
}

/// Reads first, of a small catalogue: behind an import the model would work beside them.
async fn measure(
    cluster: &Cluster,
    catalogctl: &Path,
    args: &BenchArgs,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    imports::fill(cluster, PRODUCTS_TO_READ, PRODUCTS_TO_READ).await?;
    if args.measures(Measured::Get) {
        figures.get = Some(reads::measure(cluster, catalogctl, args).await?);
    }
    if args.measures(Measured::Freshness) {
        figures.freshness = freshness::measure(cluster, args.write_seconds).await?;
    }
    if args.measures(Measured::Writes) {
        figures.writes = writes::measure(cluster, args.rounds, args.write_seconds).await?;
    }
    if args.measures(Measured::Import) {
        figures.import = Some(imports::measure(cluster, || rows(args)).await?);
        figures.memory = process::memory(cluster)?;
    }
    Ok(())
}

fn rows(args: &BenchArgs) -> anyhow::Result<Rows> {
    match &args.feed {
        Some(file) => {
            let mapping = Mapping::new(args.mapping.clone())
                .map_err(|mistake| anyhow::anyhow!("{mistake}"))?;
            Ok(feed::rows(Source::open(file)?, None, mapping)?)
        }
        None => Ok(import::rows(sample::products(
            args.products,
            sample::SEED_DEFAULT,
        ))),
    }
}

/// The process of a service, while it runs.
fn pid(cluster: &Cluster, part: Part) -> anyhow::Result<u32> {
    cluster
        .pid(part)
        .with_context(|| format!("{} is not running", part.name()))
}

/// The database of the query service, and the schema of its live generation.
async fn live_generation(cluster: &Cluster) -> anyhow::Result<(PgConnection, String)> {
    let url = cluster
        .query_database_url()
        .context("no database of the query service")?;
    let mut db = PgConnection::connect(url).await?;
    let live: i64 = sqlx::query_scalar("SELECT id FROM generations WHERE state = 'live'")
        .fetch_one(&mut db)
        .await?;
    Ok((db, format!("generation_{live}")))
}

/// Does at once what Postgres would do by itself in the middle of what is measured.
async fn settle(db: &mut PgConnection) -> sqlx::Result<()> {
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        sqlx::raw_sql(statement).execute(&mut *db).await?;
    }
    Ok(())
}

/// The one in the middle; of an even number, the lower of both.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}

/// The value that a share of the sorted ones does not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let index = (last as f64 * share).ceil() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
