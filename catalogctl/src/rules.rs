//! `catalogctl synonyms` and `catalogctl rules`: what people who know the catalogue say about searches.

mod suggest;
mod text;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use catalog_events::{KindForm, RuleForm, StoredRule};
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use catalog_proto::v1::{
    DeleteSearchRuleRequest, GetSearchRuleRequest, ListSearchRulesRequest, PutSearchRuleRequest,
    SearchRuleType,
};
use clap::Subcommand;
use client_kit::{Target, bounded, output};
use serde_json::{Map, Value, json};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::endpoints::EndpointArgs;
use crate::rules::suggest::SuggestArgs;

/// Of a derived id, which has its hash behind.
const SLUG_BYTES_MAX: usize = 40;

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
    /// Makes words or phrases count as the same: whoever asks for one finds all
    Add {
        /// A phrase of several words needs quotes
        #[arg(required = true, num_args = 2.., value_name = "TERM")]
        terms: Vec<String>,
        #[command(flatten)]
        options: AddOptions,
    },
    /// Makes whoever asks for FROM find TO as well, not the other way round
    AddOneWay {
        #[arg(value_name = "FROM")]
        from: String,
        #[arg(required = true, value_name = "TO")]
        to: Vec<String>,
        #[command(flatten)]
        options: AddOptions,
    },
    /// Looks for pairs of words that the catalogue seems to use for the same
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
    /// Of the new rule, which must not exist [default: derived from the terms]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Why, for people
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
    /// Creates or replaces rules from a file of JSON objects
    ///
    /// A `version`, as `get` and `list --json` print it, must still be that of the rule, unless
    /// --any-version is given.
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
            rules()?
                .list(SearchRuleType::Synonyms, json, "no synonyms")
                .await?;
        }
        SynonymsCommand::Add { terms, options } => {
            // They have no order: the same ones again are the same rule.
            let terms: BTreeSet<String> = terms.into_iter().collect();
            let terms = terms.into_iter().collect();
            rules()?.add(KindForm::Synonyms { terms }, options).await?;
        }
        SynonymsCommand::AddOneWay { from, to, options } => {
            rules()?
                .add(KindForm::OneWaySynonyms { from, to }, options)
                .await?;
        }
        SynonymsCommand::Remove { id, json } => rules()?.remove_synonyms(id, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn rules(args: RulesArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let mut rules = Rules::of(endpoints)?;
    match args.command {
        RulesCommand::List { json } => {
            rules
                .list(SearchRuleType::Unspecified, json, "no rules")
                .await?;
        }
        RulesCommand::Get { id, json } => {
            let rule = rules.get(id).await?;
            match json {
                true => output::json(&rule)?,
                // JSON escapes control characters.
                false => output::line(&serde_json::to_string_pretty(&rule)?)?,
            }
        }
        RulesCommand::Put {
            file,
            any_version,
            json,
        } => {
            // All are read before the first is put.
            for (form, version) in read_rules(&read_file(&file)?)? {
                let expected = version.filter(|_| !any_version);
                let rule = rules.put(form, expected).await?;
                show(&rule, json)?;
            }
        }
        RulesCommand::Delete { id, json } => rules.delete(id, None, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The write service's rules.
struct Rules {
    target: Target,
    client: SearchRuleServiceClient<Channel>,
}

impl Rules {
    fn of(endpoints: &EndpointArgs) -> anyhow::Result<Self> {
        let target = endpoints.resolve()?.command;
        let client = SearchRuleServiceClient::new(target.channel()?);
        Ok(Self { target, client })
    }

    async fn list(&mut self, kind: SearchRuleType, json: bool, none: &str) -> anyhow::Result<()> {
        let mut page_token = String::new();
        let mut count = 0;
        loop {
            let request = ListSearchRulesRequest {
                r#type: kind.into(),
                limit: 0,
                page_token,
            };
            let page = self.client.list_search_rules(bounded(request)).await;
            let page = page.map_err(|status| self.target.error(&status))?;
            let page = page.into_inner();
            count += page.rules.len();
            for rule in page.rules {
                show(&StoredRule::from(rule), json)?;
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if count == 0 && !json {
            output::line(none)?;
        }
        Ok(())
    }

    async fn get(&mut self, id: String) -> anyhow::Result<StoredRule> {
        let request = GetSearchRuleRequest { id: id.clone() };
        let found = self.client.get_search_rule(bounded(request)).await;
        let found = found.map_err(|status| self.explain(&id, &status, "ask again"))?;
        Ok(found.into_inner().into())
    }

    async fn add(&mut self, kind: KindForm, options: AddOptions) -> anyhow::Result<()> {
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
        let rule = self.put(form, expected).await?;
        show(&rule, json)
    }

    async fn put(
        &mut self,
        form: RuleForm,
        expected_version: Option<i64>,
    ) -> anyhow::Result<StoredRule> {
        let id = form.id.clone();
        let request = PutSearchRuleRequest {
            rule: Some(form.into_message()),
            expected_version,
            ..PutSearchRuleRequest::default()
        };
        let written = self.client.put_search_rule(bounded(request)).await;
        let if_changed =
            "get it again and make the change anew, or give --any-version to replace it";
        let written = written.map_err(|status| self.explain(&id, &status, if_changed))?;
        let rule = written.into_inner().rule;
        let rule = rule.context("the write service answered without the rule")?;
        Ok(rule.into())
    }

    async fn remove_synonyms(&mut self, id: String, json: bool) -> anyhow::Result<()> {
        let found = self.get(id.clone()).await?;
        if matches!(found.form.kind, KindForm::Curation { .. }) {
            bail!("{id} is no rule of synonyms: delete it with `catalogctl rules delete {id}`");
        }
        self.delete(id, Some(found.version), json).await
    }

    async fn delete(
        &mut self,
        id: String,
        expected_version: Option<i64>,
        json: bool,
    ) -> anyhow::Result<()> {
        let request = DeleteSearchRuleRequest {
            id: id.clone(),
            expected_version,
            ..DeleteSearchRuleRequest::default()
        };
        let deleted = self.client.delete_search_rule(bounded(request)).await;
        let if_changed = "see what it is now, and delete it again if that is still wanted";
        let deleted = deleted.map_err(|status| self.explain(&id, &status, if_changed))?;
        let version = deleted.into_inner().version;
        match json {
            true => output::json(&json!({ "id": id, "version": version })),
            false => Ok(output::line(&format!("{} deleted", output::plain(&id)))?),
        }
    }

    /// With what to do; `if_changed` where somebody else has written the rule meanwhile.
    fn explain(&self, id: &str, status: &Status, if_changed: &str) -> anyhow::Error {
        let hint = match (status.code(), service_kit::reason(status).as_deref()) {
            (Code::NotFound, _) => "`catalogctl rules list` shows those that exist",
            (Code::Aborted, Some("RULE_EXISTS")) => {
                "remove it first, choose another id, or replace it with `catalogctl rules put`"
            }
            (Code::Aborted, _) => if_changed,
            _ => return self.target.error(status).context(format!("rule {id:?}")),
        };
        anyhow::anyhow!("rule {id:?}: {}: {hint}", status.message())
    }
}

fn show(rule: &StoredRule, json: bool) -> anyhow::Result<()> {
    match json {
        true => output::json(rule),
        false => Ok(output::line(&text::line(rule))?),
    }
}

fn read_file(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Rules with the versions they were read at, where they say so.
fn read_rules(text: &str) -> anyhow::Result<Vec<(RuleForm, Option<i64>)>> {
    let objects = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    let mut rules = Vec::new();
    for (index, object) in objects.enumerate() {
        let number = index + 1;
        let object = object.with_context(|| format!("rule {number} is no JSON object"))?;
        rules.push(read_rule(object).with_context(|| format!("rule {number}"))?);
    }
    if rules.is_empty() {
        bail!("there is no rule in it");
    }
    Ok(rules)
}

fn read_rule(mut object: Map<String, Value>) -> anyhow::Result<(RuleForm, Option<i64>)> {
    let version = match object.remove("version") {
        None | Some(Value::Null) => None,
        Some(version) => Some(version.as_i64().context("version is no whole number")?),
    };
    for kept_by_the_service in ["created_at", "updated_at"] {
        object.remove(kept_by_the_service);
    }
    let form: RuleForm = serde_json::from_value(Value::Object(object))?;
    if form.id.is_empty() {
        bail!("it has no id");
    }
    Ok((form, version))
}

/// Readable, and equal for the same terms in whatever order and letter case.
fn derived_id(kind: &KindForm) -> String {
    let normal = |term: &String| term.trim().to_lowercase();
    let (prefix, terms) = match kind {
        KindForm::Synonyms { terms } => {
            let terms: BTreeSet<String> = terms.iter().map(normal).collect();
            ("syn", terms.into_iter().collect())
        }
        KindForm::OneWaySynonyms { from, to } => {
            let to: BTreeSet<String> = to.iter().map(normal).collect();
            let mut terms = vec![normal(from)];
            terms.extend(to);
            ("one-way", terms)
        }
        KindForm::Curation { .. } | KindForm::Unknown => ("rule", Vec::new()),
    };
    let hash = fnv1a(terms.join("\n").as_bytes());
    format!("{prefix}-{}{hash:016x}", slug(&terms.join("-")))
}

/// With a dash behind, or nothing where no letter is of ASCII.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(SLUG_BYTES_MAX);
    match slug.trim_end_matches('-') {
        "" => String::new(),
        slug => format!("{slug}-"),
    }
}

/// FNV-1a of 64 bits: the same in every release.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
