//! `catalogctl synonyms`: words that stand for each other in searches.

mod suggest;

use std::process::ExitCode;

use clap::Subcommand;

use self::suggest::SuggestArgs;
use crate::endpoints::EndpointArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct SynonymsArgs {
    #[command(subcommand)]
    command: SynonymsCommand,
}

#[derive(Debug, Subcommand)]
enum SynonymsCommand {
    /// Looks for pairs of words that the catalogue seems to use for the same
    Suggest(SuggestArgs),
}

pub(crate) async fn command(
    args: SynonymsArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    match args.command {
        SynonymsCommand::Suggest(args) => suggest::suggest(args, endpoints).await,
    }
}
