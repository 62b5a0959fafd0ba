//! The limit of a read: the same product through a bare axum handler, a tonic call and a tonic
//! server, as two processes that do nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use catalog_proto::v1;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use prost::Message as _;
use service_kit::GrpcChannel;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

use crate::cluster::channel;

#[derive(Debug, clap::Args)]
pub struct PeerArgs {
    #[arg(value_enum)]
    side: Side,
    listen: SocketAddr,
    /// The encoded product, or the JSON to answer with
    body: PathBuf,
    /// Upstream of the HTTP side: the address of the gRPC side
    upstream: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Side {
    Grpc,
    Http,
}

pub async fn command(args: PeerArgs) -> anyhow::Result<ExitCode> {
    let body = tokio::fs::read(&args.body).await?;
    let listener = TcpListener::bind(args.listen).await?;
    match args.side {
        Side::Grpc => {
            let service = CatalogServiceServer::new(Fixed(v1::Product::decode(&body[..])?));
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
                .await?;
        }
        Side::Http => {
            let upstream = args.upstream.context("the HTTP side needs an upstream")?;
            let state = (
                CatalogServiceClient::new(channel(&upstream)),
                Bytes::from(body),
            );
            let router = Router::new()
                .route("/api/products/{id}", get(pass_through))
                .with_state(state);
            axum::serve(
                axum::serve::ListenerExt::tap_io(listener, |stream| {
                    let _ = stream.set_nodelay(true);
                }),
                router,
            )
            .await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn pass_through(
    State((mut client, body)): State<(CatalogServiceClient<GrpcChannel>, Bytes)>,
    Path(id): Path<String>,
) -> Response {
    match client
        .get_product(v1::GetProductRequest {
            id,
            ..Default::default()
        })
        .await
    {
        Ok(_) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Answers every id with the same product.
struct Fixed(v1::Product);

#[tonic::async_trait]
impl CatalogService for Fixed {
    async fn get_product(
        &self,
        _request: Request<v1::GetProductRequest>,
    ) -> Result<tonic::Response<v1::Product>, Status> {
        Ok(tonic::Response::new(self.0.clone()))
    }

    async fn batch_get_products(
        &self,
        _request: Request<v1::BatchGetProductsRequest>,
    ) -> Result<tonic::Response<v1::BatchGetProductsResponse>, Status> {
        Err(Status::unimplemented("only GetProduct is measured"))
    }

    async fn list_products(
        &self,
        _request: Request<v1::ListProductsRequest>,
    ) -> Result<tonic::Response<v1::ListProductsResponse>, Status> {
        Err(Status::unimplemented("only GetProduct is measured"))
    }

    async fn search_products(
        &self,
        _request: Request<v1::SearchProductsRequest>,
    ) -> Result<tonic::Response<v1::SearchProductsResponse>, Status> {
        Err(Status::unimplemented("only GetProduct is measured"))
    }

    async fn autocomplete(
        &self,
        _request: Request<v1::AutocompleteRequest>,
    ) -> Result<tonic::Response<v1::AutocompleteResponse>, Status> {
        Err(Status::unimplemented("only GetProduct is measured"))
    }

    async fn similar_products(
        &self,
        _request: Request<v1::SimilarProductsRequest>,
    ) -> Result<tonic::Response<v1::SimilarProductsResponse>, Status> {
        Err(Status::unimplemented("only GetProduct is measured"))
    }
}
