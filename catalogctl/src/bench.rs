//! `catalogctl bench`: what this machine makes of the catalog, each figure beside the limit measured
//! in the same run. Nothing here is tuned to a target; rounds alternate between us and the limit, so
//! that both see the same noise, and medians are printed.

mod load;
mod peer;
mod process;
mod reads;
mod imports;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use crate::bench::table::Table;
use crate::cluster::{Cluster, Part};
use crate::feed::{self, Mapping, MappingArgs, Rows, Source};
use crate::output;
use crate::{import, sample};

pub(crate) use crate::bench::peer::{PeerArgs, command as peer};

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
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
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

const PRODUCTS_TO_READ: u64 = 100;

/// All figures of a run.
#[derive(Debug, Serialize)]
struct Figures {
    machine: process::Machine,
    import: imports::ImportFigures,
    memory: Vec<process::Memory>,
    get: reads::GetFigures,
}

pub(crate) async fn command(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let catalogctl = std::env::current_exe().context("cannot find this program's own file")?;
    if cfg!(debug_assertions) {
        eprintln!("note: this is a development build; `cargo build --profile dist` measures more");
    }
    eprintln!("starting Postgres, NATS and the three services as processes of their own");
    let cluster = Cluster::start(&catalogctl, false).await?;
    // Reads first, of a small catalogue: behind an import the model would work beside them.
    imports::fill(&cluster, PRODUCTS_TO_READ).await?;
    let get = reads::measure(&cluster, &catalogctl, &args).await?;
    let import = imports::measure(&cluster, || rows(&args)).await?;
    let memory = process::memory(&cluster)?;
    let figures = Figures {
        machine: process::Machine::read(),
        import,
        memory,
        get,
    };
    if args.json {
        output::json(&figures)?;
    } else {
        output::line(&figures.table().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
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

impl Figures {
    fn table(&self) -> Table {
        let Figures {
            machine,
            import,
            memory,
            get,
        } = self;
        let mut table = Table::new(&machine.to_string());
        let per_second = |rate: f64, what: &str| format!("{rate:.0} {what}/s");
        table.row(
            "import, file to keyword-searchable",
            &per_second(import.searchable_per_second, "products"),
            &per_second(import.bare_postgres_per_second, "rows"),
            "bare inserts of the same rows into one table",
            import.searchable_per_second / import.bare_postgres_per_second,
        );
        table.row(
            "GET /api/products/ID, requests",
            &per_second(get.ours.requests_per_second, "requests"),
            &per_second(get.limit.requests_per_second, "requests"),
            "bare axum → tonic pass-through of the same bytes",
            get.ours.requests_per_second / get.limit.requests_per_second,
        );
        table.row(
            "GET, processor time a request",
            &format!("{:.0} µs", get.ours.cpu_micros_per_request),
            &format!("{:.0} µs", get.limit.cpu_micros_per_request),
            "both processes of each side",
            get.ours.cpu_micros_per_request / get.limit.cpu_micros_per_request,
        );
        let times = |side: &reads::Side| format!("{:.2} / {:.2} ms", side.p50_ms, side.p99_ms);
        table.row(
            "GET, p50 / p99",
            &times(&get.ours),
            &times(&get.limit),
            "",
            get.ours.p50_ms / get.limit.p50_ms,
        );
        for one in memory {
            let figure = format!("{:.0} MB (peak {:.0} MB)", one.resident_mb, one.peak_mb);
            let name = format!("memory of {} after the import", one.service);
            table.note(&name, &figure);
        }
        let embedded = format!("{} of {}", import.embedded_meanwhile, import.products);
        table.note("products embedded by then", &embedded);
        table
    }
}

/// The process of a service, while it runs.
fn pid(cluster: &Cluster, part: Part) -> anyhow::Result<u32> {
    cluster
        .pid(part)
        .with_context(|| format!("{} is not running", part.name()))
}

/// The one in the middle; of an even number, the lower of both.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}
