//! `catalogctl eval`: measures how well a running catalog finds what people judged relevant. It
//! asks through the gRPC API, as any client does.

mod judgments;
mod measures;
mod report;
mod typos;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::{SearchProductsRequest, SearchProductsResponse, SearchStrategy};
use client_kit::{Target, bounded, output};
use tonic::transport::Channel;

use self::measures::{Measures, Ratings};
use self::report::{Measured, Report, Run};
use crate::endpoints::EndpointArgs;
use crate::search::Strategy;

/// How many products each search returns: as many as recall is measured over.
const LIMIT: i32 = 50;
/// The time limit of a search. An evaluation can wait: what counts is the whole answer.
const BUDGET_MS: i32 = 2_000;

#[derive(Debug, clap::Args)]
pub(crate) struct EvalArgs {
    /// CSV with the columns query, docid and rating (0: irrelevant)
    #[arg(long, value_name = "FILE")]
    judgments: PathBuf,
    /// Strategies to evaluate
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Strategy::Keyword, Strategy::Vector, Strategy::Hybrid])]
    strategy: Vec<Strategy>,
    /// Makes one typing mistake in every query that has a word of four letters
    #[arg(long, value_name = "SEED")]
    typos: Option<u64>,
    /// The ranking profile [default: that of the service]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    profile: String,
    /// Saves the measures of every query for a later --compare
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Compares with a run that was saved
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn command(args: EvalArgs, endpoints: &EndpointArgs) -> anyhow::Result<ExitCode> {
    let judgments = judgments::read(&args.judgments)?;
    let saved = args.compare.as_deref().map(load).transpose()?;
    let target = endpoints.resolve()?.query;
    let client = CatalogServiceClient::new(target.channel()?);
    let mut asker = Asker {
        client,
        target,
        profile: args.profile.clone(),
        typos: args.typos,
        degraded: 0,
    };
    let mut run = Run::default();
    for strategy in &args.strategy {
        let measured = asker.measure(*strategy, &judgments).await?;
        run.strategies.insert(strategy.name().to_owned(), measured);
    }
    if let Some(file) = &args.save {
        let text = serde_json::to_string_pretty(&run)?;
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let report = Report::of(&run, saved.as_ref());
    if args.json {
        output::json(&report)?;
    } else {
        output::text(&report.text())?;
    }
    if asker.degraded > 0 {
        let degraded = asker.degraded;
        eprintln!("note: {degraded} answers were degraded; the figures are of what did answer");
    }
    Ok(ExitCode::SUCCESS)
}

struct Asker {
    client: CatalogServiceClient<Channel>,
    target: Target,
    profile: String,
    typos: Option<u64>,
    degraded: usize,
}

impl Asker {
    async fn measure(
        &mut self,
        strategy: Strategy,
        judgments: &BTreeMap<String, Ratings>,
    ) -> anyhow::Result<BTreeMap<String, Measured>> {
        let mut measured = BTreeMap::new();
        for (query, ratings) in judgments {
            let typed = match self.typos {
                Some(seed) => typos::mistype(query, seed),
                None => query.clone(),
            };
            let answer = self.search(&typed, strategy.into()).await?;
            self.degraded += usize::from(answer.degraded);
            let ids: Vec<String> = answer
                .products
                .into_iter()
                .map(|product| product.id)
                .collect();
            let corrected = Some(answer.corrected_query).filter(|text| !text.is_empty());
            let of_query = Measured {
                mistyped: (typed != *query).then_some(typed),
                corrected,
                ..Measured::new(&Measures::of(&ids, ratings))
            };
            measured.insert(query.clone(), of_query);
        }
        Ok(measured)
    }

    async fn search(
        &mut self,
        query: &str,
        strategy: SearchStrategy,
    ) -> anyhow::Result<SearchProductsResponse> {
        let request = SearchProductsRequest {
            query: query.to_owned(),
            limit: LIMIT,
            strategy: strategy.into(),
            ranking_profile: self.profile.clone(),
            budget_ms: BUDGET_MS,
            untracked: true,
            ..SearchProductsRequest::default()
        };
        let answer = self.client.search_products(bounded(request)).await;
        Ok(answer
            .map_err(|status| self.target.error(&status))
            .with_context(|| format!("query {query:?}"))?
            .into_inner())
    }
}

fn load(file: &Path) -> anyhow::Result<Run> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let run = serde_json::from_str(&text);
    run.with_context(|| format!("{} is no saved evaluation", file.display()))
}
