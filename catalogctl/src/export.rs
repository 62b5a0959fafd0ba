//! `catalogctl export`: the whole catalog out again, as it was at one position of the event log.

mod plan;
mod run;
mod output;
mod report;
mod proof;
mod partial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use client_kit::export::{ExportError, ExportFormat, Fields, Link, latest};

use crate::endpoints::EndpointArgs;
use crate::export::plan::{Plan, Status};
use crate::export::proof::Proof;
use crate::export::report::Report;
use crate::export::run::{Ended, Export};
use crate::import::stop_at_signal;

/// The exit code of a process that Ctrl-C ends.
const EXIT_INTERRUPTED: u8 = 130;
const EXIT_USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Where to write: .jsonl, .csv or .xml, with .gz or .zst compressed; `-` writes to standard output
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Default: as the file name says, else jsonl
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    /// The products as they were at this position of the event log [default: as they are]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    position: Option<i64>,
    /// Only products of exactly this brand
    #[arg(long, value_name = "NAME")]
    brand: Option<String>,
    /// Only products below this category: levels with > between them, or a JSON array of them
    #[arg(long, value_name = "PATH", value_parser = plan::parse_path)]
    category: Option<plan::Path>,
    /// Only products of this status
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Fields in this order, separated by commas: also version, created_at, updated_at, price_minor and
    /// attributes.NAME [default: all that an import reads]
    #[arg(long, value_name = "NAME,…")]
    fields: Option<Fields>,
    /// The address of a product's page for --format google, such as https://shop.example/p/{id}
    #[arg(long, value_name = "TEMPLATE")]
    link: Option<Link>,
    /// Goes on with an export to the same file that was interrupted, at its position
    #[arg(long)]
    resume: bool,
    /// Gives up when the write service is away or silent for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    retry_seconds: u32,
    /// Prints the summary as one JSON object [to standard error where the products go to standard output]
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn command(
    args: ExportArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let to_stdout = args.file == Path::new("-");
    let plan = match plan(&args, to_stdout) {
        Ok(plan) => plan,
        Err(mistake) => {
            eprintln!("error: {mistake}");
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    let target = endpoints.resolve()?.command;
    let stop = stop_at_signal();
    if args.position.is_none() && !args.resume {
        match latest(&target, &stop).await {
            Err(ExportError::Interrupted) => return Ok(ExitCode::from(EXIT_INTERRUPTED)),
            Err(ExportError::Behind { position, pending }) => anyhow::bail!(
                "{}; `catalogctl status` tells why, and --position {position} exports what is there",
                ExportError::Behind { position, pending }
            ),
            waited => waited?,
        }
    }
    let mut report = Report::new();
    let export = Export {
        target: &target,
        plan: &plan,
        retry: Duration::from_secs(args.retry_seconds.into()),
        stop,
    };
    let file = (!to_stdout).then_some(args.file.as_path());
    let Ended { summary, result } = export.run(file, args.resume, &mut report).await?;
    report.finish(&summary, args.json, to_stdout)?;
    let how_to_go_on = (file.is_some() && summary.resumable)
        .then_some("; run the same again with --resume to go on from there");
    match result {
        Ok(()) if matches!(summary.proof, Proof::Different(_)) => Ok(ExitCode::FAILURE),
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(ExportError::Interrupted) => {
            eprintln!("interrupted{}", how_to_go_on.unwrap_or_default());
            Ok(ExitCode::from(EXIT_INTERRUPTED))
        }
        Err(err) => anyhow::bail!("{err}{}", how_to_go_on.unwrap_or_default()),
    }
}

/// What is exported, or what is wrong with the arguments.
fn plan(args: &ExportArgs, to_stdout: bool) -> Result<Plan, String> {
    let (named, packing) = plan::of_name(&args.file);
    let format = args.format.or(named).unwrap_or(ExportFormat::Jsonl);
    let google = format == ExportFormat::Google;
    if google && args.link.is_none() {
        return Err(
            "a feed for Google needs the address of a product's page: --link https://shop.example/p/{id}"
                .to_owned(),
        );
    }
    if google && args.fields.is_some() {
        return Err("--fields chooses for jsonl and csv: a feed for Google has its own".to_owned());
    }
    if !google && args.link.is_some() {
        return Err("--link is for --format google".to_owned());
    }
    if to_stdout && args.resume {
        return Err("--resume goes on with a file, and - is none".to_owned());
    }
    Ok(Plan {
        format,
        packing: packing.filter(|_| !to_stdout),
        position: args.position,
        brand: args.brand.clone().unwrap_or_default(),
        categories: args.category.clone().map(|path| path.0).unwrap_or_default(),
        status: args.status,
        fields: args.fields.clone().unwrap_or_default(),
        link: args.link.clone(),
    })
}
