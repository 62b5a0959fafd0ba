//! `catalogctl rules pin` and `hide`: the rules that people want most, without a file.

use std::collections::BTreeSet;

use catalog_events::{ActionForm, KindForm, QueryMatch, RuleForm, TargetForm};
use client_kit::output;

use crate::endpoints::EndpointArgs;
use crate::rules::client::Rules;
use crate::rules::derived_id::derived_id;
use crate::rules::named::products;
use crate::rules::text::show;
use crate::search;

#[derive(Debug, clap::Args)]
pub(super) struct PinArgs {
    /// The query, in quotes where it has several words
    #[arg(value_name = "QUERY")]
    query: String,
    #[arg(value_name = "ID")]
    product_id: String,
    /// The place, from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    at: i32,
    #[command(flatten)]
    options: CurateOptions,
}

#[derive(Debug, clap::Args)]
pub(super) struct HideArgs {
    /// The query, in quotes where it has several words
    #[arg(value_name = "QUERY")]
    query: String,
    #[arg(required = true, value_name = "ID")]
    product_ids: Vec<String>,
    #[command(flatten)]
    options: CurateOptions,
}

#[derive(Debug, clap::Args)]
struct CurateOptions {
    /// For all queries with these words, and not just for this one
    #[arg(long)]
    contains: bool,
    /// A note for people, for instance why
    #[arg(long, default_value = "")]
    note: String,
    /// Prints the rule as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn pin(
    rules: &mut Rules,
    args: PinArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<()> {
    let action = ActionForm::Pin {
        product_id: args.product_id,
        position: args.at,
    };
    curate(rules, args.query, action, args.options, endpoints).await
}

pub(super) async fn hide(
    rules: &mut Rules,
    args: HideArgs,
    endpoints: &EndpointArgs,
) -> anyhow::Result<()> {
    let target = TargetForm {
        product_ids: args.product_ids,
        ..TargetForm::default()
    };
    let action = ActionForm::Hide { target };
    curate(rules, args.query, action, args.options, endpoints).await
}

/// Puts a rule whose id names its query, action and products: the same again replaces itself and no other.
async fn curate(
    rules: &mut Rules,
    query: String,
    action: ActionForm,
    options: CurateOptions,
    endpoints: &EndpointArgs,
) -> anyhow::Result<()> {
    let matching = if options.contains {
        QueryMatch::Contains
    } else {
        QueryMatch::Exact
    };
    let kind = KindForm::Curation {
        queries: vec![query],
        matching,
        actions: vec![action],
    };
    let form = RuleForm {
        id: derived_id(&kind),
        kind,
        disabled: false,
        starts_at: None,
        ends_at: None,
        note: options.note,
    };
    let rule = rules.put(form, None).await?;
    show(&rule, options.json)?;
    tell_unknown(&products(&rule.form.kind), endpoints).await;
    Ok(())
}

/// Tells of products that rules name and the read service does not have: they may come later, or be
/// misspelt. The rules are made, whether it answers or not.
pub(super) async fn tell_unknown(named: &BTreeSet<String>, endpoints: &EndpointArgs) {
    let named: Vec<String> = named.iter().cloned().collect();
    if named.is_empty() {
        return;
    }
    let Ok(products) = search::products_of(&named, endpoints).await else {
        return;
    };
    for id in search::missing(&named, &products) {
        let id = output::plain(id);
        eprintln!("warning: there is no product {id} at present");
    }
}
