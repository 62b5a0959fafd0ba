//! Products like one, and the ends of what is being typed.

use catalog_events::ProductId;
use catalog_proto::v1;
use tonic::Status;

use crate::consistency::Expectation;
use crate::grpc::CatalogGrpc;
use crate::grpc::error::{invalid, invalid_field, not_found, repository_status, search_status};
use crate::grpc::search::limit;
use crate::read_model::ProductRepository;
use crate::search::parse_filter;

const PREFIX_BYTES_MAX: usize = 100;
const SUGGESTIONS_DEFAULT: usize = 8;
const SUGGESTIONS_MAX: usize = 50;

impl<R: ProductRepository> CatalogGrpc<R> {
    pub(crate) async fn answer_similar(
        &self,
        request: v1::SimilarProductsRequest,
    ) -> Result<v1::SimilarProductsResponse, Status> {
        let limit = limit(request.limit)?;
        let filter = request.filter.as_ref().map(parse_filter);
        let filter = filter.transpose().map_err(invalid_field)?;
        let id: ProductId = request.id.parse().map_err(|_| not_found())?;
        let held = self.repository.get(&id, None).await;
        let product = held.map_err(repository_status)?.product;
        let product = product.ok_or_else(not_found)?;
        let similar = self.search.similar(&id, &product, filter, limit).await;
        let similar = similar.map_err(search_status)?;
        let ids: Vec<ProductId> = similar.hits.into_iter().map(|hit| hit.product_id).collect();
        let (products, _) = self.read(&ids, &Expectation::default()).await?;
        Ok(v1::SimilarProductsResponse {
            products,
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
        let limit = match usize::try_from(request.limit) {
            Ok(0) => SUGGESTIONS_DEFAULT,
            Ok(limit) => limit.min(SUGGESTIONS_MAX),
            Err(_) => return Err(invalid("limit", "is negative")),
        };
        let found = self.search.complete(&request.prefix, limit).await;
        let suggestions = found.map_err(search_status)?.into_iter();
        let suggestions = suggestions.map(|suggestion| v1::Suggestion {
            text: suggestion.text,
            documents: i64::try_from(suggestion.documents).unwrap_or(i64::MAX),
            views: i64::try_from(suggestion.views).unwrap_or(i64::MAX),
        });
        Ok(v1::AutocompleteResponse {
            suggestions: suggestions.collect(),
        })
    }
}
