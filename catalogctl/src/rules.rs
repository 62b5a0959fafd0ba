//! `catalogctl synonyms` and `catalogctl rules`: show and change the rules that people state for
//! searches.

mod client;
mod derived_id;
mod curate;
mod file;
mod named;
mod suggest;
mod text;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use catalog_events::{KindForm, RuleForm};
use catalog_proto::v1::SearchRuleType;
use clap::Subcommand;
use client_kit::output;
use serde_json::json;

use crate::endpoints::EndpointArgs;
use crate::rules::client::Rules;
use crate::rules::curate::{HideArgs, PinArgs};
use crate::rules::derived_id::derived_id;
use crate::rules::file::{read_file, read_rules};
use crate::rules::suggest::SuggestArgs;
use crate::rules::text::show;

/// The exit code of what cannot be understood.
const WRONG_USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct SynonymsArgs {
    #[command(subcommand)]
    command: SynonymsCommand,
}

#[derive(Debug, Subcommand)]
enum SynonymsCommand {
    /// Shows the synonyms that people have stated
    List {
        /// Prints one JSON object a rule
        #[arg(long)]
        json: bool,
    },
    /// Makes words or phrases count as the same: a search for one finds all
    Add {
        /// A phrase of several words needs quotes
        #[arg(required = true, num_args = 2.., value_name = "TERM")]
        terms: Vec<String>,
        #[command(flatten)]
        options: AddOptions,
    },
    /// Makes a search for FROM find TO as well, not the other way round
    AddOneWay {
        #[arg(value_name = "FROM")]
        from: String,
        #[arg(required = true, value_name = "TO")]
        to: Vec<String>,
        #[command(flatten)]
        options: AddOptions,
    },
    /// Makes words or phrases never count as the same, whatever other rules say: the pair is
    /// suggested no more
    Forbid {
        /// A phrase of several words needs quotes
        #[arg(required = true, num_args = 2.., value_name = "TERM")]
        terms: Vec<String>,
        #[command(flatten)]
        options: AddOptions,
    },
    /// Looks for pairs of words that the catalog seems to use for the same
    Suggest(SuggestArgs),
    /// Removes synonyms by the id that `list` shows
    Remove {
        #[arg(value_name = "ID")]
        id: String,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct AddOptions {
    /// The id of the new rule, which must not exist [default: derived from the terms]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// A note for people, for instance why
    #[arg(long, default_value = "")]
    note: String,
    /// Prints the rule as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Shows all rules: synonyms, and what is done to the answers of some queries
    List {
        /// Prints one JSON object a rule
        #[arg(long)]
        json: bool,
    },
    /// Prints a rule as JSON, which `put` reads
    Get {
        #[arg(value_name = "ID")]
        id: String,
        /// In one line
        #[arg(long)]
        json: bool,
    },
    /// Shows a product at a place in the answers to a query
    Pin(PinArgs),
    /// Leaves a product out of the answers to a query
    Hide(HideArgs),
    /// Creates or replaces rules from a file of JSON objects
    ///
    /// An object that states a `version`, as `get` and `list --json` print it, is refused where the rule is
    /// at another one by now, unless --any-version is given; without one it replaces what is there. For
    /// instance:
    ///
    /// {"id": "mice", "kind": {"type": "curation", "queries": ["gaming mouse"], "matching": "contains",
    /// "actions": [{"action": "pin", "product_id": "p-1", "position": 1}, {"action": "hide", "target":
    /// {"brand": "Acme"}}, {"action": "boost", "target": {"category": ["Mice"]}, "factor": 2}]},
    /// "ends_at": "2027-01-31T00:00:00Z", "note": "January sale"}
    #[command(verbatim_doc_comment)]
    Put {
        /// `-` for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Replaces rules whatever version they are at
        #[arg(long)]
        any_version: bool,
        /// Prints one JSON object a rule
        #[arg(long)]
        json: bool,
    },
    /// Deletes a rule
    Delete {
        #[arg(value_name = "ID")]
        id: String,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn synonyms(
    args: SynonymsArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<ExitCode> {
    let rules = || Rules::of(endpoints);
    match args.command {
        SynonymsCommand::Suggest(args) => return suggest::suggest(args, endpoints).await,
        SynonymsCommand::List { json } => {
            let kind = SearchRuleType::Synonyms;
            list(&mut rules()?, kind, json, "no synonyms").await?;
        }
        SynonymsCommand::Add { terms, options } => {
            let terms = in_order(terms);
            add(&mut rules()?, KindForm::Synonyms { terms }, options).await?;
        }
        SynonymsCommand::Forbid { terms, options } => {
            let terms = in_order(terms);
            add(&mut rules()?, KindForm::Distinct { terms }, options).await?;
        }
        SynonymsCommand::AddOneWay { from, to, options } => {
            let kind = KindForm::OneWaySynonyms { from, to };
            add(&mut rules()?, kind, options).await?;
        }
        SynonymsCommand::Remove { id, json } => remove_synonyms(&mut rules()?, id, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn rules(args: RulesArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let mut rules = Rules::of(endpoints)?;
    match args.command {
        RulesCommand::List { json } => {
            list(&mut rules, SearchRuleType::Unspecified, json, "no rules").await?;
        }
        RulesCommand::Get { id, json } => {
            let rule = rules.get(id).await?;
            if json {
                output::json(&rule)?;
            } else {
                // JSON escapes control characters.
                output::line(&serde_json::to_string_pretty(&rule)?)?;
            }
        }
        RulesCommand::Pin(args) => curate::pin(&mut rules, args, endpoints).await?,
        RulesCommand::Hide(args) => curate::hide(&mut rules, args, endpoints).await?,
        RulesCommand::Put {
            file,
            any_version,
            json,
        } => {
            // The whole file is read before the first rule is put.
            let forms = match read_rules(&read_file(&file)?) {
                Ok(forms) => forms,
                Err(err) => {
                    eprintln!("error: {err:#}; `catalogctl rules put --help` has an example");
                    return Ok(ExitCode::from(WRONG_USAGE));
                }
            };
            let mut named = BTreeSet::new();
            for (form, version) in forms {
                let expected = version.filter(|_| !any_version);
                let rule = rules.put(form, expected).await?;
                show(&rule, json)?;
                named.extend(named::products(&rule.form.kind));
            }
            curate::tell_unknown(&named, endpoints).await;
        }
        RulesCommand::Delete { id, json } => delete(&mut rules, &id, None, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The terms without repeats. Synonyms have no order: the same terms again are the same rule.
fn in_order(terms: Vec<String>) -> Vec<String> {
    let terms: BTreeSet<String> = terms.into_iter().collect();
    terms.into_iter().collect()
}

async fn list(
    rules: &mut Rules,
    kind: SearchRuleType,
    json: bool,
    none: &str,
) -> anyhow::Result<()> {
    let count = rules.list(kind, |rule| show(rule, json)).await?;
    if count == 0 && !json {
        output::line(none)?;
    }
    Ok(())
}

async fn add(rules: &mut Rules, kind: KindForm, options: AddOptions) -> anyhow::Result<()> {
    let AddOptions { id, note, json } = options;
    // A derived id names these terms and no others: adding them again changes nothing.
    let expected = id.is_some().then_some(0);
    let form = RuleForm {
        id: id.unwrap_or_else(|| derived_id(&kind)),
        kind,
        disabled: false,
        starts_at: None,
        ends_at: None,
        note,
    };
    let rule = rules.put(form, expected).await?;
    show(&rule, json)
}

async fn remove_synonyms(rules: &mut Rules, id: String, json: bool) -> anyhow::Result<()> {
    let found = rules.get(id.clone()).await?;
    if matches!(found.form.kind, KindForm::Curation { .. }) {
        bail!("{id} is no rule of synonyms: delete it with `catalogctl rules delete {id}`");
    }
    delete(rules, &id, Some(found.version), json).await
}

async fn delete(
    rules: &mut Rules,
    id: &str,
    expected_version: Option<i64>,
    json: bool,
) -> anyhow::Result<()> {
    let version = rules.delete(id, expected_version).await?;
    if json {
        output::json(&json!({ "id": id, "version": version }))
    } else {
        Ok(output::line(&format!("{} deleted", output::plain(id)))?)
    }
}

#[cfg(test)]
mod tests;
