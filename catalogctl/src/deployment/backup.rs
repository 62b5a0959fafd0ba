//! `catalogctl backup` and `catalogctl restore`: the database of the write side into a folder, and back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use catalog_backup::{Manifest, Progress};
use client_kit::{Meter, output};
use serde_json::json;

use crate::deployment::database::{DatabaseArgs, Use};
use crate::endpoints::EndpointArgs;
use crate::search::history;

const BACKUP_HELP: &str = "\
The services go on meanwhile. What is kept is the state at one position of the log: products, events, rules, API keys (their \
hashes), webhooks (with their secrets). Documents, vectors and indexes are made again from it. Into a folder with an earlier \
backup only new events are copied; the earlier backup counts until the new one is complete. Examples:
  catalogctl backup /backups/catalog               of `catalogctl up`, running or not
  catalogctl backup /backups/catalog --check       read it all, without a database
  catalogctl restore /backups/catalog              into an empty database
  catalogctl restore /backups/catalog --replace    giving up what the database holds";

const RESTORE_HELP: &str = "\
Of a backup: stop catalog-command first. All happens in one transaction, which is given up unless the restored log folds to \
the digest of the backup. Afterwards start catalog-command: stream, documents and indexes follow by themselves, and \
`catalogctl verify` proves it. Examples:
  catalogctl restore 3920564 --version 3           one product
  catalogctl restore /backups/catalog --replace    the whole catalog";

#[derive(Debug, clap::Args)]
#[command(after_help = BACKUP_HELP)]
pub(crate) struct BackupArgs {
    /// Where the backup is kept; made where it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Reads a backup and compares it with what was written, without a database
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Prints the outcome as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = RESTORE_HELP)]
pub(crate) struct RestoreArgs {
    /// A product, or the folder of a backup
    #[arg(value_name = "ID|DIR")]
    what: String,
    /// The version that the product becomes again, one of `catalogctl history ID`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    version: Option<i64>,
    /// Gives up the catalog that the database holds
    #[arg(long, conflicts_with = "version")]
    replace: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Prints the outcome as one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn backup(args: BackupArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    if args.check {
        let mut meter = Meter::new("check");
        let manifest = catalog_backup::check(&args.folder, |progress| show(&mut meter, progress))?;
        meter.clear();
        return report(&manifest, "sound", started, args.json, json!({}));
    }
    let database = args.database.open(Use::Read, endpoints).await?;
    let mut meter = Meter::new("backup");
    let taken = catalog_backup::take(&database.url, &args.folder, |progress| {
        show(&mut meter, progress);
    })
    .await;
    meter.clear();
    database.close().await;
    let taken = taken?;
    let more = json!({"events_kept": taken.kept_events});
    report(&taken.manifest, "backed up", started, args.json, more)
}

pub(crate) async fn restore(
    args: RestoreArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    if let Some(version) = args.version {
        return history::restore(args.what, version, args.json, endpoints).await;
    }
    let folder = PathBuf::from(&args.what);
    if !folder.is_dir() {
        bail!(
            "{:?} is no folder: give the folder of a backup, or with --version N a product",
            args.what
        );
    }
    let started = Instant::now();
    let database = args.database.open(Use::Replace, endpoints).await?;
    let mut meter = Meter::new("restore");
    let restored = catalog_backup::restore(&database.url, &folder, args.replace, |progress| {
        show(&mut meter, progress);
    })
    .await;
    meter.clear();
    database.close().await;
    let restored = restored?;
    let more = json!({"products_given_up": restored.replaced});
    report(
        &restored.manifest,
        "restored and proved",
        started,
        args.json,
        more,
    )
}

fn show(meter: &mut Meter, progress: Progress<'_>) {
    let Progress { what, done, total } = progress;
    let text = match total {
        Some(total) => format!("{what}, {done} of {total}"),
        None => format!("{what}, {done}"),
    };
    meter.set(done, total, &text);
}

/// Tells what a backup holds, and what was done with it.
fn report(
    manifest: &Manifest,
    done: &str,
    started: Instant,
    as_json: bool,
    more: serde_json::Value,
) -> anyhow::Result<ExitCode> {
    let seconds = started.elapsed().as_secs_f64();
    if as_json {
        let mut outcome = json!({
            "outcome": done,
            "position": manifest.position,
            "products": manifest.products,
            "waiting": manifest.waiting,
            "digest": manifest.digest,
            "migration": manifest.migration,
            "rows": manifest.rows(),
            "bytes": manifest.bytes(),
            "seconds": (seconds * 1000.0).round() / 1000.0,
        });
        if let (Some(outcome), Some(more)) = (outcome.as_object_mut(), more.as_object()) {
            outcome.extend(more.clone());
        }
        output::json(&outcome)?;
        return Ok(ExitCode::SUCCESS);
    }
    let waiting = match manifest.waiting {
        0 => String::new(),
        waiting => format!(" and {waiting} writes behind it"),
    };
    output::line(&format!(
        "{done}: {} products at position {}{waiting}, digest {}",
        manifest.products, manifest.position, manifest.digest
    ))?;
    for (name, value) in more.as_object().into_iter().flatten() {
        if value.as_i64().is_some_and(|value| value > 0) {
            output::line(&format!("  {} {value}", name.replace('_', " ")))?;
        }
    }
    output::line(&format!(
        "  {} rows, {:.1} MB, {seconds:.1} s",
        manifest.rows(),
        manifest.bytes() as f64 / 1e6
    ))?;
    Ok(ExitCode::SUCCESS)
}
