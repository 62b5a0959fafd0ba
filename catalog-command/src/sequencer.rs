//! The sequencer gives committed events their positions. It numbers after the commit, so that
//! writers share no lock and no position is ever skipped or filled in late.

mod floor;

use std::sync::Arc;
use std::time::Duration;

use service_kit::Retry;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::sequencer::floor::Floor;
use crate::status::WriteProgress;
use crate::store::{self, Epoch, LogError, Sequenced, soon};

const BATCH_EVENTS_MAX: i64 = 1_000;
/// How often the outbox is looked at: other instances commit too and cannot wake this one.
const POLL_EVERY_MS: u64 = 50;
/// After fewer events than this the next ones gather for a moment: a batch of one event costs about as
/// much as one of fifty.
const FEW_EVENTS: u64 = 50;
const GATHER_MS: u64 = 3;
/// How long to wait before a corrupt log is read again: it is read from its start, which is much work, and
/// a person must mend it.
const CORRUPT_RETRY_MS: u64 = 30_000;

/// Moves events from the outbox to the log.
pub(crate) struct Sequencer {
    pub(crate) pool: PgPool,
    /// Notified by this instance's commands.
    pub(crate) committed: Arc<Notify>,
    /// Wakes the relay.
    pub(crate) sequenced: Arc<Notify>,
    pub(crate) progress: WriteProgress,
}

impl Sequencer {
    /// Gives positions for as long as `epoch` is the current one.
    pub(crate) async fn run(&self, epoch: Epoch) {
        let mut retry = Retry::new("sequencer");
        let mut limit = BATCH_EVENTS_MAX;
        let mut floor = Floor::new();
        loop {
            match self.next(epoch, &mut floor, limit).await {
                Ok(Sequenced::Fenced) => return,
                Ok(sequenced) => {
                    if retry.succeeded() {
                        self.progress.set_sequencer_error(None);
                    }
                    limit = (limit * 2).min(BATCH_EVENTS_MAX);
                    self.wait_for_more(sequenced).await;
                }
                Err(err) => {
                    // It may have been too much for one transaction.
                    limit = (limit / 2).max(1);
                    self.wait_after(err, &mut retry).await;
                }
            }
        }
    }

    /// Lets events come in after a step that moved few or none.
    async fn wait_for_more(&self, sequenced: Sequenced) {
        match sequenced {
            Sequenced::Moved(moved) if moved.events == 0 => {
                let poll = Duration::from_millis(POLL_EVERY_MS);
                let _ = tokio::time::timeout(poll, self.committed.notified()).await;
            }
            Sequenced::Moved(moved) if moved.events < FEW_EVENTS => {
                tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
            }
            Sequenced::Moved(_) | Sequenced::NoDigest | Sequenced::Fenced => {}
        }
    }

    /// Logs the error, shows it where that helps, and waits until the next try.
    async fn wait_after(&self, err: LogError, retry: &mut Retry) {
        let corrupt = matches!(err, LogError::Corrupt(_));
        let mut failure = retry.failed(err);
        if corrupt || failure.lasts() {
            self.progress
                .set_sequencer_error(Some(failure.message.clone()));
        }
        if corrupt {
            failure.pause = Duration::from_millis(CORRUPT_RETRY_MS);
        }
        failure.wait().await;
    }

    /// Takes one step: committed events get positions, unless this instance no longer leads.
    async fn next(
        &self,
        epoch: Epoch,
        floor: &mut Floor,
        limit: i64,
    ) -> Result<Sequenced, LogError> {
        // The connection's TLS makes this a large future.
        let step = Box::pin(store::sequence(&self.pool, epoch, floor.id(), limit));
        let mut sequenced = soon(step).await?;
        if sequenced == Sequenced::NoDigest
            && !store::compute_head_digest(&self.pool, epoch).await?
        {
            sequenced = Sequenced::Fenced;
        }
        if let Sequenced::Moved(moved) = sequenced {
            floor.saw(&moved, limit);
            if moved.events > 0 {
                self.progress.add_sequenced(moved.events);
                self.sequenced.notify_one();
            }
        }
        Ok(sequenced)
    }
}
