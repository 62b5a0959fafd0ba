//! `catalogctl keys`: makes, lists, rotates and revokes API keys.

pub(crate) mod client;
mod shown;

use std::process::ExitCode;

use catalog_proto::v1::{ApiScope, CreateApiKeyRequest};
use clap::{Subcommand, ValueEnum};
use client_kit::output;
use prost_types::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::deployment::keys::client::Keys;
use crate::deployment::keys::shown::{to_json, to_line};
use crate::endpoints::EndpointArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Makes a key and prints its secret, which is shown this once
    Create(CreateArgs),
    /// Shows the keys, the newest first, without their secrets
    List {
        /// Those too that are revoked or expired
        #[arg(long)]
        all: bool,
        /// Prints one JSON object a key
        #[arg(long)]
        json: bool,
    },
    /// Gives a key a new secret and prints it, this once
    Rotate {
        /// The id or the prefix of the key
        #[arg(value_name = "KEY")]
        key: String,
        /// How long the old secret stays valid, 30 days at most; 0 where it has become known
        #[arg(long, value_name = "SECONDS")]
        grace_seconds: i64,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Ends a key at once
    Revoke {
        /// The id or the prefix of the key
        #[arg(value_name = "KEY")]
        key: String,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// What the key is for, for people
    #[arg(value_name = "NAME")]
    name: String,
    /// What the key allows; may be given several times
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// After so many days the key is not valid any more
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_in_days: Option<u32>,
    /// At this time (RFC 3339) the key is not valid any more
    #[arg(long, value_name = "TIME", conflicts_with = "expires_in_days", value_parser = moment)]
    expires_at: Option<OffsetDateTime>,
    /// Binds the key to pages of this origin, such as https://shop.example; may be given several times
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Holds every search with the key to this filter, in the syntax of the HTTP search
    #[arg(long, value_name = "FILTER", value_parser = filter)]
    filter: Option<String>,
    /// How many requests a second the key is good for
    #[arg(long, value_name = "REQUESTS")]
    requests_per_second: Option<i32>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Searches, completions, similar products and clicks
    Search,
    /// Products by id, lists of them and their history
    Read,
    /// Writes of products
    Write,
    /// Search rules
    Rules,
    /// Operations and statistics
    Operate,
}

impl From<Scope> for ApiScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Search => Self::Search,
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Rules => Self::Rules,
            Scope::Operate => Self::Operate,
        }
    }
}

pub(crate) async fn command(args: KeysArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let mut keys = Keys::of(endpoints)?;
    match args.command {
        KeysCommand::Create(args) => create(&mut keys, args).await?,
        KeysCommand::List { all, json } => list(&mut keys, all, json).await?,
        KeysCommand::Rotate {
            key,
            grace_seconds,
            json,
        } => {
            let rotated = keys.rotate(&key, grace_seconds).await?;
            show_secret(&rotated, json)?;
        }
        KeysCommand::Revoke { key, json } => {
            let revoked = keys.revoke(&key).await?;
            show(&revoked, json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A filter that searches can be held to. A key with one that cannot be read would see nothing, and one with an
/// empty one everything.
fn filter(stated: &str) -> Result<String, String> {
    bff::check_forced_filter(stated).map(|()| stated.to_owned())
}

async fn create(keys: &mut Keys, args: CreateArgs) -> anyhow::Result<()> {
    let in_days = |days| OffsetDateTime::now_utc() + Duration::days(i64::from(days));
    let expires_at = args
        .expires_at
        .or_else(|| args.expires_in_days.map(in_days));
    let scopes = args.scopes.into_iter();
    let request = CreateApiKeyRequest {
        name: args.name,
        scopes: scopes.map(|scope| ApiScope::from(scope).into()).collect(),
        expires_at: expires_at.map(|end| Timestamp {
            seconds: end.unix_timestamp(),
            nanos: end.nanosecond() as i32,
        }),
        allowed_origins: args.origins,
        forced_filter: args.filter.unwrap_or_default(),
        requests_per_second: args.requests_per_second,
        ..CreateApiKeyRequest::default()
    };
    let created = keys.create(request).await?;
    show_secret(&created, args.json)
}

async fn list(keys: &mut Keys, all: bool, json: bool) -> anyhow::Result<()> {
    let listed = keys.list(all).await?;
    if listed.is_empty() && !json {
        output::line("no keys")?;
    }
    for key in &listed {
        show(key, json)?;
    }
    Ok(())
}

fn show(key: &catalog_proto::v1::ApiKey, json: bool) -> anyhow::Result<()> {
    if json {
        output::json(&to_json(key))
    } else {
        Ok(output::line(&to_line(key))?)
    }
}

/// Prints a key with its new secret, the secret on a line of its own.
fn show_secret(made: &client::Made, json: bool) -> anyhow::Result<()> {
    if json {
        let mut object = to_json(&made.key);
        object["secret"] = made.secret.clone().into();
        return output::json(&object);
    }
    output::line(&to_line(&made.key))?;
    output::line(&made.secret)?;
    eprintln!("the secret is shown this once: keep it now");
    Ok(())
}

fn moment(text: &str) -> Result<OffsetDateTime, time::error::Parse> {
    OffsetDateTime::parse(text, &Rfc3339)
}
