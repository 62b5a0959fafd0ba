//! The sequencer gives committed events their positions. It numbers after the commit, so that
//! writers share no lock and no position is ever skipped or filled in late.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;

use crate::status::WriteProgress;
use crate::store::{self, Epoch, LogError, Sequenced};

const BATCH_EVENTS_MAX: i64 = 1_000;
/// Other instances commit too and cannot wake this one.
const POLL_EVERY_MS: u64 = 50;

pub(crate) struct Sequencer {
    pub(crate) pool: PgPool,
    /// Notified by this instance's commands.
    pub(crate) committed: Arc<Notify>,
    /// Wakes the relay.
    pub(crate) sequenced: Arc<Notify>,
    pub(crate) progress: WriteProgress,
}

impl Sequencer {
    /// Ends only when `epoch` is no longer the current one.
    pub(crate) async fn run(&self, epoch: Epoch) {
        let mut failures = 0;
        let mut trusted = false;
        loop {
            match self.next(epoch, &mut trusted).await {
                Ok(Sequenced::Fenced) => return,
                Ok(Sequenced::Moved(0)) => {
                    failures = 0;
                    let poll = Duration::from_millis(POLL_EVERY_MS);
                    let _ = tokio::time::timeout(poll, self.committed.notified()).await;
                }
                Ok(Sequenced::Moved(_) | Sequenced::NoDigest) => failures = 0,
                Err(err) => {
                    failures += 1;
                    let err = anyhow::Error::new(err);
                    tracing::warn!(failures, "cannot sequence events: {err:#}");
                    tokio::time::sleep(service_kit::backoff(failures)).await;
                }
            }
        }
    }

    /// One step: what is committed gets positions, unless this instance no longer may. The first
    /// one looks whether the leader before this one kept the digest.
    async fn next(&self, epoch: Epoch, trusted: &mut bool) -> Result<Sequenced, LogError> {
        if !*trusted {
            store::distrust_head_digest(&self.pool, epoch).await?;
            *trusted = true;
        }
        let mut sequenced = store::sequence(&self.pool, epoch, BATCH_EVENTS_MAX).await?;
        if sequenced == Sequenced::NoDigest
            && !store::compute_head_digest(&self.pool, epoch).await?
        {
            sequenced = Sequenced::Fenced;
        }
        if let Sequenced::Moved(count @ 1..) = sequenced {
            self.progress.add_sequenced(count);
            self.sequenced.notify_one();
        }
        Ok(sequenced)
    }
}
