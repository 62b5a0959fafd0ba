//! The sequencer gives committed events their positions. It numbers after the commit, so that
//! writers share no lock and no position is ever skipped or filled in late.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;

use crate::status::WriteProgress;
use crate::store::{self, Epoch, LogError, Sequenced, soon};

const BATCH_EVENTS_MAX: i64 = 1_000;
/// Other instances commit too and cannot wake this one.
const POLL_EVERY_MS: u64 = 50;
/// After fewer events than this the next ones gather for a moment: a batch costs about the same
/// whether it is of one event or of fifty.
const FEW_EVENTS: u64 = 50;
const GATHER_MS: u64 = 3;
/// One failure is a database that restarts; from here on `status` says what is wrong.
const FAILURES_SHOWN_FROM: u32 = 3;
/// A log that cannot be read is read from its start again, which is much work, and needs a person.
const CORRUPT_RETRY_MS: u64 = 30_000;

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
        let mut limit = BATCH_EVENTS_MAX;
        loop {
            match self.next(epoch, limit).await {
                Ok(Sequenced::Fenced) => return,
                Ok(sequenced) => {
                    if failures > 0 {
                        failures = 0;
                        self.progress.set_sequencer_error(None);
                    }
                    limit = (limit * 2).min(BATCH_EVENTS_MAX);
                    match sequenced {
                        Sequenced::Moved(0) => {
                            let poll = Duration::from_millis(POLL_EVERY_MS);
                            let _ = tokio::time::timeout(poll, self.committed.notified()).await;
                        }
                        Sequenced::Moved(count) if count < FEW_EVENTS => {
                            tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
                        }
                        Sequenced::Moved(_) | Sequenced::NoDigest | Sequenced::Fenced => {}
                    }
                }
                Err(err) => {
                    failures += 1;
                    // It may have been too much for one transaction.
                    limit = (limit / 2).max(1);
                    tokio::time::sleep(self.tell(err, failures)).await;
                }
            }
        }
    }

    /// Logs the error and shows it where that helps; returns how long to wait before the next try.
    fn tell(&self, err: LogError, failures: u32) -> Duration {
        let corrupt = matches!(err, LogError::Corrupt(_));
        let err = format!("{:#}", anyhow::Error::new(err));
        tracing::warn!(failures, "cannot sequence events: {err}");
        if corrupt || failures >= FAILURES_SHOWN_FROM {
            self.progress.set_sequencer_error(Some(err));
        }
        match corrupt {
            true => Duration::from_millis(CORRUPT_RETRY_MS),
            false => service_kit::backoff(failures),
        }
    }

    /// One step: what is committed gets positions, unless this instance no longer may.
    async fn next(&self, epoch: Epoch, limit: i64) -> Result<Sequenced, LogError> {
        let mut sequenced = soon(store::sequence(&self.pool, epoch, limit)).await?;
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
