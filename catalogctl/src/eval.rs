//! `catalogctl eval`: measures how well a running catalog finds what people judged relevant, and
//! products that somebody half remembers. It asks through the gRPC API, as any client does.

mod known;
mod latency;
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

use anyhow::Context as _;
use client_kit::output;

use self::asker::Asker;
use self::known::KnownItems;
use self::measures::Ratings;
use self::report::Report;
use self::typing::{Share, Typing};
use crate::endpoints::EndpointArgs;
use crate::search::Strategy;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("kind").multiple(false))]
pub(crate) struct EvalArgs {
    /// CSV with the columns query, docid and rating (0: irrelevant)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["known_items", "queries"])]
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
    /// The ranking profile [default: that of the service]
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
    /// What chance there is follows from this number
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
    let mut asker = Asker::new(endpoints.resolve()?.query)?;
    if let Some(count) = args.known_items {
        let known = KnownItems {
            count: count as usize,
            seed: args.seed,
            strategies: &args.strategy,
            profile: &args.profile,
        };
        let report = known.measure(&mut asker).await?;
        print(args.json, &report, || report.text())?;
    } else if args.prefixes {
        let queries = match &args.queries {
            Some(file) => judgments::read_queries(file)?,
            None => args.judgments()?.into_keys().collect(),
        };
        let (strategies, profile) = (&args.strategy, &args.profile);
        let report = latency::measure(&mut asker, strategies, profile, &queries).await?;
        print(args.json, &report, || report.text())?;
    } else {
        judged(&args, &mut asker).await?;
    }
    asker.admit_degraded();
    Ok(ExitCode::SUCCESS)
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

async fn judged(args: &EvalArgs, asker: &mut Asker) -> anyhow::Result<()> {
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
