//! What operators ask of the write side: where it stands, and what the log holds.

mod log;

use catalog_events::{RULE_STREAM, STREAM};
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_operations_server::CatalogCommandOperations;
use sqlx::PgPool;
use tonic::{Request, Response, Status};

use crate::grpc::error::database_status;
use crate::grpc::operations::log::{Answers, LogAnswers};
use crate::leader::age_of;
use crate::status::WriteProgress;
use crate::store;

pub(crate) struct Operations {
    pool: PgPool,
    jetstream: async_nats::jetstream::Context,
    progress: WriteProgress,
    log: LogAnswers,
}

impl Operations {
    pub(crate) fn new(
        pool: PgPool,
        jetstream: async_nats::jetstream::Context,
        progress: WriteProgress,
    ) -> Self {
        Self {
            log: LogAnswers::new(pool.clone()),
            pool,
            jetstream,
            progress,
        }
    }

    /// The part of the status that Postgres and this instance know.
    async fn database_part(&self) -> sqlx::Result<v1::GetWriteStatusResponse> {
        let mut db = self.pool.acquire().await?;
        let (outbox_pending, oldest) = store::outbox_backlog(&mut db).await?;
        let head = store::head(&mut *db).await?;
        let (products, digest) = match head.digest {
            Some(digest) => (digest.documents, digest.buckets.total().to_string()),
            None => (store::count_products(&mut db).await?, String::new()),
        };
        Ok(v1::GetWriteStatusResponse {
            log_position: head.position.to_i64(),
            outbox_pending,
            outbox_oldest_age_ms: i64::try_from(age_of(oldest).as_millis()).unwrap_or(i64::MAX),
            leader: self.progress.is_leader(),
            relay_error: self.progress.error().unwrap_or_default(),
            products,
            refilled_events: self.progress.relay.refilled_events() as i64,
            stream_recreations: self.progress.relay.stream_recreations() as i64,
            digest,
            rule_position: store::rule_head_position(&mut *db).await?.to_i64(),
            ..v1::GetWriteStatusResponse::default()
        })
    }
}

#[tonic::async_trait]
impl CatalogCommandOperations for Operations {
    async fn get_write_status(
        &self,
        _request: Request<v1::GetWriteStatusRequest>,
    ) -> Result<Response<v1::GetWriteStatusResponse>, Status> {
        let mut status = self.database_part().await.map_err(database_status)?;
        let (stream, rule_stream) = tokio::join!(
            self.jetstream.get_stream(STREAM),
            self.jetstream.get_stream(RULE_STREAM)
        );
        // Its relay says why there is none.
        if let Ok(stream) = rule_stream {
            status.rule_stream_sequence = stream.cached_info().state.last_sequence as i64;
        }
        match stream {
            Ok(stream) => {
                let state = &stream.cached_info().state;
                status.stream_sequence = state.last_sequence as i64;
                status.stream_first_sequence = state.first_sequence as i64;
            }
            Err(err) if status.relay_error.is_empty() => {
                status.relay_error = format!("the stream does not answer: {err}");
            }
            Err(_) => {}
        }
        Ok(Response::new(status))
    }

    async fn get_log_digest(
        &self,
        request: Request<v1::GetLogDigestRequest>,
    ) -> Result<Response<v1::LogDigest>, Status> {
        let digest = self.log.digest(request.into_inner()).await?;
        Ok(Response::new(digest))
    }

    type ListLogProductsStream = Answers<v1::ListLogProductsResponse>;

    async fn list_log_products(
        &self,
        request: Request<v1::ListLogProductsRequest>,
    ) -> Result<Response<Self::ListLogProductsStream>, Status> {
        let products = self.log.products(request.into_inner()).await?;
        Ok(Response::new(products))
    }

    type ReadEventsStream = Answers<v1::ReadEventsResponse>;

    async fn read_events(
        &self,
        request: Request<v1::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let events = self.log.events(request.into_inner()).await?;
        Ok(Response::new(events))
    }

    type ReadProductEventsStream = Answers<v1::ReadEventsResponse>;

    async fn read_product_events(
        &self,
        request: Request<v1::ReadProductEventsRequest>,
    ) -> Result<Response<Self::ReadProductEventsStream>, Status> {
        let events = self.log.product_events(request.into_inner()).await?;
        Ok(Response::new(events))
    }
}
