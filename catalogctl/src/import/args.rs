//! The options of `catalogctl import`.

use std::path::PathBuf;

use client_kit::feed::{FormArgs, MappingArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// JSON, CSV, XML or a spreadsheet, plain or packed with gzip, zstd or zip: a file, a URL of http or
    /// https, or `-` for standard input
    pub(super) file: PathBuf,
    /// Products in one transaction of the write service
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) batch: u16,
    /// Says field by field what the import would change, and changes nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Reads and checks the feed, shows the first product and sends nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) check: bool,
    /// Looks at the columns and the first rows, says what each column would become and why, and prints the
    /// command that imports the feed so; writes nothing
    #[arg(long, conflicts_with_all = ["dry_run", "check", "delete_missing", "report", "rejects"])]
    pub(super) suggest: bool,
    /// Writes every rejected row to FILE as it stands in the feed, with the reason, to be mended and imported
    /// again: CSV for a table, else JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Writes the reason of every rejected row to FILE, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// Keeps in FILE how far the import has come, and goes on from there where it exists: a long import that
    /// was killed does not begin anew
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "check", "suggest"])]
    pub(super) resume: Option<PathBuf>,
    /// Deletes the products that the feed does not have, after all of it was imported: for feeds of the whole
    /// catalog
    #[arg(long, conflicts_with = "check")]
    pub(super) delete_missing: bool,
    /// The most products that --delete-missing may delete, in percent of all
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) delete_missing_max: u8,
    /// Gives up when the write service is away or silent for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) retry_seconds: u32,
    /// Prints the summary as one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) form: FormArgs,
    #[command(flatten)]
    pub(super) mapping: MappingArgs,
}
