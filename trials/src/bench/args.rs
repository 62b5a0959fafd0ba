//! The options of a benchmark.

use std::path::PathBuf;

use client_kit::feed::MappingArgs;

#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Made-up products to import
    #[arg(long, value_name = "N", default_value_t = 19_406)]
    pub(super) products: u64,
    /// Imports this feed instead of made-up products
    #[arg(long, value_name = "FILE")]
    pub(super) feed: Option<PathBuf>,
    #[command(flatten)]
    pub(super) mapping: MappingArgs,
    /// Length of one round of reads
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub(super) seconds: u64,
    /// Rounds of reads, each once for us and once for the limit
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) rounds: usize,
    /// Connections that read at once
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) connections: usize,
    /// Length of the writes at one rate or with one number of clients
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(super) write_seconds: u64,
    /// Made-up products to search; the vectors of the first 20,000 are computed, those of the others
    /// are mixed from them
    #[arg(long, value_name = "N", default_value_t = 19_406, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) search_products: u64,
    /// Made-up events to rebuild the read models from
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(super) rebuild_events: u64,
    /// Measures only these
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub(super) only: Vec<Measured>,
    /// Prints one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// A part that can be measured on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Measured {
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
    /// Four times as many requests as can be answered
    Overload,
    /// A rebuild while clients read
    Rebuild,
}

impl BenchArgs {
    pub(super) fn measures(&self, part: Measured) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
