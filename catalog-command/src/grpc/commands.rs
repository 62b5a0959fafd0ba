//! The gRPC face of commands on products, and of their history.

use std::pin::Pin;

use catalog_events::TokenKey;
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandService;
use futures_util::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::commands::{Commands, Written};
use crate::domain::{Draft, Violation};
use crate::grpc::call::{call, origin};
use crate::grpc::convert::{
    amount, as_of, currency, expected_version, expected_version_or_none, history_page, id_or_fresh,
    patch, product_change, product_fields, product_id,
};
use crate::grpc::error::{command_status, history_status, invalid_request};
use crate::grpc::export::{Answers, export};
use crate::grpc::import::Importer;
use crate::grpc::write_products::write_products;

pub(crate) struct CommandGrpc {
    pub(crate) commands: Commands,
    pub(crate) tokens: TokenKey,
}

#[tonic::async_trait]
impl CatalogCommandService for CommandGrpc {
    async fn create_product(
        &self,
        request: Request<v1::CreateProductRequest>,
    ) -> Result<Response<v1::CreateProductResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_request)?;
        let mut fields = product_fields(required(request.product)?);
        id_or_fresh(&mut fields.id);
        let draft = Draft::parse(fields).map_err(invalid_request)?;
        let written = self
            .commands
            .create_product(draft, &call)
            .await
            .map_err(command_status)?;
        Ok(Response::new(v1::CreateProductResponse {
            consistency_token: self.tokens.seal(&written.token()),
            product: message(written),
        }))
    }

    async fn update_product(
        &self,
        request: Request<v1::UpdateProductRequest>,
    ) -> Result<Response<v1::UpdateProductResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_request)?;
        let input = required(request.product)?;
        let id = product_id(&input.id).map_err(invalid_request)?;
        let expected = expected_version(request.expected_version).map_err(invalid_request)?;
        let patch = patch(input, request.update_mask).map_err(invalid_request)?;
        let written = self
            .commands
            .update_product(&id, patch, expected, &call)
            .await
            .map_err(command_status)?;
        Ok(Response::new(v1::UpdateProductResponse {
            consistency_token: self.tokens.seal(&written.token()),
            product: message(written),
        }))
    }

    async fn change_price(
        &self,
        request: Request<v1::ChangePriceRequest>,
    ) -> Result<Response<v1::ChangePriceResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_request)?;
        let id = product_id(&request.id).map_err(invalid_request)?;
        let currency = currency(&request.currency).map_err(invalid_request)?;
        let expected = expected_version(request.expected_version).map_err(invalid_request)?;
        let amount = amount(request.price_minor, request.price).map_err(invalid_request)?;
        let written = self
            .commands
            .change_price(&id, amount, currency, expected, &call)
            .await
            .map_err(command_status)?;
        Ok(Response::new(v1::ChangePriceResponse {
            consistency_token: self.tokens.seal(&written.token()),
            product: message(written),
        }))
    }

    async fn delete_product(
        &self,
        request: Request<v1::DeleteProductRequest>,
    ) -> Result<Response<v1::DeleteProductResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_request)?;
        let id = product_id(&request.id).map_err(invalid_request)?;
        let expected = expected_version(request.expected_version).map_err(invalid_request)?;
        let written = self
            .commands
            .delete_product(&id, expected, &call)
            .await
            .map_err(command_status)?;
        Ok(Response::new(v1::DeleteProductResponse {
            version: written.version.get(),
            consistency_token: self.tokens.seal(&written.token()),
        }))
    }

    async fn put_product(
        &self,
        request: Request<v1::PutProductRequest>,
    ) -> Result<Response<v1::PutProductResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_request)?;
        let expected =
            expected_version_or_none(request.expected_version).map_err(invalid_request)?;
        let fields = product_fields(required(request.product)?);
        let draft = Draft::parse(fields).map_err(invalid_request)?;
        let written = self
            .commands
            .put_product(draft, expected, &call)
            .await
            .map_err(command_status)?;
        Ok(Response::new(v1::PutProductResponse {
            consistency_token: self.tokens.seal(&written.token()),
            created: written.created,
            product: message(written),
        }))
    }

    async fn write_products(
        &self,
        request: Request<v1::WriteProductsRequest>,
    ) -> Result<Response<v1::WriteProductsResponse>, Status> {
        write_products(&self.commands, &self.tokens, request).await
    }

    type ImportProductsStream =
        Pin<Box<dyn Stream<Item = Result<v1::ImportProductsResponse, Status>> + Send>>;

    async fn import_products(
        &self,
        request: Request<Streaming<v1::ImportProductsRequest>>,
    ) -> Result<Response<Self::ImportProductsStream>, Status> {
        let origin = origin(&request);
        let batches = request.into_inner();
        let importer = Importer {
            commands: self.commands.clone(),
            tokens: self.tokens.clone(),
            origin,
        };
        let answers = futures_util::stream::try_unfold(
            (batches, importer),
            async |(mut batches, importer)| {
                let Some(batch) = batches.message().await? else {
                    return Ok(None);
                };
                let answer = importer.import(batch).await?;
                Ok(Some((answer, (batches, importer))))
            },
        );
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_product_history(
        &self,
        request: Request<v1::GetProductHistoryRequest>,
    ) -> Result<Response<v1::GetProductHistoryResponse>, Status> {
        let request = request.into_inner();
        let id = product_id(&request.id).map_err(invalid_request)?;
        let (limit, before) = history_page(&request).map_err(invalid_request)?;
        let events = self
            .commands
            .product_history(&id, before, limit)
            .await
            .map_err(history_status)?;
        // Versions count from 1 without a gap.
        let oldest = events.last().map_or(1, |event| event.version.get());
        Ok(Response::new(v1::GetProductHistoryResponse {
            changes: events.into_iter().map(product_change).collect(),
            next_before_version: if oldest > 1 { oldest } else { 0 },
        }))
    }

    async fn get_product_as_of(
        &self,
        request: Request<v1::GetProductAsOfRequest>,
    ) -> Result<Response<v1::Product>, Status> {
        let request = request.into_inner();
        let id = product_id(&request.id).map_err(invalid_request)?;
        let as_of = as_of(request.as_of).map_err(invalid_request)?;
        let found = self.commands.product_as_of(&id, as_of).await;
        let (version, product) = found.map_err(history_status)?;
        Ok(Response::new(product.to_message(version)))
    }

    type ExportProductsStream = Answers;

    async fn export_products(
        &self,
        request: Request<v1::ExportProductsRequest>,
    ) -> Result<Response<Answers>, Status> {
        let answers = export(&self.commands, request.into_inner()).await?;
        Ok(Response::new(answers))
    }
}

fn required(product: Option<v1::ProductInput>) -> Result<v1::ProductInput, Status> {
    product.ok_or_else(|| invalid_request(vec![Violation::new("product", "is missing")]))
}

fn message(written: Written) -> Option<v1::Product> {
    let version = written.version;
    written.product.map(|product| product.to_message(version))
}
