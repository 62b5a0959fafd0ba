//! What operators ask of the write side.

use catalog_events::STREAM;
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_operations_server::CatalogCommandOperations;
use sqlx::PgPool;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use crate::grpc::error::database_status;
use crate::status::WriteProgress;
use crate::store;

type Answers<T> = std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<T, Status>> + Send>>;

pub(crate) struct Operations {
    pub(crate) pool: PgPool,
    pub(crate) jetstream: async_nats::jetstream::Context,
    pub(crate) progress: WriteProgress,
}

#[tonic::async_trait]
impl CatalogCommandOperations for Operations {
    async fn get_write_status(
        &self,
        _request: Request<v1::GetWriteStatusRequest>,
    ) -> Result<Response<v1::GetWriteStatusResponse>, Status> {
        let mut status = self.database_part().await.map_err(database_status)?;
        match self.jetstream.get_stream(STREAM).await {
            Ok(stream) => {
                status.stream_sequence = stream.cached_info().state.last_sequence as i64;
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
        _request: Request<v1::GetLogDigestRequest>,
    ) -> Result<Response<v1::LogDigest>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    type ListLogProductsStream = Answers<v1::ListLogProductsResponse>;

    async fn list_log_products(
        &self,
        _request: Request<v1::ListLogProductsRequest>,
    ) -> Result<Response<Self::ListLogProductsStream>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    type ReadEventsStream = Answers<v1::ReadEventsResponse>;

    async fn read_events(
        &self,
        _request: Request<v1::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    type ReadProductEventsStream = Answers<v1::ReadEventsResponse>;

    async fn read_product_events(
        &self,
        _request: Request<v1::ReadProductEventsRequest>,
    ) -> Result<Response<Self::ReadProductEventsStream>, Status> {
        Err(Status::unimplemented("not yet"))
    }
}

impl Operations {
    async fn database_part(&self) -> sqlx::Result<v1::GetWriteStatusResponse> {
        let mut db = self.pool.acquire().await?;
        let (outbox_pending, oldest) = store::outbox_backlog(&mut db).await?;
        let age = oldest.map(|oldest| OffsetDateTime::now_utc() - oldest);
        let age_ms = age.map_or(0, |age| age.whole_milliseconds().max(0));
        Ok(v1::GetWriteStatusResponse {
            log_position: store::head_position(&mut *db).await?.to_i64(),
            outbox_pending,
            outbox_oldest_age_ms: i64::try_from(age_ms).unwrap_or(i64::MAX),
            stream_sequence: 0,
            leader: self.progress.is_leader(),
            relay_error: self.progress.relay_error().unwrap_or_default(),
            products: store::count_products(&mut db).await?,
            ..v1::GetWriteStatusResponse::default()
        })
    }
}
