//! `catalogctl rules pin` and `hide`: the rules that people want most, without a file.

use std::collections::BTreeSet;

use catalog_events::{ActionForm, KindForm, QueryMatch, RuleForm, StoredRule, TargetForm};
use catalog_proto::v1::BatchGetProductsRequest;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use client_kit::{bounded, output};

use crate::endpoints::EndpointArgs;
use crate::rules::client::Rules;
use crate::rules::derived_id::derived_id;
use crate::rules::text::show;

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

/// Puts a rule whose id names its query and action: the same again changes nothing.
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
    tell_unknown_products(&rule, endpoints).await
}

/// Tells of products that a rule names and the read service does not have: they may come later, or be
/// misspelt.
pub(super) async fn tell_unknown_products(
    rule: &StoredRule,
    endpoints: &EndpointArgs,
) -> anyhow::Result<()> {
    let named = products(&rule.form.kind);
    if named.is_empty() {
        return Ok(());
    }
    let target = endpoints.resolve()?.query;
    let mut client = CatalogServiceClient::new(target.channel()?);
    let request = BatchGetProductsRequest {
        ids: named.iter().take(IDS_MAX).cloned().collect(),
        ..BatchGetProductsRequest::default()
    };
    // The rule is made, whether the read service answers or not.
    let Ok(answer) = client.batch_get_products(bounded(request)).await else {
        return Ok(());
    };
    let found: BTreeSet<String> = answer
        .into_inner()
        .products
        .into_iter()
        .map(|one| one.id)
        .collect();
    for id in named.iter().take(IDS_MAX).filter(|id| !found.contains(*id)) {
        eprintln!(
            "warning: there is no product {} at present",
            output::plain(id)
        );
    }
    Ok(())
}

/// The most ids that the read service takes in one call.
const IDS_MAX: usize = 100;

/// The products that a rule names.
fn products(kind: &KindForm) -> BTreeSet<String> {
    let KindForm::Curation { actions, .. } = kind else {
        return BTreeSet::new();
    };
    let named = actions.iter().flat_map(|action| match action {
        ActionForm::Pin { product_id, .. } => vec![product_id.clone()],
        ActionForm::Hide { target }
        | ActionForm::Boost { target, .. }
        | ActionForm::Bury { target, .. } => target.product_ids.clone(),
        ActionForm::Redirect { .. } | ActionForm::Unknown => Vec::new(),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_products_that_a_rule_names() {
        let target = |ids: &[&str]| TargetForm {
            product_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..TargetForm::default()
        };
        let actions = vec![
            ActionForm::Pin {
                product_id: "p-2".to_owned(),
                position: 1,
            },
            ActionForm::Hide {
                target: target(&["p-1", "p-2"]),
            },
            ActionForm::Redirect {
                url: "/mice".to_owned(),
            },
        ];
        let kind = KindForm::Curation {
            queries: vec!["mouse".to_owned()],
            matching: QueryMatch::Exact,
            actions,
        };
        let named: Vec<String> = products(&kind).into_iter().collect();
        assert_eq!(named, ["p-1", "p-2"]);
    }
}
