//! `catalogctl eval`: measures how well a running catalog finds what people judged relevant, and
//! products that somebody half remembers. It asks through the gRPC API, as any client does.

mod known;
mod latency;
mod profiles;
mod rounds;
mod judged;
mod report;
mod asker;
mod judgments;
mod measures;
mod estimate;
mod typing;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use client_kit::output;

use self::asker::Asker;
use self::known::KnownItems;
use self::measures::Ratings;
use self::profiles::{ChosenBy, Grid, Profiles, Source};
use self::report::Report;
use self::rounds::Rounds;
use self::typing::{Share, Typing};
use crate::endpoints::{EndpointArgs, Endpoints};
use crate::import::stop_at_signal;
use crate::search::Strategy;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("kind").multiple(false))]
pub(crate) struct EvalArgs {
    /// CSV with the columns query, docid and rating (0: irrelevant)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["known_items", "queries", "grid"])]
    judgments: Option<PathBuf>,
    /// Queries without ratings, one a line, for --prefixes
    #[arg(
        long,
        value_name = "FILE",
        requires = "prefixes",
        conflicts_with = "judgments"
    )]
    queries: Option<PathBuf>,
    /// Strategies to evaluate
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Strategy::Keyword, Strategy::Vector, Strategy::Hybrid])]
    strategy: Vec<Strategy>,
    /// Makes one typing mistake in every query that has a word of four letters
    #[arg(long, value_name = "SEED", conflicts_with = "known_items")]
    typos: Option<u64>,
    /// Cuts the last word of every query to this share of its letters, as of somebody who is typing
    #[arg(long, value_name = "SHARE", conflicts_with = "known_items")]
    cut: Option<Share>,
    /// The ranking profile, or the one that --profiles are compared with [default: that of the
    /// service]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    profile: String,
    /// Measures how long it takes to search for every prefix of the queries, beside whole queries
    #[arg(long, group = "kind", conflicts_with_all = ["typos", "cut"])]
    prefixes: bool,
    /// Looks for so many products of the catalog by what somebody remembers of their titles
    #[arg(long, value_name = "N", group = "kind", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    known_items: Option<u32>,
    /// Measures every so many seconds until Ctrl-C or until every product has an embedding
    #[arg(long, value_name = "SECONDS", group = "kind", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: Option<u64>,
    /// Compares ranking profiles that the service has, by nested cross-validation
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with_all = ["kind", "save", "compare"])]
    profiles: Vec<String>,
    /// The file of ranking profiles that the service has: all of it, or of it those of --profiles
    #[arg(long, value_name = "FILE", conflicts_with_all = ["known_items", "prefixes", "every", "save", "compare"])]
    profiles_file: Option<PathBuf>,
    /// What profiles are chosen by
    #[arg(long, value_enum, default_value_t = ChosenBy::Both)]
    by: ChosenBy,
    /// In how many parts the queries are held back in turn, when profiles are compared
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=100))]
    folds: u16,
    /// Writes a file of profiles, one for each point: NAME=VALUE,VALUE;NAME+NAME=VALUE
    #[arg(long, value_name = "GRID", group = "kind", requires = "write_profiles")]
    grid: Option<Grid>,
    /// Where the profiles of --grid go; they are made of --profile in --profiles-file, if given
    #[arg(long, value_name = "FILE", requires = "grid")]
    write_profiles: Option<PathBuf>,
    /// What is left to chance follows from this number
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Saves the measures of every query for a later --compare
    #[arg(long, value_name = "FILE", conflicts_with = "kind")]
    save: Option<PathBuf>,
    /// Compares with a run that was saved
    #[arg(long, value_name = "FILE", conflicts_with = "kind")]
    compare: Option<PathBuf>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(args: EvalArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    if let (Some(grid), Some(file)) = (&args.grid, &args.write_profiles) {
        let from = args.profiles_file.as_deref();
        let count = profiles::write(grid, from, &args.profile, file)?;
        let shown = file.display();
        eprintln!(
            "{shown} holds {count} profiles: start the read service with \
             CATALOG_QUERY_RANKING_PROFILES={shown}, then compare them with --profiles-file"
        );
        return Ok(ExitCode::SUCCESS);
    }
    let endpoints = endpoints.resolve()?;
    let mut asker = Asker::new(endpoints.query.clone())?;
    if args.known_items.is_some() {
        known_items(&args, &mut asker).await?;
    } else if args.prefixes {
        prefixes(&args, &mut asker).await?;
    } else if args.every.is_some() {
        rounds(&args, &endpoints, &mut asker).await?;
    } else if args.profiles_file.is_some() || !args.profiles.is_empty() {
        compare_profiles(&args, &mut asker).await?;
    } else {
        relevance(&args, &mut asker).await?;
    }
    asker.admit_degraded();
    Ok(ExitCode::SUCCESS)
}

