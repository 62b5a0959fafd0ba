//! `catalogctl bench`: measures the catalog on this machine, each figure beside the limit measured
//! in the same run. Nothing here is tuned to a target; rounds alternate between us and the limit,
//! so that both see the same noise, and medians are printed.

mod args;
mod statistics;
mod database;
mod process;
mod reads;
mod overload;
mod searches;
mod completions;
mod footprint;
mod imports;
mod freshness;
mod writes;
mod rebuilds;
mod figures;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use client_kit::feed::{self, Mapping, Rows, Source};
use client_kit::{import, output, sample};

use crate::bench::args::Measured;
use crate::bench::figures::Figures;
use crate::cluster::{Cluster, ClusterOptions};

pub use crate::bench::args::BenchArgs;
pub use crate::bench::reads::peer::{PeerArgs, command as peer};

const PRODUCTS_TO_READ: u64 = 100;
const EMBEDDED_PRODUCTS_MAX: u64 = 20_000;

pub async fn command(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let catalogctl = std::env::current_exe().context("cannot find this program's own file")?;
    if cfg!(debug_assertions) {
        eprintln!("note: this is a development build; `cargo build --profile dist` measures more");
    }
    eprintln!("starting Postgres, NATS and the three services as processes of their own");
    let mut figures = Figures::new();
    let apart = |part: &Measured| {
        matches!(
            part,
            Measured::Rebuild | Measured::Search | Measured::Overload
        )
    };
    if !args.only.iter().all(apart) || args.only.is_empty() {
        let cluster = Cluster::start(&catalogctl, false).await?;
        measure(&cluster, &catalogctl, &args, &mut figures).await?;
    }
    if args.measures(Measured::Search) {
        search(&catalogctl, &args, &mut figures).await?;
    }
    if args.measures(Measured::Overload) {
        let cluster = Cluster::start_with(&catalogctl, ClusterOptions::default()).await?;
        figures.overloads = overload::measure(&cluster, &args).await?;
    }
    if args.measures(Measured::Rebuild) {
        // The model is left out: its work would take hours for a million products, and a rebuild
        // does not wait for it when the texts are the same.
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

/// Measures searches in a catalog of their own, whose products are fully indexed before the first
/// search.
async fn search(catalogctl: &Path, args: &BenchArgs, figures: &mut Figures) -> anyhow::Result<()> {
    let products = args.search_products;
    let embedded = products.min(EMBEDDED_PRODUCTS_MAX);
    let mut cluster = Cluster::start(catalogctl, false).await?;
    eprintln!("searches: {products} products, and the vectors of {embedded}, 5,000 a minute");
    figures.embedded_per_second = imports::fill(&cluster, products, embedded).await?;
    if embedded < products {
        searches::mixed_vectors::fill(&mut cluster, products).await?;
    }
    let length = Duration::from_secs(args.seconds);
    figures.completions = Some(completions::measure(&cluster, products, length).await?);
    figures.searches = searches::measure(&cluster, products, args.rounds, args.seconds).await?;
    figures.hybrid_beyond_slowest_leg_ms = searches::beyond_slowest_leg_ms(&figures.searches);
    figures.footprint = Some(footprint::measure(&cluster, products).await?);
    Ok(())
}

/// Measures the rest. Reads come first and from a small catalog, because the model would work
/// beside them after an import.
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
