//! Asks both services what a verification needs. Writes go on meanwhile, so a question about a
//! position that the log has not reached yet is asked again.

use std::time::Duration;

use anyhow::Context as _;
use catalog_events::BucketedDigest;
use catalog_proto::v1::catalog_command_operations_client::CatalogCommandOperationsClient;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::{
    CheckProgress, CheckProjectionsRequest, GetLogDigestRequest, ListLogProductsRequest,
    ListParkedEventsRequest, ListParkedEventsResponse, ListProjectedProductsRequest, ProductState,
    Projection, RepairProductsRequest,
};
use service_kit::GrpcChannel;
use tonic::{Code, Status, Streaming};

use crate::target::{Target, bounded};

const TRIES_MAX: u32 = 20;
const TRY_AGAIN_MS: u64 = 100;

/// Both services of a catalog.
pub struct Services {
    write_side: Target,
    read_side: Target,
    command: CatalogCommandOperationsClient<GrpcChannel>,
    query: CatalogQueryOperationsClient<GrpcChannel>,
}

/// The digests of all products at one position of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogDigest {
    /// The position.
    pub position: i64,
    /// The number of live products there.
    pub documents: i64,
    /// The digests.
    pub buckets: BucketedDigest,
}

impl Services {
    /// Connects at the first question.
    ///
    /// # Errors
    ///
    /// Where an address is none.
    pub fn new(write_side: Target, read_side: Target) -> anyhow::Result<Self> {
        let command = CatalogCommandOperationsClient::new(write_side.channel()?);
        let query = CatalogQueryOperationsClient::new(read_side.channel()?);
        Ok(Self {
            write_side,
            read_side,
            command,
            query,
        })
    }

    /// The digest at `position`, or at the head of the log when none is given. It is either folded
    /// from the first event on or the one kept with the log.
    pub(super) async fn log_digest(
        &self,
        position: Option<i64>,
        recompute: bool,
    ) -> anyhow::Result<LogDigest> {
        if position == Some(0) {
            // Nothing has happened at position 0, which the service would take for the head.
            return Ok(LogDigest::default());
        }
        let request = GetLogDigestRequest {
            position: position.unwrap_or(0),
            recompute,
        };
        let answer = self
            .patiently(|| {
                let mut command = self.command.clone();
                async move { command.get_log_digest(request).await }
            })
            .await?
            .into_inner();
        Ok(LogDigest {
            position: answer.position,
            documents: answer.documents,
            buckets: buckets(&answer.buckets)?,
        })
    }

    pub(super) async fn log_products(
        &self,
        position: i64,
        buckets: &[i32],
    ) -> anyhow::Result<Vec<ProductState>> {
        if position == 0 {
            return Ok(Vec::new());
        }
        let request = ListLogProductsRequest {
            position,
            buckets: buckets.to_vec(),
        };
        let answer = self.patiently(|| {
            let (mut command, request) = (self.command.clone(), request.clone());
            async move { command.list_log_products(request).await }
        });
        let mut parts = answer.await?.into_inner();
        let mut products = Vec::new();
        let failed = |status: Status| self.write_side.error(&status);
        while let Some(part) = parts.message().await.map_err(failed)? {
            products.extend(part.products);
        }
        Ok(products)
    }

    /// The products of some buckets of a projection, and the position at which they were read.
    pub(super) async fn projected_products(
        &self,
        projection: Projection,
        buckets: &[i32],
    ) -> anyhow::Result<(i64, Vec<ProductState>)> {
        let request = ListProjectedProductsRequest {
            projection: projection.into(),
            buckets: buckets.to_vec(),
        };
        let failed = |status: Status| self.read_side.error(&status);
        let mut query = self.query.clone();
        let answer = query.list_projected_products(request).await;
        let mut parts = answer.map_err(failed)?.into_inner();
        let (mut position, mut products) = (None, Vec::new());
        while let Some(part) = parts.message().await.map_err(failed)? {
            position = Some(part.position);
            products.extend(part.products);
        }
        let position = position.context("the read service listed nothing, not even a position")?;
        Ok((position, products))
    }

    pub(super) async fn check(&self) -> anyhow::Result<Streaming<CheckProgress>> {
        let mut query = self.query.clone();
        let answer = query.check_projections(CheckProjectionsRequest {}).await;
        let steps = answer.map_err(|status| self.read_side.error(&status))?;
        Ok(steps.into_inner())
    }

    pub(super) fn query_failed(&self, status: &Status) -> anyhow::Error {
        self.read_side.error(status)
    }

    pub(super) async fn parked(&self) -> anyhow::Result<ListParkedEventsResponse> {
        let request = bounded(ListParkedEventsRequest {});
        let answer = self.query.clone().list_parked_events(request).await;
        let parked = answer.map_err(|status| self.read_side.error(&status))?;
        Ok(parked.into_inner())
    }

    /// Has products repaired and tells how many changed.
    pub(super) async fn repair(&self, ids: Vec<String>) -> anyhow::Result<u64> {
        let mut tries = 0;
        loop {
            let request = RepairProductsRequest { ids: ids.clone() };
            let answer = self.query.clone().repair_products(request).await;
            match answer {
                Ok(answer) => return Ok(u64::try_from(answer.into_inner().repaired).unwrap_or(0)),
                // Events arrived in between.
                Err(status) if status.code() == Code::Aborted && tries < TRIES_MAX => tries += 1,
                Err(status) => return Err(self.read_side.error(&status)),
            }
        }
    }

    async fn patiently<T, F: Future<Output = Result<T, Status>>>(
        &self,
        mut ask: impl FnMut() -> F,
    ) -> anyhow::Result<T> {
        let mut tries = 0;
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(status) if may_pass(&status) && tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(TRY_AGAIN_MS)).await;
                }
                Err(status) => return Err(self.write_side.error(&status)),
            }
        }
    }
}

/// Whether the error will pass: the log has not reached the position, or has no digest yet.
fn may_pass(status: &Status) -> bool {
    match status.code() {
        Code::OutOfRange => true,
        Code::Unavailable => service_kit::reason(status).as_deref() == Some("DIGEST_PENDING"),
        _ => false,
    }
}

pub(super) fn buckets(message: &[Vec<u8>]) -> anyhow::Result<BucketedDigest> {
    let buckets = BucketedDigest::from_message(message);
    buckets.context("a service answers with a digest of another form: is it of another release?")
}