async fn known_items(args: &EvalArgs, asker: &mut Asker) -> anyhow::Result<()> {
    let known = KnownItems {
        count: args.known_items.unwrap_or_default() as usize,
        seed: args.seed,
        strategies: &args.strategy,
        profile: &args.profile,
    };
    let report = known.measure(asker).await?;
    print(args.json, &report, || report.text())
}

async fn prefixes(args: &EvalArgs, asker: &mut Asker) -> anyhow::Result<()> {
    let queries = match &args.queries {
        Some(file) => judgments::read_queries(file)?,
        None => args.judgments()?.into_keys().collect(),
    };
    let (strategies, profile) = (&args.strategy, &args.profile);
    let report = latency::measure(asker, strategies, profile, &queries).await?;
    print(args.json, &report, || report.text())
}

async fn rounds(args: &EvalArgs, endpoints: &Endpoints, asker: &mut Asker) -> anyhow::Result<()> {
    let rounds = Rounds {
        endpoints,
        strategies: &args.strategy,
        profile: &args.profile,
        judgments: &args.judgments()?,
        typing: args.typing(),
        every: Duration::from_secs(args.every.unwrap_or_default()),
        json: args.json,
    };
    rounds.run(asker, &stop_at_signal()).await
}

async fn compare_profiles(args: &EvalArgs, asker: &mut Asker) -> anyhow::Result<()> {
    let profiles = Profiles {
        source: Source {
            names: &args.profiles,
            file: args.profiles_file.as_deref(),
        },
        default: &args.profile,
        strategies: &args.strategy,
        judgments: &args.judgments()?,
        typing: args.typing(),
        by: args.by,
        folds: args.folds.into(),
        seed: args.seed,
    };
    let report = profiles.compare(asker).await?;
    print(args.json, &report, || report.text())
}

impl EvalArgs {
    fn judgments(&self) -> anyhow::Result<BTreeMap<String, Ratings>> {
        let file = self.judgments.as_deref();
        judgments::read(file.context("--judgments is missing")?)
    }

    fn typing(&self) -> Typing {
        Typing {
            typos: self.typos,
            cut: self.cut,
        }
    }
}

async fn relevance(args: &EvalArgs, asker: &mut Asker) -> anyhow::Result<()> {
    let judgments = args.judgments()?;
    let saved = args.compare.as_deref().map(judged::load).transpose()?;
    let (strategies, profile) = (&args.strategy, &args.profile);
    let run = judged::measure(asker, strategies, profile, &judgments, args.typing()).await?;
    if let Some(file) = &args.save {
        judged::save(&run, file)?;
    }
    let report = Report::of(&run, saved.as_ref());
    print(args.json, &report, || report.text())
}

fn print<T: serde::Serialize>(
    json: bool,
    report: &T,
    text: impl Fn() -> String,
) -> anyhow::Result<()> {
    if json {
        output::json(report)
    } else {
        Ok(output::text(&text())?)
    }
}
