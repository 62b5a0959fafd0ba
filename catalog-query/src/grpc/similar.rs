//! Answers requests for products like one, and for the ends of what is being typed.

use catalog_events::ProductId;
use catalog_proto::encoded;
use catalog_proto::v1;
use tonic::Status;

use crate::grpc::convert::{count, limit};
use crate::grpc::error::{invalid, malformed, not_found, repository_status, search_status};
use crate::grpc::search::{LIMIT_DEFAULT, LIMIT_MAX, stated_filter};
use crate::grpc::{CatalogGrpc, mark};
use crate::read_model::ProductRepository;

const PREFIX_BYTES_MAX: usize = 100;
const SUGGESTIONS_DEFAULT: usize = 8;
const SUGGESTIONS_MAX: usize = 50;

impl<R: ProductRepository> CatalogGrpc<R> {
    pub(crate) async fn answer_similar(
        &self,
        request: v1::SimilarProductsRequest,
    ) -> Result<encoded::SimilarProductsResponse, Status> {
        let limit = limit(request.limit, LIMIT_DEFAULT, LIMIT_MAX)?;
        let forced = stated_filter(None, request.forced_filter.as_ref())?;
        let filter = stated_filter(request.filter.as_ref(), request.forced_filter.as_ref())?;
        let id: ProductId = request.id.parse().map_err(|_| not_found())?;
        let tokens = &request.consistency_tokens;
        let expected = self.expectation(tokens, request.consistency_wait_ms)?;
        let seen = self.consistency.search(&expected, &*self.repository).await;
        if let Some(forced) = forced {
            // Who sees a part of the catalog hears nothing of the rest, not even that it is there.
            let passes = self.search.passes(id.clone(), forced).await;
            if !passes.map_err(search_status)? {
                return Err(not_found());
            }
        }
        let at_least = expected.versions.get(&id).copied();
        let held = self.repository.get(&id, at_least).await;
        let held = held.map_err(repository_status)?;
        let is_met = expected.is_met(&id, &held);
        let Some(product) = held.product else {
            let mut answer = not_found();
            mark(answer.metadata_mut(), self.told_stale(!is_met));
            return Err(answer);
        };
        let product = product.view().map_err(malformed)?;
        let similar = self
            .search
            .similar(&id, &product, filter, limit)
            .await
            .map_err(search_status)?;
        let ids: Vec<ProductId> = similar.hits.into_iter().map(|hit| hit.product_id).collect();
        let (found, met) = self.read(&ids, &expected).await?;
        let caught_up = seen.is_some_and(|seen| seen.still_answers());
        Ok(encoded::SimilarProductsResponse {
            products: found.into_iter().map(|(_, product)| product).collect(),
            degraded: similar.degraded,
            stale: self.told_stale(!caught_up || !is_met || !met),
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
        let tokens = &request.consistency_tokens;
        let expected = self.expectation(tokens, request.consistency_wait_ms)?;
        let seen = self.consistency.search(&expected, &*self.repository).await;
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
        let caught_up = seen.is_some_and(|seen| seen.still_answers());
        Ok(v1::AutocompleteResponse {
            suggestions,
            stale: self.told_stale(!caught_up),
        })
    }
}
