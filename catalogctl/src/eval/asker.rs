//! Asks the running catalog as any client does, through the gRPC API.

use anyhow::Context as _;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::{SearchProductsRequest, SearchProductsResponse};
use client_kit::{Target, bounded};
use service_kit::GrpcChannel;

use crate::search::Strategy;

/// The time limit of a search. An evaluation can wait: what counts is the whole answer.
const BUDGET_MS: i32 = 2_000;

/// How a query is asked, but for its words.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) strategy: Strategy,
    /// The name of the ranking profile; empty for that of the service.
    pub(super) profile: String,
    /// How many products are listed, 100 at most.
    pub(super) limit: i32,
}

pub(super) struct Asker {
    client: CatalogServiceClient<GrpcChannel>,
    target: Target,
    degraded: usize,
}

impl Asker {
    pub(super) fn new(target: Target) -> anyhow::Result<Self> {
        Ok(Self {
            client: CatalogServiceClient::new(target.channel()?),
            target,
            degraded: 0,
        })
    }

    pub(super) async fn search(
        &mut self,
        query: &str,
        manner: &Manner,
    ) -> anyhow::Result<SearchProductsResponse> {
        let request = SearchProductsRequest {
            query: query.to_owned(),
            limit: manner.limit,
            strategy: catalog_proto::v1::SearchStrategy::from(manner.strategy).into(),
            ranking_profile: manner.profile.clone(),
            budget_ms: BUDGET_MS,
            ..SearchProductsRequest::default()
        };
        self.ask(request).await
    }

    pub(super) async fn ask(
        &mut self,
        request: SearchProductsRequest,
    ) -> anyhow::Result<SearchProductsResponse> {
        let query = request.query.clone();
        // What operators try is nothing that shoppers asked for.
        let request = SearchProductsRequest {
            untracked: true,
            ..request
        };
        let answer = self.client.search_products(bounded(request)).await;
        let answer = answer
            .map_err(|status| self.target.error(&status))
            .with_context(|| format!("query {query:?}"))?
            .into_inner();
        self.degraded += usize::from(answer.degraded);
        Ok(answer)
    }

    /// Says on standard error how many answers were incomplete, if any were.
    pub(super) fn admit_degraded(&self) {
        let degraded = self.degraded;
        if degraded > 0 {
            eprintln!("note: {degraded} answers were degraded; the figures are of what did answer");
        }
    }
}
