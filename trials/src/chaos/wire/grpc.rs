//! A client of both gRPC services.

use std::time::Duration;

use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::{
    ChangePriceRequest, CreateProductRequest, DeleteProductRequest, GetProductRequest,
    ImportProductsRequest, ImportProductsResponse, Product, ProductInput, SearchProductsRequest,
    SearchStrategy, UpdateProductRequest,
};
use prost_types::FieldMask;
use service_kit::GrpcChannel;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::chaos::history::{
    After, Answer, FailureKind, Mark, Outcome, Request, Seen, description, title,
};
use crate::chaos::wire::outcome::{DEADLINE_MS, chain, fail, unknown};
use crate::cluster::channel;

const STALE: &str = "catalog-stale";
const SEARCH_LIMIT: i32 = 20;

#[derive(Debug)]
pub(in crate::chaos) struct Grpc {
    command: CatalogCommandServiceClient<GrpcChannel>,
    query: CatalogServiceClient<GrpcChannel>,
}

impl Grpc {
    pub(super) fn new(command: &str, query: &str) -> Self {
        Self {
            command: CatalogCommandServiceClient::new(channel(command)),
            query: CatalogServiceClient::new(channel(query)),
        }
    }

    pub(super) async fn call(&self, request: &Request, request_id: &str) -> Outcome {
        let answer = match request {
            Request::Get { .. } | Request::Search { .. } => self.read(request).await,
            _ => self.write(request, request_id.to_owned()).await,
        };
        match answer {
            Ok(answer) => Outcome::Ok(answer),
            Err(status) => outcome(request, &status),
        }
    }

    async fn write(&self, request: &Request, request_id: String) -> Result<Answer, Status> {
        let mut command = self.command.clone();
        Ok(match request {
            Request::Create { id, mark } => {
                let request = CreateProductRequest {
                    product: Some(input(id, *mark)),
                    request_id,
                };
                let answer = command.create_product(in_time(request)).await?.into_inner();
                written(answer.product, answer.consistency_token)?
            }
            Request::Update { id, mark } => {
                let paths = ["title", "description"].map(str::to_owned).to_vec();
                let request = UpdateProductRequest {
                    product: Some(input(id, *mark)),
                    update_mask: Some(FieldMask { paths }),
                    request_id,
                    ..UpdateProductRequest::default()
                };
                let answer = command.update_product(in_time(request)).await?.into_inner();
                written(answer.product, answer.consistency_token)?
            }
            Request::Price { id, mark } => {
                let request = ChangePriceRequest {
                    id: id.clone(),
                    price_minor: *mark as i64,
                    request_id,
                    ..ChangePriceRequest::default()
                };
                let answer = command.change_price(in_time(request)).await?.into_inner();
                written(answer.product, answer.consistency_token)?
            }
            Request::Delete { id, .. } => {
                let request = DeleteProductRequest {
                    id: id.clone(),
                    request_id,
                    ..DeleteProductRequest::default()
                };
                let answer = command.delete_product(in_time(request)).await?.into_inner();
                Answer::Written {
                    version: Some(answer.version),
                    token: answer.consistency_token,
                }
            }
            Request::Import { ids, mark } => {
                let products = ids.iter().zip(*mark..);
                let request = ImportProductsRequest {
                    products: products.map(|(id, mark)| input(id, mark)).collect(),
                    request_id,
                    ..ImportProductsRequest::default()
                };
                imported(self.import(request).await?)?
            }
            Request::Get { .. } | Request::Search { .. } => return Err(not_that_way()),
        })
    }

    async fn import(&self, batch: ImportProductsRequest) -> Result<ImportProductsResponse, Status> {
        let batches = in_time(tokio_stream::iter([batch]));
        let mut answers = self.command.clone().import_products(batches).await?;
        let answer = answers.get_mut().message().await?;
        answer.ok_or_else(|| Status::unavailable("the stream ended without an answer"))
    }

    async fn read(&self, request: &Request) -> Result<Answer, Status> {
        let mut query = self.query.clone();
        match request {
            Request::Get { id, after } => {
                let request = GetProductRequest {
                    id: id.clone(),
                    consistency_tokens: tokens(after),
                    ..GetProductRequest::default()
                };
                let answer = query.get_product(in_time(request)).await?;
                Ok(Answer::Found {
                    stale: is_stale(answer.metadata()),
                    seen: answer.into_inner().into(),
                })
            }
            Request::Search { id, word, after } => {
                let request = SearchProductsRequest {
                    query: word.clone(),
                    limit: SEARCH_LIMIT,
                    strategy: SearchStrategy::Keyword.into(),
                    consistency_tokens: tokens(after),
                    ..SearchProductsRequest::default()
                };
                let answer = query.search_products(in_time(request)).await?.into_inner();
                let mut products = answer.products.into_iter();
                Ok(Answer::Hit {
                    stale: answer.stale,
                    seen: products.find(|one| one.id == *id).map(Seen::from),
                })
            }
            _ => Err(not_that_way()),
        }
    }
}

fn not_that_way() -> Status {
    Status::internal("a write is no read")
}

fn in_time<M>(message: M) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(Duration::from_millis(DEADLINE_MS));
    request
}

fn input(id: &str, mark: Mark) -> ProductInput {
    ProductInput {
        id: id.to_owned(),
        title: title(mark),
        description: description(mark),
        price_minor: mark as i64,
        currency: "USD".to_owned(),
        ..ProductInput::default()
    }
}

fn tokens(after: &Option<After>) -> Vec<String> {
    let token = after.iter().map(|after| after.token.clone());
    token.filter(|token| !token.is_empty()).collect()
}

fn written(product: Option<Product>, token: String) -> Result<Answer, Status> {
    let product = product.ok_or_else(|| Status::data_loss("an answer without its product"))?;
    Ok(Answer::Written {
        version: Some(product.version),
        token,
    })
}

fn imported(answer: ImportProductsResponse) -> Result<Answer, Status> {
    if let Some(rejected) = answer.rejected.first() {
        return Err(Status::data_loss(format!("rejected: {rejected:?}")));
    }
    Ok(Answer::Imported {
        created: answer.created,
        unchanged: answer.unchanged,
        token: answer.consistency_token,
    })
}

fn is_stale(metadata: &MetadataMap) -> bool {
    metadata.get(STALE).is_some_and(|stale| stale == "true")
}

/// The outcome that a status stands for. A status made on this side has a source: the connection
/// failed.
fn outcome(request: &Request, status: &Status) -> Outcome {
    let text = format!("{:?} {}", status.code(), status.message());
    if std::error::Error::source(status).is_some() {
        return unknown(FailureKind::Connection, chain(status));
    }
    let is_read = request.mark().is_none();
    match status.code() {
        Code::NotFound if matches!(request, Request::Get { .. }) => Outcome::Ok(Answer::Missing {
            stale: is_stale(status.metadata()),
        }),
        Code::NotFound | Code::AlreadyExists | Code::Aborted if !is_read => fail(text),
        Code::ResourceExhausted => fail(text),
        // Servers, and our own client, report an exceeded deadline as CANCELLED.
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
            unknown(FailureKind::Unavailable, text)
        }
        _ => unknown(FailureKind::Wrong, text),
    }
}

impl From<Product> for Seen {
    fn from(product: Product) -> Self {
        Self {
            version: product.version,
            title: product.title,
            price_minor: product.price_minor,
        }
    }
}
