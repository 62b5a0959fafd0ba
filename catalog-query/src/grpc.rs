//! The gRPC face of the read side. The only file that maps errors to statuses is `grpc/error.rs`.

mod error;
mod operations;

use std::sync::Arc;

use catalog_events::{ProductId, ReadSource};
use catalog_proto::v1;
use catalog_proto::v1::catalog_service_server::CatalogService;
use tonic::{Request, Response, Status};

use crate::grpc::error::{invalid, not_found, repository_status, search_status};
use crate::read_model::ProductRepository;
use crate::reads::ReadRecorder;
use crate::search::{SearchStrategyFactory, StrategyKind};

pub(crate) use crate::grpc::error::not_serving_yet;
pub(crate) use crate::grpc::operations::Operations;

const BATCH_IDS_MAX: usize = 100;
const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 100;

pub(crate) struct CatalogGrpc<R> {
    pub(crate) repository: Arc<R>,
    pub(crate) strategies: Arc<SearchStrategyFactory>,
    pub(crate) reads: ReadRecorder,
}

#[tonic::async_trait]
impl<R: ProductRepository> CatalogService for CatalogGrpc<R> {
    async fn get_product(
        &self,
        request: Request<v1::GetProductRequest>,
    ) -> Result<Response<v1::Product>, Status> {
        // A text that is no product id names no product.
        let id: ProductId = request.into_inner().id.parse().map_err(|_| not_found())?;
        let found = self.repository.get(&id).await.map_err(repository_status)?;
        let product = found.ok_or_else(not_found)?;
        self.reads.record(&id, ReadSource::Get);
        Ok(Response::new(Arc::unwrap_or_clone(product)))
    }

    async fn batch_get_products(
        &self,
        request: Request<v1::BatchGetProductsRequest>,
    ) -> Result<Response<v1::BatchGetProductsResponse>, Status> {
        let names = request.into_inner().ids;
        if names.len() > BATCH_IDS_MAX {
            return Err(invalid(
                "ids",
                format!("has more than {BATCH_IDS_MAX} entries"),
            ));
        }
        let ids: Vec<ProductId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let found = self
            .repository
            .get_many(&ids)
            .await
            .map_err(repository_status)?;
        let mut products = Vec::with_capacity(ids.len());
        for id in &ids {
            if let Some(product) = found.get(id) {
                self.reads.record(id, ReadSource::Batch);
                products.push(v1::Product::clone(product));
            }
        }
        Ok(Response::new(v1::BatchGetProductsResponse {
            products,
            ..Default::default()
        }))
    }

    async fn search_products(
        &self,
        request: Request<v1::SearchProductsRequest>,
    ) -> Result<Response<v1::SearchProductsResponse>, Status> {
        let request = request.into_inner();
        let limit = limit(request.limit)?;
        let kind = match request.strategy() {
            v1::SearchStrategy::Unspecified | v1::SearchStrategy::Hybrid => StrategyKind::Hybrid,
            v1::SearchStrategy::Keyword => StrategyKind::Keyword,
            v1::SearchStrategy::Vector => StrategyKind::Vector,
        };
        let strategy = self.strategies.strategy(kind);
        let outcome = strategy
            .search(&request.query, limit)
            .await
            .map_err(search_status)?;
        let ids: Vec<ProductId> = outcome
            .hits
            .iter()
            .map(|hit| hit.product_id.clone())
            .collect();
        let found = self
            .repository
            .get_many(&ids)
            .await
            .map_err(repository_status)?;
        // An index may be a moment ahead of or behind the documents: what is gone is left out.
        let products = ids.iter().filter_map(|id| found.get(id));
        Ok(Response::new(v1::SearchProductsResponse {
            products: products
                .map(|product| v1::Product::clone(product))
                .collect(),
            strategy: match outcome.strategy {
                StrategyKind::Keyword => v1::SearchStrategy::Keyword,
                StrategyKind::Vector => v1::SearchStrategy::Vector,
                StrategyKind::Hybrid => v1::SearchStrategy::Hybrid,
            }
            .into(),
            degraded: outcome.degraded,
            ..v1::SearchProductsResponse::default()
        }))
    }
}

/// 0 means the default, as older clients leave it unset; more than the most means the most.
fn limit(limit: i32) -> Result<usize, Status> {
    match usize::try_from(limit) {
        Ok(0) => Ok(LIMIT_DEFAULT),
        Ok(limit) => Ok(limit.min(LIMIT_MAX)),
        Err(_) => Err(invalid("limit", "is negative")),
    }
}
