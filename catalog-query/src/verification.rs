//! Proves that the projections hold what the log says, and mends what does not: reads every row,
//! vector and index entry, recomputes their digests, and sets products to what the log says of them.

mod rows;
mod read_model;
mod keyword_index;
mod listing;
mod states;
mod repair;
mod forced;
mod parked;

use std::sync::Arc;
use std::time::Duration;

use catalog_events::{BucketedDigest, Position};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

pub(crate) use self::listing::{Buckets, ListedProduct, ListedProducts};
pub(crate) use self::parked::mend_parked;
use crate::events::{LogClient, LogError};
use crate::index::IndexError;
use crate::index::LiveIndex;
use crate::projectors::Progress;
use crate::read_model::{CachedProductRepository, LiveReadModel, PostgresProductRepository};

/// More than a person reads; the total is counted all the same.
const FAULTS_MAX: usize = 1_000;
const PLACE_WAIT_MS_MAX: u64 = 1_000;
/// Of one part of an answer.
const TELL_MS_MAX: u64 = 20_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum VerificationError {
    #[error("database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(
        "the event log cannot be asked: set CATALOG_QUERY_COMMAND_GRPC_TARGET to the gRPC address \
         of catalog-command"
    )]
    NoLog,
    #[error("another check or listing is under way at this replica: try again when it has ended")]
    Busy,
    #[error("nobody reads the answers: given up")]
    NotRead,
    #[error("a thread panicked")]
    Panicked(#[from] tokio::task::JoinError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Projection {
    ReadModel,
    KeywordIndex,
    Embeddings,
}

/// What contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// None when it is not about one product.
    pub(crate) product_id: Option<String>,
    pub(crate) problem: String,
}

/// The first faults, and how many there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) first: Vec<Fault>,
    pub(crate) total: u64,
}

impl Faults {
    fn add(&mut self, product_id: Option<&str>, problem: impl Into<String>) {
        self.total += 1;
        if self.first.len() < FAULTS_MAX {
            self.first.push(Fault {
                product_id: product_id.map(str::to_owned),
                problem: problem.into(),
            });
        }
    }
}

/// What a projection holds, recomputed from all of it as it was at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    pub(crate) position: Position,
    /// Live products.
    pub(crate) documents: u64,
    /// None of the embeddings.
    pub(crate) digest: Option<BucketedDigest>,
    pub(crate) faults: Faults,
    /// Live documents whose embedding is still to be computed.
    pub(crate) pending: u64,
}

/// What is told while a check goes on.
pub(crate) enum CheckStep {
    Progress {
        projection: Projection,
        done: u64,
        total: u64,
    },
    Checked {
        projection: Projection,
        checked: Box<Checked>,
    },
}

pub(crate) type CheckSteps = mpsc::Sender<CheckStep>;

/// Checks and repairs the projections of this replica.
pub(crate) struct Verifier {
    pub(crate) live: LiveReadModel,
    pub(crate) index: Arc<LiveIndex>,
    pub(crate) repository: Arc<CachedProductRepository<PostgresProductRepository>>,
    /// None where its address is not known: then nothing can be mended.
    pub(crate) log: Option<LogClient>,
    pub(crate) progress: Progress,
    pub(crate) place: Place,
}

/// For one check or listing at a time: each reads everything, and holds a snapshot meanwhile.
#[derive(Clone)]
pub(crate) struct Place(Arc<Semaphore>);

impl Default for Place {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Place {
    /// Until what is returned is dropped. Waits a moment for one that is about to end.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, VerificationError> {
        let waited = Duration::from_millis(PLACE_WAIT_MS_MAX);
        let taken = tokio::time::timeout(waited, self.0.clone().acquire_owned()).await;
        // It is never closed.
        taken
            .ok()
            .and_then(Result::ok)
            .ok_or(VerificationError::Busy)
    }
}

/// A client that stays and does not read must not keep a snapshot for ever.
async fn tell<T>(whom: &mpsc::Sender<T>, what: T) -> Result<(), VerificationError> {
    let told = whom.send_timeout(what, Duration::from_millis(TELL_MS_MAX));
    told.await.map_err(|_| VerificationError::NotRead)
}

impl Verifier {
    /// Fails early when nobody reads the `steps` any more.
    pub(crate) async fn check(&self, steps: &CheckSteps) -> Result<(), VerificationError> {
        let live = self.live.load_full();
        let (read_model, embeddings) = read_model::check(&live, steps).await?;
        let index = keyword_index::check(&self.index, steps).await?;
        for (projection, checked) in [
            (Projection::ReadModel, read_model),
            (Projection::KeywordIndex, index),
            (Projection::Embeddings, embeddings),
        ] {
            let checked = CheckStep::Checked {
                projection,
                checked: Box::new(checked),
            };
            tell(steps, checked).await?;
        }
        Ok(())
    }
}
