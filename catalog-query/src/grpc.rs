//! The gRPC API of the read side. The only file that maps errors to statuses is `grpc/error.rs`.

mod error;
mod convert;
mod search;
mod search_metrics;
mod explanation;
mod similar;
mod list;
mod list_cursor;
mod operations;
mod stream;
mod synonyms;
mod usage;
mod verification;

use std::sync::Arc;
use std::time::Instant;

use catalog_events::{ProductId, ReadSource, TokenKey};
use catalog_proto::encoded;
use catalog_proto::encoded::catalog_service_server::CatalogService;
use catalog_proto::v1;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status};

use self::error::{expectation_status, invalid, not_found, repository_status};
use crate::consistency::{Consistency, Expectation};
use crate::read_model::{Listing, ProductRepository};
use crate::search::SearchEngine;
use crate::usage::UsageRecorder;

pub(crate) use self::error::not_serving_yet;
pub(crate) use self::operations::Operations;
pub(crate) use self::search_metrics::SearchMetrics;
use self::usage::TrackedSearch;
pub(crate) use self::usage::UsageGrpc;

const BATCH_IDS_MAX: usize = 100;

/// The metadata key of an answer that may be older than the tokens of its request.
const STALE: &str = "catalog-stale";

pub(crate) struct CatalogGrpc<R> {
    pub(crate) repository: Arc<R>,
    pub(crate) search: Arc<SearchEngine>,
    pub(crate) consistency: Consistency,
    pub(crate) usage: UsageRecorder,
    pub(crate) metrics: SearchMetrics,
    pub(crate) listing: Listing,
    /// Seals the page tokens of lists.
    pub(crate) page_key: TokenKey,
}

#[tonic::async_trait]
impl<R: ProductRepository> CatalogService for CatalogGrpc<R> {
    async fn get_product(
        &self,
        request: Request<v1::GetProductRequest>,
    ) -> Result<Response<encoded::Product>, Status> {
        let request = request.into_inner();
        let tokens = &request.consistency_tokens;
        let expected = self.expectation(tokens, request.consistency_wait_ms)?;
        // A text that is no product id names no product.
        let id: ProductId = request.id.parse().map_err(|_| not_found())?;
        let caught_up = self.documents_caught_up(&expected).await;
        let at_least = expected.versions.get(&id).copied();
        let held = self
            .repository
            .get(&id, at_least)
            .await
            .map_err(repository_status)?;
        let stale = self.told_stale(!caught_up || !expected.is_met(&id, &held));
        match held.product {
            Some(product) => {
                self.usage.read(&id, ReadSource::Get);
                let mut answer = Response::new(product);
                mark(answer.metadata_mut(), stale);
                Ok(answer)
            }
            None => {
                let mut answer = not_found();
                mark(answer.metadata_mut(), stale);
                Err(answer)
            }
        }
    }

    async fn batch_get_products(
        &self,
        request: Request<v1::BatchGetProductsRequest>,
    ) -> Result<Response<encoded::BatchGetProductsResponse>, Status> {
        let request = request.into_inner();
        let names = request.ids;
        if names.len() > BATCH_IDS_MAX {
            return Err(invalid(
                "ids",
                format!("has more than {BATCH_IDS_MAX} entries"),
            ));
        }
        let tokens = &request.consistency_tokens;
        let expected = self.expectation(tokens, request.consistency_wait_ms)?;
        let caught_up = self.documents_caught_up(&expected).await;
        let ids: Vec<ProductId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let (found, met) = self.read(&ids, &expected).await?;
        for (id, _) in &found {
            self.usage.read(id, ReadSource::Batch);
        }
        Ok(Response::new(encoded::BatchGetProductsResponse {
            products: found.into_iter().map(|(_, product)| product).collect(),
            stale: self.told_stale(!caught_up || !met),
        }))
    }

    async fn list_products(
        &self,
        request: Request<v1::ListProductsRequest>,
    ) -> Result<Response<encoded::ListProductsResponse>, Status> {
        let answer = self.answer_list(request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn autocomplete(
        &self,
        request: Request<v1::AutocompleteRequest>,
    ) -> Result<Response<v1::AutocompleteResponse>, Status> {
        let answer = self.answer_autocomplete(request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn similar_products(
        &self,
        request: Request<v1::SimilarProductsRequest>,
    ) -> Result<Response<encoded::SimilarProductsResponse>, Status> {
        let answer = self.answer_similar(request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn search_products(
        &self,
        request: Request<v1::SearchProductsRequest>,
    ) -> Result<Response<encoded::SearchProductsResponse>, Status> {
        let request = request.into_inner();
        let tracked = TrackedSearch::of(&request);
        let started = Instant::now();
        let answer = self.answer_search(request).await;
        self.metrics.ended(&answer, started.elapsed());
        let mut answer = answer?;
        if let Some(tracked) = tracked {
            answer.search_id = tracked.record(&self.usage, &answer);
        }
        Ok(Response::new(answer))
    }
}

impl<R: ProductRepository> CatalogGrpc<R> {
    fn expectation(&self, tokens: &[String], wait_ms: i32) -> Result<Expectation, Status> {
        let expectation = self.consistency.expectation(tokens, wait_ms);
        expectation.map_err(expectation_status)
    }

    /// Waits for the documents. False when they did not catch up in time.
    async fn documents_caught_up(&self, expected: &Expectation) -> bool {
        self.consistency
            .documents(expected, &*self.repository)
            .await
    }

    /// The products in the order of `ids`, and whether none of them is older than its token.
    async fn read<'i>(
        &self,
        ids: &'i [ProductId],
        expected: &Expectation,
    ) -> Result<(Vec<(&'i ProductId, encoded::Product)>, bool), Status> {
        let found = self
            .repository
            .get_many(ids, &expected.versions)
            .await
            .map_err(repository_status)?;
        let held = || ids.iter().filter_map(|id| Some((id, found.get(id)?)));
        let products = held().filter_map(|(id, held)| Some((id, held.product.clone()?)));
        let met = held().all(|(id, held)| expected.is_met(id, held));
        Ok((products.collect(), met))
    }

    /// Counts an answer that is stale; returns whether it is.
    fn told_stale(&self, stale: bool) -> bool {
        if stale {
            self.consistency.answered_stale();
        }
        stale
    }
}

/// Marks an answer that is stale.
fn mark(metadata: &mut MetadataMap, stale: bool) {
    if stale {
        metadata.insert(STALE, MetadataValue::from_static("true"));
    }
}
