//! Proves a generation right before it answers: by the digest of the event log at its position, else
//! by that of the live read model.

use catalog_events::{BucketedDigest, Digest, Position};

use crate::events::{LogDigest, LogError};
use crate::generations::rebuild::Rebuilder;
use crate::generations::rebuild::building::Building;
use crate::generations::rebuild::error::RebuildError;
use crate::read_model::Checkpoint;
use crate::verification::{VerificationError, mend_parked};

/// How often the event log is asked before it counts as out of reach.
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
    /// Compares the generation with the event log or the live read model, and returns its digest when
    /// they are equal.
    pub(crate) async fn prove(&self, building: &mut Building) -> Result<Digest, RebuildError> {
        // Position and digest come from one row, so they belong together whatever is applied meanwhile.
        let live = self.live.load().checkpoint().await?;
        let target = live.position.min(self.target().await?);
        self.replay_to(building, target, None).await?;
        self.mend_parked(building).await?;
        let position = building.at;
        building
            .with_writer(move |writer| writer.commit(position))
            .await?;
        let new = building.read_model.checkpoint().await?;
        let total = new.digest.total();
        let index = match building.index.clone() {
            Some(index) => tokio::task::spawn_blocking(move || index.digest_of_live())
                .await
                .map_err(anyhow::Error::new)??,
            None => total,
        };
        let reference = self.reference(building, live, &new).await?;
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

    /// Sets the products of events that were parked on the way to what the log says. A retry or a repair
    /// may have done so in the live read model.
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

    /// Chooses what to compare with: the log where it can be asked, because it is right even when the
    /// live read model is not. A rebuild heals that then.
    async fn reference(
        &self,
        building: &Building,
        live: Checkpoint,
        new: &Checkpoint,
    ) -> Result<Reference, RebuildError> {
        let agree = new.digest == live.digest && new.documents == live.documents;
        // A parked event is in the log and cannot be in a read model. Only the log can judge a
        // generation that is ahead of the live one.
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

    /// Asks the log for its digest at `position`; None when its address is not known.
    async fn log_digest(&self, position: Position) -> Option<Result<LogDigest, LogError>> {
        let log = self.log.as_ref()?;
        for asked in 1..ASKED_TIMES_MAX {
            match log.digest(position).await {
                Ok(digest) => return Some(Ok(digest)),
                Err(_) => tokio::time::sleep(service_kit::backoff(asked)).await,
            }
        }
        Some(log.digest(position).await)
    }
}
