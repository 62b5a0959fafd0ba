//! The peer's read side.

use catalog_proto::v1::catalog_service_server::CatalogService;
use catalog_proto::v1::usage_service_server::UsageService;
use catalog_proto::v1::*;
use tonic::{Request, Response, Status};

use crate::peer::Handler;

#[tonic::async_trait]
impl CatalogService for Handler {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        let mut answer = self
            .serve("GetProduct", request, |state, message| {
                let found = match state.lagging.pop_front() {
                    Some(found) => found,
                    None => state.products.get(&message.id).cloned(),
                };
                found.ok_or_else(|| Status::not_found("no such product"))
            })
            .await;
        if self.is_stale() {
            let metadata = match &mut answer {
                Ok(response) => response.metadata_mut(),
                Err(status) => status.metadata_mut(),
            };
            metadata.insert("catalog-stale", "true".parse().expect("ASCII"));
        }
        answer
    }

    /// Answers in the order of the map, so that the order asked is the BFF's own work.
    async fn batch_get_products(
        &self,
        request: Request<BatchGetProductsRequest>,
    ) -> Result<Response<BatchGetProductsResponse>, Status> {
        self.serve("BatchGetProducts", request, |state, message| {
            let products = state.products.values();
            let wanted = products.filter(|product| message.ids.contains(&product.id));
            Ok(BatchGetProductsResponse {
                products: wanted.cloned().collect(),
                stale: state.stale,
            })
        })
        .await
    }

    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        self.serve("ListProducts", request, |_, _| {
            Err(Status::unimplemented("ListProducts"))
        })
        .await
    }

    async fn search_products(
        &self,
        request: Request<SearchProductsRequest>,
    ) -> Result<Response<SearchProductsResponse>, Status> {
        self.serve("SearchProducts", request, |state, message| {
            if let Some(answer) = &state.search {
                return Ok(answer.clone());
            }
            let products = state.products.values();
            let matches = products.filter(|product| product.title.contains(&message.query));
            let degraded = message.strategy() == SearchStrategy::Vector;
            let strategy = if degraded {
                SearchStrategy::Keyword.into()
            } else {
                message.strategy
            };
            Ok(SearchProductsResponse {
                products: matches.take(message.limit as usize).cloned().collect(),
                strategy,
                degraded,
                stale: state.stale,
                ..SearchProductsResponse::default()
            })
        })
        .await
    }

    async fn autocomplete(
        &self,
        request: Request<AutocompleteRequest>,
    ) -> Result<Response<AutocompleteResponse>, Status> {
        self.serve("Autocomplete", request, |state, message| {
            let titles = state.products.values().map(|product| &product.title);
            let endings = titles.filter(|title| title.starts_with(&message.prefix));
            let suggestions = endings.map(|title| Suggestion {
                text: title.clone(),
                documents: 1,
                views: 2,
                popular: title.ends_with('!'),
                searches: 9,
            });
            Ok(AutocompleteResponse {
                suggestions: suggestions.take(message.limit as usize).collect(),
                stale: false,
            })
        })
        .await
    }

    async fn similar_products(
        &self,
        request: Request<SimilarProductsRequest>,
    ) -> Result<Response<SimilarProductsResponse>, Status> {
        self.serve("SimilarProducts", request, |state, message| {
            let products = state.products.values();
            let others = products.filter(|product| product.id != message.id);
            Ok(SimilarProductsResponse {
                products: others.take(message.limit as usize).cloned().collect(),
                degraded: false,
                stale: false,
            })
        })
        .await
    }
}

#[tonic::async_trait]
impl UsageService for Handler {
    async fn record_click(
        &self,
        request: Request<RecordClickRequest>,
    ) -> Result<Response<RecordClickResponse>, Status> {
        self.serve("RecordClick", request, |_, _| Ok(RecordClickResponse {}))
            .await
    }

    async fn get_search_analytics(
        &self,
        request: Request<GetSearchAnalyticsRequest>,
    ) -> Result<Response<GetSearchAnalyticsResponse>, Status> {
        self.serve("GetSearchAnalytics", request, |state, _| {
            Ok(state.analytics.clone())
        })
        .await
    }
}
