//! Answers requests for checks, listings, repairs and parked events.

use std::sync::Arc;

use catalog_proto::v1;
use prost_types::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::events::PRODUCT_IDS_MAX;
use crate::grpc::convert::count;
use crate::grpc::error::{internal, invalid, verification_status};
use crate::grpc::stream::Answers;
use crate::read_model::ParkedEvent;
use crate::verification::{
    Buckets, CheckStep, Checked, Fault, ListedProduct, ListedProducts, Projection,
    VerificationError, Verifier,
};

/// The most products of one repair.
const REPAIRS_MAX: usize = PRODUCT_IDS_MAX;
/// The most parts that wait for a client that is slow to read.
const PARTS_QUEUE_MAX: usize = 4;

pub(crate) async fn check(verifier: Arc<Verifier>) -> Result<Answers<v1::CheckProgress>, Status> {
    let place = verifier.place.take().await.map_err(verification_status)?;
    let check = async move |steps| verifier.check(&steps).await;
    Ok(streamed(place, check, check_step))
}

pub(crate) async fn list(
    verifier: Arc<Verifier>,
    request: v1::ListProjectedProductsRequest,
) -> Result<Answers<v1::ListProjectedProductsResponse>, Status> {
    let buckets = Buckets::new(&request.buckets)
        .ok_or_else(|| invalid("buckets", "has an entry that is no bucket"))?;
    let projection = request.projection();
    if !matches!(
        projection,
        v1::Projection::ReadModel | v1::Projection::KeywordIndex
    ) {
        let reason = "is neither the read model nor the keyword index";
        return Err(invalid("projection", reason));
    }
    let place = verifier.place.take().await.map_err(verification_status)?;
    let list = async move |listing| match projection {
        v1::Projection::KeywordIndex => verifier.list_index(&buckets, &listing).await,
        _ => verifier.list_documents(&buckets, &listing).await,
    };
    Ok(streamed(place, list, listed_part))
}

/// Runs `work` in a task of its own, and streams what it sends as messages, then its error.
fn streamed<T, M, F>(
    place: OwnedSemaphorePermit,
    work: impl FnOnce(mpsc::Sender<T>) -> F,
    message: impl Fn(T) -> M + Send + 'static,
) -> Answers<M>
where
    T: Send + 'static,
    M: Send + 'static,
    F: Future<Output = Result<(), VerificationError>> + Send + 'static,
{
    let (parts, received) = mpsc::channel(PARTS_QUEUE_MAX);
    let (failure, failed) = mpsc::channel(1);
    let work = work(parts);
    tokio::spawn(async move {
        let done = work.await;
        // The place is free before the stream ends, so that a client that has read it may go on.
        drop(place);
        if let Err(err) = done {
            // The client may have gone away.
            let _ = failure.send(Err(verification_status(err))).await;
        }
    });
    let messages = ReceiverStream::new(received).map(move |part| Ok(message(part)));
    Box::pin(messages.chain(ReceiverStream::new(failed)))
}

pub(crate) async fn repair(
    verifier: &Arc<Verifier>,
    request: v1::RepairProductsRequest,
) -> Result<v1::RepairProductsResponse, Status> {
    if request.ids.len() > REPAIRS_MAX {
        let reason = format!("has more than {REPAIRS_MAX} entries");
        return Err(invalid("ids", reason));
    }
    let mut ids = request.ids;
    ids.sort();
    ids.dedup();
    let verifier = verifier.clone();
    let repaired = to_the_end(async move { verifier.repair(&ids).await })
        .await?
        .map_err(verification_status)?;
    Ok(v1::RepairProductsResponse {
        repaired: i32::try_from(repaired).unwrap_or(i32::MAX),
    })
}

pub(crate) async fn parked(verifier: &Verifier) -> Result<v1::ListParkedEventsResponse, Status> {
    let (events, total) = verifier.parked().await.map_err(verification_status)?;
    Ok(v1::ListParkedEventsResponse {
        events: events.into_iter().map(parked_event).collect(),
        total,
    })
}

pub(crate) async fn retry_parked(
    verifier: &Arc<Verifier>,
    request: v1::RetryParkedEventsRequest,
) -> Result<v1::RetryParkedEventsResponse, Status> {
    let (verifier, positions) = (verifier.clone(), request.positions);
    let retried = to_the_end(async move { verifier.retry_parked(&positions).await })
        .await?
        .map_err(verification_status)?;
    Ok(v1::RetryParkedEventsResponse {
        applied: retried.applied,
        failed: retried.failed.into_iter().map(parked_event).collect(),
    })
}

/// Runs `work` in a task of its own, so that it is not left half done when the client goes away.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::spawn(work).await;
    done.map_err(|err| internal(&err))
}

fn check_step(step: CheckStep) -> v1::CheckProgress {
    match step {
        CheckStep::Progress {
            projection,
            done,
            total,
        } => v1::CheckProgress {
            projection: named(projection).into(),
            done: count(done),
            total: count(total),
            digest: None,
        },
        CheckStep::Checked {
            projection,
            checked,
        } => v1::CheckProgress {
            projection: named(projection).into(),
            done: count(checked.documents),
            total: count(checked.documents),
            digest: Some(projection_digest(*checked)),
        },
    }
}

fn named(projection: Projection) -> v1::Projection {
    match projection {
        Projection::ReadModel => v1::Projection::ReadModel,
        Projection::KeywordIndex => v1::Projection::KeywordIndex,
        Projection::Embeddings => v1::Projection::Embeddings,
    }
}

fn projection_digest(checked: Checked) -> v1::ProjectionDigest {
    let fault = |fault: Fault| v1::ProjectionFault {
        product_id: fault.product_id.unwrap_or_default(),
        problem: fault.problem,
    };
    v1::ProjectionDigest {
        position: checked.position.to_i64(),
        documents: count(checked.documents),
        buckets: checked
            .digest
            .map(|digest| digest.to_message())
            .unwrap_or_default(),
        faults: checked.faults.first.into_iter().map(fault).collect(),
        faults_total: count(checked.faults.total),
        pending: count(checked.pending),
    }
}

fn listed_part(part: ListedProducts) -> v1::ListProjectedProductsResponse {
    let product = |product: ListedProduct| v1::ProductState {
        id: product.product_id,
        version: product.version.unwrap_or_default(),
        content_hash: product
            .content_hash
            .map(|hash| hash.to_bytes().to_vec())
            .unwrap_or_default(),
    };
    v1::ListProjectedProductsResponse {
        position: part.position.to_i64(),
        products: part.products.into_iter().map(product).collect(),
    }
}

fn parked_event(event: ParkedEvent) -> v1::ParkedEvent {
    v1::ParkedEvent {
        position: event.position,
        product_id: event.product_id.unwrap_or_default(),
        error: event.error,
        parked_at: Some(Timestamp {
            seconds: event.parked_at.unix_timestamp(),
            nanos: i32::try_from(event.parked_at.nanosecond()).unwrap_or(0),
        }),
        retries: event.retries,
    }
}
