//! `catalogctl chaos`: real processes under load while a seeded nemesis kills, stops and cuts them
//! off, and a checker that compares what clients were told with what there is in the end. A run of
//! many schedules uses one cluster for several of them; each has products of its own.

mod schedule;
mod proxy;
mod history;
mod wire;
mod workload;
mod nemesis;
mod ledger;
mod checker;
mod rest;
mod trial;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ValueEnum as _;
use tokio_util::sync::CancellationToken;

use crate::chaos::report::Report;
use crate::chaos::schedule::{Kind, Schedule};
use crate::chaos::trial::Arena;
use crate::chaos::workload::Marks;
use crate::cluster::ClusterOptions;
use crate::output;

pub use crate::chaos::proxy::{LinkFault, Proxy};

const SCHEDULES_UNLESS_TOLD: u64 = 10;
/// The log grows, and with it what has to be refilled and replayed.
const SCHEDULES_PER_CLUSTER: u64 = 40;

#[derive(Debug, clap::Args)]
pub(crate) struct ChaosArgs {
    /// Of the first schedule; each next one has the next seed [default: a random one]
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
    /// With the embedding model, which search by keyword does not need
    #[arg(long)]
    model: bool,
}

impl ChaosArgs {
    fn kinds(&self) -> Vec<Kind> {
        match self.faults.is_empty() {
            false => self.faults.clone(),
            true => Kind::value_variants()
                .iter()
                .copied()
                .filter(|kind| *kind != Kind::PowerCut)
                .collect(),
        }
    }

    fn schedules_max(&self) -> u64 {
        match (self.schedules, self.minutes) {
            (Some(schedules), _) => schedules,
            (None, Some(_)) => u64::MAX,
            (None, None) => SCHEDULES_UNLESS_TOLD,
        }
    }

    fn cluster(&self) -> ClusterOptions {
        ClusterOptions {
            throwaway: true,
            model: self.model,
            proxied: true,
        }
    }
}

pub(crate) async fn command(args: ChaosArgs) -> anyhow::Result<ExitCode> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let stop = stop_on_signal();
    let mut report = Report::open(args.report.clone(), seed)?;
    run(&args, seed, &stop, &mut report).await?;
    output::line(&report.summary())?;
    Ok(match report.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn run(
    args: &ChaosArgs,
    seed: u64,
    stop: &CancellationToken,
    report: &mut Report,
) -> anyhow::Result<()> {
    let catalogctl = std::env::current_exe().context("cannot find this program's own file")?;
    let kinds = args.kinds();
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
                Arena::open(&catalogctl, args.cluster(), marks.clone()).await?
            }
        };
        let schedule = Schedule::of(seed.wrapping_add(number), &kinds);
        let verdict = Box::pin(here.run(&schedule)).await;
        output::line(&report.add(&verdict)?)?;
        // What is broken stays so: the next schedule is judged for itself.
        arena = verdict.violations.is_empty().then_some(here);
    }
    Ok(())
}

/// The first Ctrl-C ends the run after the schedule that is under way, which heals what it struck;
/// the second ends it at once.
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
