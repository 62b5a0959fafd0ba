//! Deletes the products that a feed of the whole catalog does not have any more. Only those that were
//! there before the import and that nobody has changed since: what others write meanwhile stays.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use catalog_proto::v1::{DeleteProductRequest, ExportProductsRequest};
use service_kit::GrpcChannel;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::export::{ExportError, ExportOptions, Reader, latest};
use crate::feed::Rows;
use crate::target::{Target, bounded, is_transient};

const DELETIONS_AT_ONCE: usize = 16;

/// The products that a feed has named so far.
#[derive(Clone, Default)]
pub struct Named(Arc<Mutex<Ids>>);

#[derive(Default)]
struct Ids {
    ids: HashSet<String>,
    /// The rows of which nobody knows what product they are.
    unnamed: u64,
}

/// A product before the import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    pub id: String,
    pub version: i64,
}

/// What became of the products that a feed lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    pub deleted: u64,
    /// Products that somebody changed or deleted meanwhile.
    pub kept: u64,
}

impl Named {
    /// Rows that are remembered as they are read.
    pub fn watch(&self, rows: Rows) -> Rows {
        let named = self.clone();
        Box::new(rows.inspect(move |row| {
            let Ok(row) = row else { return };
            let id = match &row.parsed {
                Ok(None) => return,
                Ok(Some(import)) => import.product.as_ref().map(|product| &product.id),
                Err(mistake) => Some(&mistake.id),
            };
            let mut ids = named.lock();
            match id.filter(|id| !id.is_empty()) {
                Some(id) => {
                    ids.ids.insert(id.clone());
                }
                None => ids.unnamed += 1,
            }
        }))
    }

    /// The rows that name no product.
    pub fn unnamed(&self) -> u64 {
        self.lock().unnamed
    }

    /// Those of the products that the feed has not named.
    pub fn missing(&self, present: Vec<Present>) -> Vec<Present> {
        let ids = self.lock();
        let mut missing = present;
        missing.retain(|product| !ids.ids.contains(&product.id));
        missing
    }

    fn lock(&self) -> MutexGuard<'_, Ids> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lists the products of the catalog, with all that was accepted before.
pub async fn present(
    target: &Target,
    retry: Duration,
    stop: CancellationToken,
) -> Result<Vec<Present>, ExportError> {
    let options = ExportOptions {
        request: ExportProductsRequest {
            ids_only: true,
            ..ExportProductsRequest::default()
        },
        event_id: None,
        retry,
        metadata: MetadataMap::new(),
    };
    latest(target, &stop).await?;
    let mut reader = Reader::new(target, options, stop);
    let mut present = Vec::new();
    while let Some(answer) = reader.next(&mut |_| {}).await? {
        let products = answer.products.into_iter();
        present.extend(products.map(|product| Present {
            id: product.id,
            version: product.version,
        }));
    }
    Ok(present)
}

/// Deletes products that still have their version. It is safe to run twice, and stops between two
/// deletions.
pub async fn delete(
    target: &Target,
    missing: &[Present],
    retry: Duration,
    stop: &CancellationToken,
    mut progress: impl FnMut(&Deleted),
) -> anyhow::Result<Deleted> {
    let channel = target.channel()?;
    let run = Uuid::now_v7();
    let mut outcome = Deleted::default();
    for group in missing.chunks(DELETIONS_AT_ONCE) {
        if stop.is_cancelled() {
            break;
        }
        let mut deletions = JoinSet::new();
        for product in group {
            deletions.spawn(delete_one(channel.clone(), product.clone(), run, retry));
        }
        while let Some(deletion) = deletions.join_next().await {
            match deletion? {
                Ok(()) => outcome.deleted += 1,
                Err(status) if matches!(status.code(), Code::Aborted | Code::NotFound) => {
                    outcome.kept += 1;
                }
                Err(status) => return Err(target.error(&status)),
            }
        }
        progress(&outcome);
    }
    Ok(outcome)
}

async fn delete_one(
    channel: GrpcChannel,
    product: Present,
    run: Uuid,
    retry: Duration,
) -> Result<(), Status> {
    let began = Instant::now();
    let mut client = CatalogCommandServiceClient::new(channel);
    let mut attempts = 0;
    loop {
        let request = DeleteProductRequest {
            request_id: format!("delete-missing-{run}-{}", product.id),
            id: product.id.clone(),
            expected_version: Some(product.version),
        };
        let lost = match client.delete_product(bounded(request)).await {
            Ok(_) => return Ok(()),
            Err(status) => status,
        };
        attempts += 1;
        let wait = service_kit::backoff(attempts);
        let is_final = lost.code() == Code::Aborted || !is_transient(&lost);
        if is_final || began.elapsed() + wait > retry {
            return Err(lost);
        }
        tokio::time::sleep(wait).await;
    }
}
