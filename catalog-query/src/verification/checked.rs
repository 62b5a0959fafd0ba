//! The findings of a check, and the steps that are told while it goes on.

use std::time::Duration;

use catalog_events::{BucketedDigest, Position};
use tokio::sync::mpsc;

use crate::verification::error::VerificationError;

/// The most faults that are listed, more than a person reads; all of them are counted.
pub(crate) const FAULTS_MAX: usize = 1_000;
/// How long the client may take to read one part of an answer.
pub(crate) const TELL_MS_MAX: u64 = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Projection {
    ReadModel,
    KeywordIndex,
    Embeddings,
}

/// A contradiction in what a projection holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// None when the fault is not about one product.
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
    pub(crate) fn add(&mut self, product_id: Option<&str>, problem: impl Into<String>) {
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
    /// The number of live products.
    pub(crate) documents: u64,
    /// None for the embeddings.
    pub(crate) digest: Option<BucketedDigest>,
    pub(crate) faults: Faults,
    /// The number of live documents whose embedding is still to be computed.
    pub(crate) pending: u64,
}

/// A step of a check, as it is told to the client.
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

/// Sends a part of an answer. A client that stays and does not read must not keep a snapshot for
/// ever: after [`TELL_MS_MAX`] this is an error.
pub(crate) async fn tell<T>(whom: &mpsc::Sender<T>, what: T) -> Result<(), VerificationError> {
    let told = whom.send_timeout(what, Duration::from_millis(TELL_MS_MAX));
    told.await.map_err(|_| VerificationError::NotRead)
}
