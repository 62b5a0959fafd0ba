//! Answers requests for products like one, and for the ends of what is being typed.

use catalog_events::ProductId;
use catalog_proto::encoded;
use catalog_proto::v1;
use tonic::Status;

use crate::consistency::Expectation;
use crate::grpc::CatalogGrpc;
use crate::grpc::convert::{count, limit};
use crate::grpc::error::{
    invalid, invalid_field, malformed, not_found, repository_status, search_status,
};
use crate::grpc::search::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::read_model::ProductRepository;
use crate::search::parse_filter;

const PREFIX_BYTES_MAX: usize = 100;
const SUGGESTIONS_DEFAULT: usize = 8;
const SUGGESTIONS_MAX: usize = 50;

impl<R: ProductRepository> CatalogGrpc<R> {
    pub(crate) async fn answer_similar(
        &self,
        request: v1::SimilarProductsRequest,
    ) -> Result<encoded::SimilarProductsResponse, Status> {
        let limit = limit(request.limit, LIMIT_DEFAULT, LIMIT_MAX)?;
        let filter = request
            .filter
            .as_ref()
            .map(parse_filter)
            .transpose()
            .map_err(invalid_field)?;
        let id: ProductId = request.id.parse().map_err(|_| not_found())?;
        let held = self.repository.get(&id, None).await;
        let product = held
            .map_err(repository_status)?
            .product
            .ok_or_else(not_found)?;
        let product = product.view().map_err(malformed)?;
        let similar = self
            .search
            .similar(&id, &product, filter, limit)
            .await
            .map_err(search_status)?;
        let ids: Vec<ProductId> = similar.hits.into_iter().map(|hit| hit.product_id).collect();
        let (found, _) = self.read(&ids, &Expectation::default()).await?;
        Ok(encoded::SimilarProductsResponse {
            products: found.into_iter().map(|(_, product)| product).collect(),
            degraded: similar.degraded,
        })
    }

    pub(crate) async fn answer_autocomplete(
        &self,
        request: v1::AutocompleteRequest,
    ) -> Result<v1::AutocompleteResponse, Status> {
        if request.prefix.len() > PREFIX_BYTES_MAX {
            let reason = format!("has more than {PREFIX_BYTES_MAX} bytes");
            return Err(invalid("prefix", reason));
        }
        let limit = limit(request.limit, SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX)?;
        let found = self.search.complete(&request.prefix, limit).await;
        let suggestions = found
            .map_err(search_status)?
            .into_iter()
            .map(|suggestion| v1::Suggestion {
                text: suggestion.text,
                documents: count(suggestion.documents),
                views: count(suggestion.views),
                popular: suggestion.searches.is_some(),
                searches: count(suggestion.searches.unwrap_or_default()),
            })
            .collect();
        Ok(v1::AutocompleteResponse { suggestions })
    }
}
