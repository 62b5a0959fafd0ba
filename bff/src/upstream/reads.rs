//! Calls that read products. The past is told by the write service, all else by the read side.

use catalog_events::ProductId;
use catalog_proto::v1::get_product_as_of_request::AsOf;
use catalog_proto::{encoded, v1};
use tonic::Status;

use crate::upstream::call::{call, call_for_response, is_stale, patient};
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

/// What a read found.
pub(crate) struct Found {
    pub(crate) product: encoded::Product,
    /// Whether the read side failed to catch up with the tokens in time.
    pub(crate) stale: bool,
}

impl Upstream {
    pub(crate) async fn get_product(
        &self,
        caller: &Caller,
        id: &ProductId,
        consistency_tokens: Vec<String>,
    ) -> Result<Found, Status> {
        let deadline = patient(self.get_deadline, &consistency_tokens);
        let message = v1::GetProductRequest {
            id: id.to_string(),
            consistency_tokens,
            ..v1::GetProductRequest::default()
        };
        let mut client = self.catalog.clone();
        let response = call_for_response(caller, deadline, message, |request| {
            client.get_product(request)
        })
        .await?;
        Ok(Found {
            stale: is_stale(response.metadata()),
            product: response.into_inner(),
        })
    }

    pub(crate) async fn batch_get_products(
        &self,
        caller: &Caller,
        message: v1::BatchGetProductsRequest,
    ) -> Result<encoded::BatchGetProductsResponse, Status> {
        let deadline = patient(self.batch_deadline, &message.consistency_tokens);
        let mut client = self.catalog.clone();
        call(caller, deadline, message, |request| {
            client.batch_get_products(request)
        })
        .await
    }

    pub(crate) async fn search_products(
        &self,
        caller: &Caller,
        message: v1::SearchProductsRequest,
    ) -> Result<encoded::SearchProductsResponse, Status> {
        let deadline = patient(self.search_deadline, &message.consistency_tokens);
        let mut client = self.catalog.clone();
        call(caller, deadline, message, |request| {
            client.search_products(request)
        })
        .await
    }

    pub(crate) async fn similar_products(
        &self,
        caller: &Caller,
        message: v1::SimilarProductsRequest,
    ) -> Result<encoded::SimilarProductsResponse, Status> {
        let mut client = self.catalog.clone();
        call(caller, self.search_deadline, message, |request| {
            client.similar_products(request)
        })
        .await
    }

    pub(crate) async fn autocomplete(
        &self,
        caller: &Caller,
        message: v1::AutocompleteRequest,
    ) -> Result<v1::AutocompleteResponse, Status> {
        let mut client = self.catalog.clone();
        call(caller, self.search_deadline, message, |request| {
            client.autocomplete(request)
        })
        .await
    }

    pub(crate) async fn get_product_as_of(
        &self,
        caller: &Caller,
        id: &ProductId,
        as_of: AsOf,
    ) -> Result<Found, Status> {
        let message = v1::GetProductAsOfRequest {
            id: id.to_string(),
            as_of: Some(as_of),
        };
        let mut client = self.command.clone();
        let product = call(caller, self.get_deadline, message, |request| {
            client.get_product_as_of(request)
        })
        .await?;
        Ok(Found {
            product: (&product).into(),
            stale: false,
        })
    }

    /// The version that is stored, as the write service knows it.
    pub(crate) async fn current_version(
        &self,
        caller: &Caller,
        id: &ProductId,
    ) -> Result<i64, Status> {
        let message = v1::GetProductHistoryRequest {
            id: id.to_string(),
            limit: 1,
            before_version: 0,
        };
        let history = self.get_product_history(caller, message).await?;
        let last = history.changes.first();
        let last = last.filter(|last| last.r#type() != v1::ChangeType::Deleted);
        last.map(|last| last.version)
            .ok_or_else(|| Status::not_found("there is no such product"))
    }

    pub(crate) async fn list_products(
        &self,
        caller: &Caller,
        message: v1::ListProductsRequest,
    ) -> Result<encoded::ListProductsResponse, Status> {
        let deadline = patient(self.batch_deadline, &message.consistency_tokens);
        let mut client = self.catalog.clone();
        call(caller, deadline, message, |request| {
            client.list_products(request)
        })
        .await
    }

    pub(crate) async fn get_product_history(
        &self,
        caller: &Caller,
        message: v1::GetProductHistoryRequest,
    ) -> Result<v1::GetProductHistoryResponse, Status> {
        let mut client = self.command.clone();
        call(caller, self.batch_deadline, message, |request| {
            client.get_product_history(request)
        })
        .await
    }
}
