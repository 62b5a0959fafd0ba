//! `catalogctl search` and `catalogctl get`: show products as the read service has them.

pub(crate) mod analytics;
pub(crate) mod history;
pub(crate) mod profiles;
mod filters;
mod table;

use std::collections::HashSet;
use std::process::ExitCode;

use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::why_not::Reason;
use catalog_proto::v1::{
    BatchGetProductsRequest, Product, SearchProductsRequest, SearchStrategy, WhyNot,
};
use client_kit::{ProductJson, bounded, output};
use serde_json::json;

use crate::endpoints::EndpointArgs;
use crate::search::filters::FilterArgs;
use crate::search::table::{table, terminal_width};

/// The most ids that the read service takes in one call.
const BATCH_IDS_MAX: usize = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// What to look for; several words need no quotes. Without it, all that passes the filters
    #[arg(value_name = "QUERY", required_unless_present_any = filters::NAMES)]
    query: Vec<String>,
    #[command(flatten)]
    filters: FilterArgs,
    /// At most so many products, up to 100
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=100))]
    limit: i32,
    /// How to search [default: hybrid]
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,
    /// Ranks by this profile, one of `catalogctl profiles`
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    profile: String,
    /// Says why this product is not among those that are shown
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    why_not: String,
    /// Prints whole products, one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Strategy {
    /// By the words of the query
    Keyword,
    /// By its meaning
    Vector,
    /// By both
    Hybrid,
}

impl Strategy {
    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Vector => "vector",
            Self::Hybrid => "hybrid",
        }
    }
}

impl From<Strategy> for SearchStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Keyword => Self::Keyword,
            Strategy::Vector => Self::Vector,
            Strategy::Hybrid => Self::Hybrid,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Prints whole products, one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn search(args: SearchArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let target = endpoints.resolve()?.query;
    let strategy = args
        .strategy
        .map_or(SearchStrategy::Unspecified, SearchStrategy::from);
    let mut request = SearchProductsRequest {
        query: args.query.join(" "),
        limit: args.limit,
        strategy: strategy.into(),
        untracked: true,
        ranking_profile: args.profile,
        why_not: args.why_not.clone(),
        ..Default::default()
    };
    args.filters.apply(&mut request);
    let mut client = CatalogServiceClient::new(target.channel()?);
    let answer = client
        .search_products(bounded(request))
        .await
        .map_err(|status| target.error(&status))?
        .into_inner();
    show(&answer.products, args.json)?;
    if !answer.corrected_query.is_empty() {
        eprintln!("searched for {:?}", output::plain(&answer.corrected_query));
    }
    if answer.degraded {
        eprintln!(
            "part of the search is not available: {}",
            match answer.strategy() {
                SearchStrategy::Keyword => "these are matches of words only",
                _ => "these may not be the best matches",
            }
        );
    }
    if answer.products.is_empty() {
        eprintln!("nothing found");
    }
    let Some(why) = &answer.why_not else {
        return Ok(ExitCode::SUCCESS);
    };
    show_why_not(&args.why_not, why, args.json)?;
    Ok(match why.reason() {
        Reason::UnknownProduct => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// Why a product is not among those that are shown, or at which place it is.
fn show_why_not(id: &str, why: &WhyNot, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let (detail, position) = (&why.detail, why.position);
        let why = json!({"why_not": id, "detail": detail, "position": position});
        return output::json(&why);
    }
    let place = match (why.reason(), why.position) {
        (Reason::Shown, place) if place > 0 => format!(", at place {place}"),
        _ => String::new(),
    };
    let detail = output::plain(&why.detail);
    Ok(output::line(&format!("{id}: {detail}{place}"))?)
}

pub(crate) async fn get(args: GetArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let products = products_of(&args.ids, endpoints).await?;
    show(&products, args.json)?;
    let missing = missing(&args.ids, &products);
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("not found: {}", missing.join(", "));
    Ok(ExitCode::FAILURE)
}

/// The products with these ids that the read service has.
pub(crate) async fn products_of(
    ids: &[String],
    endpoints: &EndpointArgs,
) -> anyhow::Result<Vec<Product>> {
    let target = endpoints.resolve()?.query;
    let mut client = CatalogServiceClient::new(target.channel()?);
    let mut products = Vec::new();
    for ids in ids.chunks(BATCH_IDS_MAX) {
        let request = BatchGetProductsRequest {
            ids: ids.to_vec(),
            ..Default::default()
        };
        let answer = client
            .batch_get_products(bounded(request))
            .await
            .map_err(|status| target.error(&status))?;
        products.extend(answer.into_inner().products);
    }
    Ok(products)
}

/// The ids that no product has.
pub(crate) fn missing<'a>(ids: &'a [String], products: &[Product]) -> Vec<&'a str> {
    let found: HashSet<&str> = products.iter().map(|product| product.id.as_str()).collect();
    let ids = ids.iter().map(String::as_str);
    ids.filter(|id| !found.contains(id)).collect()
}

fn show(products: &[Product], json: bool) -> anyhow::Result<()> {
    if !json {
        let table = table(products, terminal_width());
        return Ok(output::text(&table)?);
    }
    for product in products {
        output::json(&ProductJson::from(product))?;
    }
    Ok(())
}
