//! The gRPC face of the write side: wire types in, commands, wire types out. The only file that
//! maps errors to statuses is `grpc/error.rs`.

mod convert;
mod error;
mod operations;

use catalog_proto::v1;
use catalog_proto::v1::catalog_command_service_server::CatalogCommandService;
use futures_util::Stream;
use service_kit::TraceContext;
use std::pin::Pin;
use tonic::{Request, Response, Status, Streaming};

use crate::commands::{Commands, ImportOutcome, RowResult, Written};
use crate::domain::{Draft, Violation};
use crate::grpc::convert::{currency, expected_version, patch, product_fields, product_id};
use crate::grpc::error::{command_status, invalid_request};
use crate::store::Origin;

pub(crate) use crate::grpc::operations::Operations;

/// More rows than this make one transaction too long for the writers beside it.
const IMPORT_ROWS_MAX: usize = 1_000;
const ACTOR_CHARS_MAX: usize = 100;

pub(crate) struct CommandGrpc {
    pub(crate) commands: Commands,
}

#[tonic::async_trait]
impl CatalogCommandService for CommandGrpc {
    async fn create_product(
        &self,
        request: Request<v1::CreateProductRequest>,
    ) -> Result<Response<v1::CreateProductResponse>, Status> {
        let origin = origin(&request);
        let mut fields = product_fields(required(request.into_inner().product)?);
        if fields.id.is_empty() {
            fields.id = uuid::Uuid::now_v7().to_string();
        }
        let draft = Draft::parse(fields).map_err(invalid_request)?;
        let written = self.commands.create_product(draft, &origin).await;
        let product = message(written.map_err(command_status)?);
        Ok(Response::new(v1::CreateProductResponse {
            product,
            ..Default::default()
        }))
    }

    async fn update_product(
        &self,
        request: Request<v1::UpdateProductRequest>,
    ) -> Result<Response<v1::UpdateProductResponse>, Status> {
        let origin = origin(&request);
        let request = request.into_inner();
        let input = required(request.product)?;
        let id = product_id(&input.id).map_err(invalid_request)?;
        let expected = expected_version(request.expected_version).map_err(invalid_request)?;
        let patch = patch(input, request.update_mask).map_err(invalid_request)?;
        let written = self
            .commands
            .update_product(&id, patch, expected, &origin)
            .await;
        let product = message(written.map_err(command_status)?);
        Ok(Response::new(v1::UpdateProductResponse {
            product,
            ..Default::default()
        }))
    }

    async fn change_price(
        &self,
        request: Request<v1::ChangePriceRequest>,
    ) -> Result<Response<v1::ChangePriceResponse>, Status> {
        let origin = origin(&request);
        let request = request.into_inner();
        let id = product_id(&request.id).map_err(invalid_request)?;
        let currency = currency(&request.currency).map_err(invalid_request)?;
        let expected = expected_version(request.expected_version).map_err(invalid_request)?;
        let minor = request.price_minor;
        let commands = &self.commands;
        let written = commands
            .change_price(&id, minor, currency, expected, &origin)
            .await;
        let product = message(written.map_err(command_status)?);
        Ok(Response::new(v1::ChangePriceResponse {
            product,
            ..Default::default()
        }))
    }

    async fn delete_product(
        &self,
        request: Request<v1::DeleteProductRequest>,
    ) -> Result<Response<v1::DeleteProductResponse>, Status> {
        let origin = origin(&request);
        let request = request.into_inner();
        let id = product_id(&request.id).map_err(invalid_request)?;
        let expected = expected_version(request.expected_version).map_err(invalid_request)?;
        let written = self.commands.delete_product(&id, expected, &origin).await;
        let version = written.map_err(command_status)?.version.get();
        Ok(Response::new(v1::DeleteProductResponse {
            version,
            ..Default::default()
        }))
    }

    type ImportProductsStream =
        Pin<Box<dyn Stream<Item = Result<v1::ImportProductsResponse, Status>> + Send>>;

    async fn import_products(
        &self,
        request: Request<Streaming<v1::ImportProductsRequest>>,
    ) -> Result<Response<Self::ImportProductsStream>, Status> {
        let origin = origin(&request);
        let batches = request.into_inner();
        let start = (batches, self.commands.clone(), origin);
        let answers =
            futures_util::stream::try_unfold(start, async |(mut batches, commands, origin)| {
                let Some(batch) = batches.message().await? else {
                    return Ok(None);
                };
                let answer = import_batch(&commands, batch, &origin).await?;
                Ok(Some((answer, (batches, commands, origin))))
            });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_product_history(
        &self,
        _request: Request<v1::GetProductHistoryRequest>,
    ) -> Result<Response<v1::GetProductHistoryResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn get_product_as_of(
        &self,
        _request: Request<v1::GetProductAsOfRequest>,
    ) -> Result<Response<v1::Product>, Status> {
        Err(Status::unimplemented("not yet"))
    }
}

async fn import_batch(
    commands: &Commands,
    batch: v1::ImportProductsRequest,
    origin: &Origin,
) -> Result<v1::ImportProductsResponse, Status> {
    if batch.products.len() > IMPORT_ROWS_MAX {
        let reason = format!("has more than {IMPORT_ROWS_MAX} entries");
        return Err(invalid_request(vec![Violation::new("products", reason)]));
    }
    let ids: Vec<String> = batch.products.iter().map(|row| row.id.clone()).collect();
    let inputs = batch.products.into_iter();
    let rows: Vec<_> = inputs
        .map(|input| Draft::parse(product_fields(input)))
        .collect();
    let outcome = commands.import_products(&rows, origin).await;
    Ok(import_answer(outcome.map_err(command_status)?, &ids))
}

fn import_answer(outcome: ImportOutcome, ids: &[String]) -> v1::ImportProductsResponse {
    let mut answer = v1::ImportProductsResponse::default();
    for (index, (result, id)) in outcome.into_iter().zip(ids).enumerate() {
        match result {
            RowResult::Created => answer.created += 1,
            RowResult::Updated => answer.updated += 1,
            RowResult::Unchanged => answer.unchanged += 1,
            RowResult::Rejected(violations) => {
                let first = violations.into_iter().next();
                let first = first.unwrap_or_else(|| Violation::new("", "is not valid"));
                answer.rejected.push(v1::ImportRejection {
                    index: index as i32,
                    id: id.clone(),
                    field: first.field,
                    reason: first.reason,
                });
            }
        }
    }
    answer
}

fn required(product: Option<v1::ProductInput>) -> Result<v1::ProductInput, Status> {
    product.ok_or_else(|| invalid_request(vec![Violation::new("product", "is missing")]))
}

fn message(written: Written) -> Option<v1::Product> {
    let version = written.version;
    written.product.map(|product| product.to_message(version))
}

fn origin<T>(request: &Request<T>) -> Origin {
    let actor = request.metadata().get("catalog-actor");
    let actor = actor
        .and_then(|actor| actor.to_str().ok())
        .unwrap_or("anonymous");
    Origin {
        actor: actor.chars().take(ACTOR_CHARS_MAX).collect(),
        traceparent: request
            .extensions()
            .get::<TraceContext>()
            .map(ToString::to_string),
    }
}
