//! `catalogctl import`: imports a product feed into the catalog; running it twice is safe.

mod rejected;
mod report;
mod missing;
mod resume;
mod suggest;
mod args;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use client_kit::feed::{self, FeedError, FormArgs, Mapping, Notes, Rows, Source};
use client_kit::import::missing::Deleted;
use client_kit::import::{ImportError, ImportOptions, Notice, Summary, batches, run};
use client_kit::{ProductJson, Target, output};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::endpoints::EndpointArgs;
use crate::import::missing::Missing;
use crate::import::report::Report;
use crate::import::resume::Resume;

pub(crate) use crate::import::args::ImportArgs;

/// The exit code of a process that Ctrl-C ends.
const EXIT_INTERRUPTED: u8 = 130;
const EXIT_USAGE: u8 = 2;

/// Runs the command.
pub(crate) async fn command(
    args: ImportArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    if args.suggest {
        return suggest::command(args, endpoints, ExitCode::from(EXIT_USAGE)).await;
    }
    let mapping = match Mapping::new(args.mapping.clone()) {
        Ok(mapping) if args.report.is_some() => mapping.keeping_originals(),
        Ok(mapping) => mapping,
        Err(mistake) => {
            eprintln!("error: {mistake}");
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    let resume = args.resume.as_deref();
    let mut resume = resume
        .map(|kept| Resume::open(kept, &args.file))
        .transpose()?;
    let stop = stop_at_signal();
    let opened = open(args.file.clone(), args.form.clone(), mapping);
    let (rows, progress, notes) = tokio::select! {
        opened = opened => opened?,
        () = stop.cancelled() => return Ok(ExitCode::from(EXIT_INTERRUPTED)),
    };
    let mut report = Report::new(progress, notes, &args)?;
    let behind = resume.as_ref().and_then(Resume::line);
    let run = resume.as_ref().map_or_else(Uuid::now_v7, Resume::run);
    if let Some(line) = behind {
        eprintln!("going on behind line {line}");
    }
    let mut notice = |notice: Notice<'_>| {
        if let (Notice::Answered(line), Some(resume)) = (&notice, &mut resume) {
            resume.answered(*line);
        }
        report.notice(&notice);
    };
    let options = ImportOptions {
        batch_rows: args.batch.into(),
        retry: Duration::from_secs(args.retry_seconds.into()),
        validate_only: args.dry_run,
        run,
        ..ImportOptions::default()
    };
    let (summary, result, deleted) = if args.check {
        let (summary, result) = check(rows, &options, !args.json, stop, &mut notice).await?;
        (summary, result, None)
    } else {
        let target = endpoints.resolve()?.command;
        let feed = Feed { rows, behind };
        deliver(&args, feed, &target, &options, stop, &mut notice).await?
    };
    if let (Ok(()), Some(resume)) = (&result, resume) {
        resume.finish()?;
    }
    let notes = report.finish(&summary)?;
    tell(&args, &summary, &notes, deleted)?;
    Ok(match result {
        Ok(()) if summary.rejected == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(ImportError::Interrupted) => ExitCode::from(EXIT_INTERRUPTED),
        Err(err) => return Err(err.into()),
    })
}

/// Prints what became of the rows, and of the products that the feed lacks.
fn tell(
    args: &ImportArgs,
    summary: &Summary,
    notes: &[String],
    deleted: Option<anyhow::Result<Deleted>>,
) -> anyhow::Result<()> {
    if args.json {
        output::json(&report::WithNotes {
            summary,
            deleted: deleted
                .as_ref()
                .and_then(|deleted| Some(deleted.as_ref().ok()?.deleted)),
            notes,
        })?;
    } else if args.dry_run {
        eprintln!("{}", report::summary(summary, args));
    } else {
        output::line(&report::summary(summary, args))?;
    }
    if let Some(deleted) = deleted {
        let Deleted { deleted, kept } = deleted?;
        if !args.json && !args.dry_run {
            output::line(&format!(
                "{deleted} products that the feed does not have were deleted, {kept} kept that others changed"
            ))?;
        }
    }
    Ok(())
}

/// A feed, and the line behind which it is imported.
struct Feed {
    rows: Rows,
    behind: Option<u64>,
}

/// Imports the rows, and deletes what the feed lacks where that was asked for. The deletion has an outcome of
/// its own: None where there is none.
async fn deliver(
    args: &ImportArgs,
    feed: Feed,
    target: &Target,
    options: &ImportOptions,
    stop: CancellationToken,
    notice: &mut (dyn FnMut(Notice<'_>) + Send),
) -> anyhow::Result<(
    Summary,
    Result<(), ImportError>,
    Option<anyhow::Result<Deleted>>,
)> {
    let behind = |rows| match feed.behind {
        Some(line) => resume::behind(line, rows),
        None => rows,
    };
    if !args.delete_missing {
        let rows = behind(feed.rows);
        let (summary, result) = run(rows, target, options, stop, notice).await;
        return Ok((summary, result, None));
    }
    let missing = Missing::before(target, options.retry, stop.clone()).await?;
    // Rows that were answered before name products too.
    let rows = behind(missing.named.watch(feed.rows));
    let (summary, result) = run(rows, target, options, stop.clone(), notice).await;
    let deleted = if result.is_ok() {
        Some(missing.delete(args, target, options.retry, &stop).await)
    } else {
        None
    };
    Ok((summary, result, deleted))
}

/// Opens a feed on a thread of its own: a pipe may deliver nothing for long.
async fn open(
    file: PathBuf,
    form: FormArgs,
    mapping: Mapping,
) -> anyhow::Result<(Rows, feed::Progress, Notes)> {
    let opened = tokio::task::spawn_blocking(move || {
        let source = Source::open_as(&file, &form)?;
        let (progress, notes) = (source.progress(), source.notes());
        let rows = feed::rows(source, form.format, mapping)?;
        let rows = feed::telling_of_currencies(rows, notes.clone());
        Ok((rows, progress, notes))
    });
    opened.await?.map_err(with_suggestion)
}

/// Says what helps against columns that are not as the options say.
fn with_suggestion(err: FeedError) -> anyhow::Error {
    let is_of_columns = matches!(err, FeedError::Mapping(_));
    let err = anyhow::Error::from(err);
    if is_of_columns {
        err.context("the columns are not understood: --suggest proposes the options")
    } else {
        err
    }
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
    let mut batches = batches(rows, options.batch_rows);
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
        let first = batch.rows.iter().find_map(|row| row.product.as_ref());
        if let Some(product) = first.filter(|_| show_first) {
            show_first = false;
            output::line(&serde_json::to_string_pretty(&ProductJson::from(product))?)?;
        }
        for rejection in &batch.rejected {
            notice(Notice::Rejected(rejection));
        }
        for warning in &batch.warnings {
            notice(Notice::Warning(warning));
        }
        summary.warnings += batch.warnings.len() as u64;
        summary.rejected += batch.rejected.len() as u64;
        summary.left_out += batch.left_out;
        summary.rows += (batch.rows.len() + batch.rejected.len()) as u64 + batch.left_out;
        notice(Notice::Progress(&summary));
    };
    summary.stop_clock(started);
    Ok((summary, result))
}

/// A token that is cancelled at the first Ctrl-C or SIGTERM.
pub(crate) fn stop_at_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        service_kit::stop_signal().await;
        signalled.cancel();
    });
    stop
}
