//! The commands, and the process around them: arguments, runtime, exit code.

use std::future::Future;
use std::process::ExitCode;
use std::{panic, thread};

use clap::{CommandFactory as _, Parser, Subcommand};
use client_kit::feed::SPREADSHEET_THREAD;
use client_kit::{ProductJson, output, sample};
use trials::bench::{self, BenchArgs, PeerArgs};
use trials::chaos::{self, ChaosArgs};
use trials::cluster;

use crate::deployment::backup::{self, BackupArgs, RestoreArgs};
use crate::deployment::keys::{self, KeysArgs};
use crate::deployment::migrate::{self, MigrateArgs};
use crate::deployment::probe::{self, ProbeArgs};
use crate::deployment::webhooks::{self, WebhooksArgs};
use crate::endpoints::EndpointArgs;
use crate::eval::{self, EvalArgs};
use crate::export::{self, ExportArgs};
use crate::import::{self, ImportArgs};
use crate::projections::parked::{self, ParkedArgs};
use crate::projections::rebuild::{self, RebuildArgs};
use crate::projections::verify::{self, VerifyArgs};
use crate::rules::{self, RulesArgs, SynonymsArgs};
use crate::search::analytics::{self, AnalyticsArgs};
use crate::search::history::{self, HistoryArgs};
use crate::search::profiles::{self, ProfilesArgs};
use crate::search::{self, GetArgs, SearchArgs};
use crate::shell::{self, CompletionsArgs, ManArgs, OpenArgs};
use crate::status::top::{self, TopArgs};
use crate::status::{self, StatusArgs};
use crate::tail::{self, TailArgs};
use crate::up::{self, UpArgs};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 it failed, or what was asked for is not so; 2 wrong usage, or it could not be told. Some commands \
say more in their own help. Examples:
  catalogctl up                                    everything, with a sample catalog
  catalogctl import feed.csv --suggest             how a feed could be imported
  catalogctl search gaming mouse --price-max 50    what is found; --why-not ID: why something is not
  catalogctl verify --repair                       prove the read models equal to the event log
  catalogctl open console                          the same in a browser";

/// Runs, fills and watches a product catalog
#[derive(Debug, Parser)]
#[command(name = "catalogctl", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    endpoints: EndpointArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything in this process, on a database and a broker of its own
    Up(UpArgs),
    /// Imports a product feed; running it again changes only what differs
    Import(ImportArgs),
    /// Exports all products as they were at one position: JSON Lines, CSV, or a feed for Google
    Export(ExportArgs),
    /// Searches products
    Search(SearchArgs),
    /// Measures how well it finds what people judged relevant
    Eval(EvalArgs),
    /// Shows products by id
    Get(GetArgs),
    /// Shows what happened to a product: when, by whom, and what changed
    History(HistoryArgs),
    /// Makes a product what it was at a version, or the whole catalog what a backup holds
    Restore(RestoreArgs),
    /// Words that count as the same in searches: shows, adds and removes them
    Synonyms(SynonymsArgs),
    /// Search rules: pins, hides, boosts and redirects for some queries
    Rules(RulesArgs),
    /// Makes, shows, rotates and revokes API keys
    Keys(KeysArgs),
    /// Webhooks, which tell others of events over HTTP: makes, tests, changes and watches them
    Webhooks(WebhooksArgs),
    /// Shows the ranking profiles that a search can choose from
    Profiles(ProfilesArgs),
    /// Shows what people searched for, what they did not find and what they opened
    Analytics(AnalyticsArgs),
    /// Shows events, reads or searches as they happen
    Tail(TailArgs),
    /// Shows where the log, the stream and the read models stand
    Status(StatusArgs),
    /// Shows positions, lags and rates as they change
    Top(TopArgs),
    /// Opens a page of the running catalog in the browser
    Open(OpenArgs),
    /// Proves that the read models hold what the event log says, and mends what does not
    Verify(VerifyArgs),
    /// Shows events that could not be applied, and tries them again
    Parked(ParkedArgs),
    /// Builds the read model anew beside the old one, compares and switches
    Rebuild(RebuildArgs),
    /// Measures this machine: our figures beside the limit in the same run
    Bench(BenchArgs),
    /// Proves what the catalog promises: real processes, real faults, and a check of all they did
    Chaos(ChaosArgs),
    /// Backs up what cannot be made again, while the services go on
    Backup(BackupArgs),
    /// Applies the migrations of both databases ahead of a deployment
    Migrate(MigrateArgs),
    /// Prints what completes this program's commands in a shell
    Completions(CompletionsArgs),
    /// Prints the manual page of this program, or writes those of all commands
    Man(ManArgs),
    /// Asks a health endpoint
    #[command(hide = true)]
    Probe(ProbeArgs),
    /// One side of the pass-through that bench compares with
    #[command(hide = true)]
    BenchPeer(PeerArgs),
    /// Runs one service as its own program does, configured by the environment
    #[command(hide = true, disable_help_flag = true)]
    Service(ServiceArgs),
    /// Prints made-up products as JSON Lines, ready to import
    #[command(hide = true)]
    Sample(SampleArgs),
}

