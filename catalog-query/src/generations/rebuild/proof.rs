//! Proves a generation right before it answers: by the digest of the event log at its position, else
//! by that of the live read model.

use catalog_events::{BucketedDigest, Digest, Position};

use crate::events::{LogDigest, LogError};
use crate::generations::rebuild::Rebuilder;
use crate::generations::rebuild::building::Building;
use crate::generations::rebuild::error::RebuildError;
use crate::read_model::Checkpoint;
use crate::verification::{VerificationError, mend_parked};

const ASKED_TIMES_MAX: u32 = 3;

const LOG: &str = "the event log";
const LIVE: &str = "the live read model";

/// What a generation is compared with.
struct Reference {
    name: &'static str,
    documents: i64,
    digest: BucketedDigest,
}

impl Rebuilder {
    pub(crate) async fn prove(&self, building: &mut Building) -> Result<Digest, RebuildError> {
        // Position and digest are of one row, so they belong together whatever is applied meanwhile.
        let live = self.live.load().checkpoint().await?;
        self.replay_to(building, live.position, None).await?;
        self.mend_parked(building).await?;
        let position = building.at;
        building
            .with_writer(move |writer| writer.commit(position))
            .await?;
        let new = building.read_model.checkpoint().await?;
        let index = match building.index.clone() {
            Some(index) => tokio::task::spawn_blocking(move || index.digest_of_live())
                .await
                .map_err(anyhow::Error::new)??,
            None => new.digest.total(),
        };
        let reference = self.reference(building, live, &new).await?;
        let total = new.digest.total();
        let equal = new.digest == reference.digest && new.documents == reference.documents;
        if equal && index == total {
            return Ok(total);
        }
        Err(RebuildError::Differs {
            position,
            reference: reference.name,
            documents: reference.documents,
            expected: reference.digest.total(),
            new: total,
            index,
        })
    }

    /// What was parked on the way may have been made up for in the live read model, by a retry or a
    /// repair: then it is made up for here too.
    async fn mend_parked(&self, building: &mut Building) -> Result<(), RebuildError> {
        let Some(log) = &self.log else {
            return Ok(());
        };
        let mut after = i64::MIN;
        loop {
            let mended = match mend_parked(&building.read_model, log, after).await {
                Ok(Some(mended)) => mended,
                Ok(None) => return Ok(()),
                Err(VerificationError::Log(err)) => {
                    tracing::warn!("what is parked stays parked: {err}");
                    return Ok(());
                }
                Err(err) => return Err(err.into()),
            };
            after = mended.after;
            building
                .with_writer(move |writer| writer.force(&mended.changes))
                .await?;
        }
    }

    /// The log is right even where the live read model is not: then a rebuild heals it.
    async fn reference(
        &self,
        building: &Building,
        live: Checkpoint,
        new: &Checkpoint,
    ) -> Result<Reference, RebuildError> {
        let agree = new.digest == live.digest && new.documents == live.documents;
        // What is parked is in the log and cannot be in a read model. Of a generation that is ahead
        // of the live one, only the log can tell.
        let parked = building.read_model.parked_count().await? > 0;
        let by_live = Reference {
            name: LIVE,
            documents: live.documents,
            digest: live.digest,
        };
        if parked && new.position == live.position {
            return Ok(by_live);
        }
        match self.log_digest(new.position).await {
            None => Ok(by_live),
            Some(Err(err)) if agree => {
                tracing::warn!("compared with the live read model only: {err}");
                Ok(by_live)
            }
            Some(Err(err)) => Err(err.into()),
            Some(Ok(log)) => {
                if !agree && log.digest == new.digest {
                    let (live, log) = (by_live.digest.total(), log.digest.total());
                    tracing::warn!(%live, %log, "the live read model differs from the event log");
                }
                Ok(Reference {
                    name: LOG,
                    documents: log.documents,
                    digest: log.digest,
                })
            }
        }
    }

    /// None when the log's address is not known.
    async fn log_digest(&self, position: Position) -> Option<Result<LogDigest, LogError>> {
        let log = self.log.as_ref()?;
        let mut asked = 0;
        loop {
            asked += 1;
            match log.digest(position).await {
                Err(_) if asked < ASKED_TIMES_MAX => {
                    tokio::time::sleep(service_kit::backoff(asked)).await;
                }
                answer => return Some(answer),
            }
        }
    }
}
