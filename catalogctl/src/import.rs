//! `catalogctl import`: a product feed into the catalogue, safe to run twice.
//! [`run`] is the same for programs: rows of any origin over the same path.

mod batches;
mod delivery;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::endpoints::{EndpointArgs, Target};
use crate::feed::{self, FeedError, Format, Mapping, MappingArgs, Mistake, Row, Rows, Source};
use crate::import::delivery::Delivery;
use crate::import::report::Report;
use crate::output::{self, ProductJson};

/// As of a process that Ctrl-C ends.
const EXIT_INTERRUPTED: u8 = 130;
const EXIT_USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// JSON Lines, a JSON array or CSV, plain or gzipped; `-` reads standard input
    file: PathBuf,
    /// Default: as the file name or the first character says
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Products in one transaction of the write service
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,
    /// Reads and checks the feed, shows the first product and sends nothing
    #[arg(long)]
    dry_run: bool,
    /// Writes every rejected row to FILE, one JSON object a line
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Gives up when the write service is away or silent for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    retry_seconds: u32,
    /// Prints the summary as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    mapping: MappingArgs,
}

#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// From 1 to 1,000.
    pub batch_rows: usize,
    /// How long to go on without an answer.
    pub retry: Duration,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            batch_rows: 500,
            retry: Duration::from_secs(60),
        }
    }
}

/// What became of the rows. A batch that was applied before its answer was lost counts as
/// unchanged when it is sent again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
    pub seconds: f64,
    pub rows_per_second: f64,
}

/// A row that is not in the catalogue, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where it starts in the feed, from 1.
    pub line: u64,
    pub mistake: Mistake,
}

/// What happens during an import.
#[derive(Debug)]
pub enum Notice<'a> {
    Progress(&'a Summary),
    Rejected(&'a Rejection),
    Retrying { why: &'a str, attempt: u32 },
}

/// Why an import ended before its feed did.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Feed(FeedError),
    #[error("{0}")]
    Target(anyhow::Error),
    #[error("the batch from line {line} on is not imported: {why}")]
    Refused { line: u64, why: String },
    #[error(
        "no answer for {seconds} s; everything before line {line} is imported, run the same again \
         to go on: {why}"
    )]
    GaveUp {
        line: u64,
        seconds: u64,
        why: String,
    },
}

/// Imports rows into the write service. `stop` ends it early, after the answers to what was sent.
pub async fn run(
    rows: Rows,
    target: &Target,
    options: &ImportOptions,
    stop: CancellationToken,
    notice: &mut (dyn FnMut(Notice<'_>) + Send),
) -> (Summary, Result<(), ImportError>) {
    let started = Instant::now();
    let batches = batches::spawn(rows, options.batch_rows);
    let delivery = Delivery::new(target, batches, options.retry, stop, notice);
    let (mut summary, result) = delivery.run().await;
    summary.stop_clock(started);
    (summary, result)
}

/// Products that a program made, as rows.
pub fn rows(
    products: impl Iterator<Item = catalog_proto::v1::ProductInput> + Send + 'static,
) -> Rows {
    let rows = products.zip(1..).map(|(product, line)| {
        let parsed = Ok(product);
        Ok(Row { line, parsed })
    });
    Box::new(rows)
}

impl Summary {
    fn stop_clock(&mut self, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        self.seconds = (seconds * 1000.0).round() / 1000.0;
        self.rows_per_second = (self.rows as f64 / seconds.max(0.001)).round();
    }
}

/// The command.
pub(crate) async fn command(
    args: ImportArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let mapping = match Mapping::new(args.mapping.clone()) {
        Ok(mapping) => mapping,
        Err(mistake) => {
            eprintln!("error: {mistake}");
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    let stop = stop_at_signal();
    let opened = open(args.file.clone(), args.format, mapping);
    let (rows, progress) = tokio::select! {
        opened = opened => opened?,
        () = stop.cancelled() => return Ok(ExitCode::from(EXIT_INTERRUPTED)),
    };
    let mut report = Report::new(progress, args.rejects.as_deref())?;
    let mut notice = |notice: Notice<'_>| report.notice(&notice);
    let options = ImportOptions {
        batch_rows: args.batch.into(),
        retry: Duration::from_secs(args.retry_seconds.into()),
    };
    let (summary, result) = if args.dry_run {
        check(rows, &options, !args.json, stop, &mut notice).await?
    } else {
        let target = endpoints.resolve()?.command;
        run(rows, &target, &options, stop, &mut notice).await
    };
    report.finish(&summary)?;
    if args.json {
        output::json(&summary)?;
    } else {
        output::line(&report::summary(&summary, args.dry_run))?;
    }
    Ok(match result {
        Ok(()) if summary.rejected == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(ImportError::Interrupted) => ExitCode::from(EXIT_INTERRUPTED),
        Err(err) => return Err(err.into()),
    })
}

/// On a thread of its own: a pipe may have nothing to say for long.
async fn open(
    file: PathBuf,
    format: Option<Format>,
    mapping: Mapping,
) -> anyhow::Result<(Rows, feed::Progress)> {
    let opened = tokio::task::spawn_blocking(move || {
        let source = Source::open(&file)?;
        let progress = source.progress();
        feed::rows(source, format, mapping).map(|rows| (rows, progress))
    });
    Ok(opened.await??)
}

/// Reads the feed to its end and sends nothing.
async fn check(
    rows: Rows,
    options: &ImportOptions,
    mut show_first: bool,
    stop: CancellationToken,
    notice: &mut (dyn FnMut(Notice<'_>) + Send),
) -> anyhow::Result<(Summary, Result<(), ImportError>)> {
    let started = Instant::now();
    let mut summary = Summary::default();
    let mut batches = batches::spawn(rows, options.batch_rows);
    let result = loop {
        let next = tokio::select! {
            next = batches.recv() => next,
            () = stop.cancelled() => break Err(ImportError::Interrupted),
        };
        let batch = match next {
            Some(Ok(batch)) => batch,
            Some(Err(err)) => break Err(ImportError::Feed(err)),
            None => break Ok(()),
        };
        if let Some(product) = batch.products.first().filter(|_| show_first) {
            show_first = false;
            output::line(&serde_json::to_string_pretty(&ProductJson::from(product))?)?;
        }
        batch
            .rejected
            .iter()
            .for_each(|rejection| notice(Notice::Rejected(rejection)));
        summary.rejected += batch.rejected.len() as u64;
        summary.rows += (batch.products.len() + batch.rejected.len()) as u64;
        notice(Notice::Progress(&summary));
    };
    summary.stop_clock(started);
    Ok((summary, result))
}

/// Cancelled at the first Ctrl-C or SIGTERM.
pub(crate) fn stop_at_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        service_kit::stop_signal().await;
        signalled.cancel();
    });
    stop
}