#[derive(Debug, clap::Args)]
struct ServiceArgs {
    #[arg(value_enum)]
    name: ServiceName,
    /// `--help` lists the variables of the service
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ServiceName {
    CatalogCommand,
    CatalogQuery,
    Bff,
}

#[derive(Debug, clap::Args)]
struct SampleArgs {
    #[arg(value_name = "N")]
    count: u64,
    #[arg(long, default_value_t = sample::SEED_DEFAULT)]
    seed: u64,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let Cli { command, endpoints } = Cli::parse();
    hide_panics_of_spreadsheets();
    match command {
        Command::Up(args) => block_on(up::command(args, &endpoints)),
        Command::Import(args) => block_on(import::command(args, &endpoints)),
        Command::Export(args) => block_on(export::command(args, &endpoints)),
        Command::Search(args) => block_on(search::search(args, &endpoints)),
        Command::Eval(args) => block_on(eval::command(args, &endpoints)),
        Command::Get(args) => block_on(search::get(args, &endpoints)),
        Command::History(args) => block_on(history::history(args, &endpoints)),
        Command::Restore(args) => block_on(backup::restore(args, &endpoints)),
        Command::Synonyms(args) => block_on(rules::synonyms(args, &endpoints)),
        Command::Rules(args) => block_on(rules::rules(args, &endpoints)),
        Command::Keys(args) => block_on(keys::command(args, &endpoints)),
        Command::Webhooks(args) => block_on(webhooks::command(args, &endpoints)),
        Command::Analytics(args) => block_on(analytics::command(args, &endpoints)),
        Command::Tail(args) => block_on(tail::command(args, &endpoints)),
        Command::Status(args) => block_on(status::command(args, &endpoints)),
        Command::Top(args) => block_on(top::command(args, &endpoints)),
        Command::Open(args) => exit_code(shell::open(&args, &endpoints)),
        Command::Profiles(args) => block_on(profiles::command(args, &endpoints)),
        Command::Completions(args) => exit_code(shell::completions(&args, Cli::command())),
        Command::Man(args) => exit_code(shell::man(&args, Cli::command())),
        Command::Verify(args) => block_on(verify::command(args, &endpoints)),
        Command::Parked(args) => block_on(parked::command(args, &endpoints)),
        Command::Rebuild(args) => block_on(rebuild::command(args, &endpoints)),
        Command::Bench(args) => block_on(bench::command(args)),
        Command::Chaos(args) => block_on(chaos::command(args)),
        Command::Backup(args) => block_on(backup::backup(args, &endpoints)),
        Command::Migrate(args) => block_on(migrate::command(args)),
        Command::Probe(args) => block_on(probe::command(args)),
        Command::BenchPeer(args) => block_on(bench::peer(args)),
        Command::Service(args) => service(&args),
        Command::Sample(args) => exit_code(print_sample(&args)),
    }
}

/// The library that reads spreadsheets panics for some that are damaged, which is told as an error.
fn hide_panics_of_spreadsheets() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() != Some(SPREADSHEET_THREAD) {
            before(info);
        }
    }));
}

fn service(args: &ServiceArgs) -> ExitCode {
    if args
        .rest
        .iter()
        .any(|arg| arg == cluster::UNTIL_STDIN_CLOSES)
    {
        cluster::end_with_stdin();
    }
    match args.name {
        ServiceName::CatalogCommand => service_kit::run::<catalog_command::App>(),
        ServiceName::CatalogQuery => service_kit::run::<catalog_query::App>(),
        ServiceName::Bff => service_kit::run::<bff::App>(),
    }
}

fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("error: cannot start the async runtime: {err}");
            return ExitCode::FAILURE;
        }
    };
    let code = exit_code(runtime.block_on(command));
    // This does not wait for threads: one that reads standard input would never end.
    runtime.shutdown_background();
    code
}

fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(err) if is_closed_pipe(&err) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

/// A closed pipe, as in `catalogctl tail | head -1`, is not a failure.
fn is_closed_pipe(err: &anyhow::Error) -> bool {
    let io = err.downcast_ref::<std::io::Error>();
    io.is_some_and(|err| err.kind() == std::io::ErrorKind::BrokenPipe)
}

fn print_sample(args: &SampleArgs) -> anyhow::Result<ExitCode> {
    for product in sample::products(args.count, args.seed) {
        output::json(&ProductJson::from(&product))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_line_of_the_real_feed_parses() {
        let line = "catalogctl import - --map title=title --map brand=supplier --map sku=name \
            --map gtins=ean --price-minor price --strip-prefix attr_t_ --dry-run --json \
            --command-grpc 127.0.0.1:1";
        let cli = Cli::try_parse_from(line.split_whitespace()).expect("valid");
        assert_eq!(cli.endpoints.command_grpc.as_deref(), Some("127.0.0.1:1"));
        for bad in [
            "catalogctl import - --price a --price-minor b",
            "catalogctl import - --batch 0",
            "catalogctl import - --suggest --dry-run",
            "catalogctl export - --position 0",
            "catalogctl export - --fields id,colour",
            "catalogctl export - --link https://shop.example/p/",
            "catalogctl search",
            "catalogctl tail --all --new",
            "catalogctl tail --reads --all",
            "catalogctl analytics --days 91",
            "catalogctl status --timeout-seconds 5",
            "catalogctl up --empty --sample 5",
            "catalogctl eval",
            "catalogctl eval --queries f",
            "catalogctl eval --judgments f --cut 2",
            "catalogctl eval --known-items 5 --typos 1",
            "catalogctl eval --known-items 5 --every 5",
            "catalogctl eval --judgments f --profiles a --prefixes",
            "catalogctl eval --grid depth=1",
        ] {
            let err = Cli::try_parse_from(bad.split_whitespace()).expect_err(bad);
            assert_eq!(err.exit_code(), 2, "{bad}");
        }
    }
}
