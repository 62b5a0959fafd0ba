//! `catalogctl chaos`: puts real processes under load while a seeded nemesis kills, stops and
//! disconnects them, and a checker compares what clients were told with what there is in the end. A
//! run of many schedules uses one cluster for several of them; each has products of its own.

mod schedule;
mod history;
mod wire;
mod workload;
mod violation;
mod nemesis;
mod logged;
mod ledger;
mod checker;
mod rest;
mod trial;
mod pairs;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ValueEnum as _;
use client_kit::output;
use tokio_util::sync::CancellationToken;

use crate::chaos::report::Report;
use crate::chaos::schedule::{Kind, Schedule};
use crate::chaos::trial::Arena;
use crate::chaos::workload::Marks;
use crate::cluster::{ClusterOptions, Disk};

const SCHEDULES_UNLESS_TOLD: u64 = 10;
/// The most schedules on one cluster: the log grows, and with it what has to be refilled and
/// replayed.
const SCHEDULES_PER_CLUSTER: u64 = 40;

#[derive(Debug, clap::Args)]
pub struct ChaosArgs {
    /// Seed of the first schedule; each next one has the next seed [default: a random one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Begins no schedule after so many minutes
    #[arg(long, value_name = "M")]
    minutes: Option<u64>,
    /// How many schedules [default: 10, or as many as the minutes allow]
    #[arg(long, value_name = "K")]
    schedules: Option<u64>,
    /// Only these kinds of fault [default: all but power-cut]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KINDS")]
    faults: Vec<Kind>,
    /// Writes verdicts, and the history of every schedule that fails, as JSON Lines
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Instead of schedules: so many pairs of a write and a read with its token, while services are
    /// killed; the answer must not be older, or say that it is stale
    #[arg(long, value_name = "N", conflicts_with_all = ["schedules", "faults", "report"])]
    pairs: Option<u64>,
    /// With the embedding model, which search by keyword does not need
    #[arg(long)]
    model: bool,
}

impl ChaosArgs {
    /// The kinds of fault to use, without those that this machine cannot do.
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds = self.faults.clone();
        if kinds.is_empty() {
            kinds.extend(Kind::value_variants());
            kinds.retain(|kind| *kind != Kind::PowerCut);
        }
        if kinds.contains(&Kind::PowerCut)
            && let Err(err) = Disk::possible()
        {
            eprintln!("note: no power-cut here, which takes root and loop mounts: {err:#}");
            kinds.retain(|kind| *kind != Kind::PowerCut);
        }
        kinds
    }

    fn schedules_max(&self) -> u64 {
        match (self.schedules, self.minutes) {
            (Some(schedules), _) => schedules,
            (None, Some(_)) => u64::MAX,
            (None, None) => SCHEDULES_UNLESS_TOLD,
        }
    }

    fn time(&self) -> Option<Duration> {
        self.minutes
            .map(|minutes| Duration::from_secs(60 * minutes))
    }

    fn cluster(&self, kinds: &[Kind]) -> ClusterOptions {
        let power_cuts = kinds.contains(&Kind::PowerCut);
        ClusterOptions {
            throwaway: !power_cuts,
            model: self.model,
            proxied: true,
            power_cuts,
        }
    }
}

pub async fn command(args: ChaosArgs) -> anyhow::Result<ExitCode> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let stop = stop_on_signal();
    if let Some(pairs) = args.pairs {
        return run_pairs(&args, (seed, pairs), &stop).await;
    }
    let mut report = Report::open(args.report.clone(), seed)?;
    run(&args, seed, &stop, &mut report).await?;
    output::line(&report.summary())?;
    Ok(exit_code(report.is_clean()))
}

async fn run_pairs(
    args: &ChaosArgs,
    (seed, wanted): (u64, u64),
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let catalogctl = this_program()?;
    let plan = (seed, wanted, args.time());
    let pairs = Box::pin(pairs::run(&catalogctl, args.cluster(&[]), plan, stop)).await?;
    output::line(&pairs.summary(seed))?;
    Ok(exit_code(pairs.is_clean()))
}

fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}

fn exit_code(clean: bool) -> ExitCode {
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn run(
    args: &ChaosArgs,
    seed: u64,
    stop: &CancellationToken,
    report: &mut Report,
) -> anyhow::Result<()> {
    let catalogctl = this_program()?;
    let kinds = args.kinds();
    anyhow::ensure!(!kinds.is_empty(), "no kind of fault is left");
    let marks = Arc::new(Marks::default());
    let started = Instant::now();
    let time = args
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    let mut arena: Option<Arena> = None;
    for number in 0..args.schedules_max() {
        if stop.is_cancelled() || time.is_some_and(|time| started.elapsed() > time) {
            break;
        }
        let mut here = match arena.take() {
            Some(arena) if arena.schedules() < SCHEDULES_PER_CLUSTER => arena,
            _ => {
                eprintln!("starting Postgres, NATS and the three services");
                Arena::open(&catalogctl, args.cluster(&kinds), marks.clone()).await?
            }
        };
        let schedule = Schedule::of(seed.wrapping_add(number), &kinds);
        let verdict = Box::pin(here.run(&schedule)).await;
        output::line(&report.add(&verdict)?)?;
        // A broken cluster is not used again, so that the next schedule is judged for itself.
        arena = verdict.violations.is_empty().then_some(here);
    }
    Ok(())
}

/// The first Ctrl-C ends the run after the current schedule, which heals what it struck; the second
/// ends it at once.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        service_kit::stop_signal().await;
        eprintln!("ending after this schedule; once more ends at once");
        told.cancel();
        service_kit::stop_signal().await;
        std::process::exit(130);
    });
    stop
}
