//! Notices that the live documents are not what the event log says at their position, and builds them anew.
//! Events alone never bring that about. A database that was restored from a backup does, of either
//! side, and one whose replica took over without its last transactions: then positions mean something
//! else than before, and no event would ever mend it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use catalog_events::{Position, STREAM};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::events::LogError;
use crate::generations::rebuild::Rebuilder;
use crate::generations::rebuild::error::RebuildError;
use crate::projectors::Progress;
use crate::read_model::{Checkpoint, LiveReadModel, Serving};

const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How many looks in a row see a difference before it counts: the log is asked a moment after the documents.
const LOOKS_MIN: u32 = 2;
/// Documents that are further behind are not judged: the log would have to sum all that comes after.
const LAG_MAX: u64 = 5_000;
/// The pause after a rebuild that failed, which doubles up to the longest one.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(600);

pub(crate) struct DivergenceWatch {
    pub(crate) live: LiveReadModel,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) rebuilder: Arc<Rebuilder>,
    pub(crate) serving: Serving,
    pub(crate) progress: Progress,
}

/// How the documents differ from the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Divergence {
    #[error("the documents are at position {0}, and the event log ends before it: it was set back")]
    Beyond(Position),
    #[error("the documents are not what the event log says at position {0}")]
    Differs(Position),
}

impl DivergenceWatch {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.watch_for_ever()).await;
        Ok(())
    }

    /// Never ends.
    async fn watch_for_ever(&self) {
        // Until then, no documents answer.
        self.serving.wait().await;
        let (mut looks, mut failures, mut beyond) = (0, 0, 0);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look().await {
                Ok(None) => {
                    (looks, failures) = (0, 0);
                    self.show(None);
                    let is_beyond = self.rebuilder.is_index_beyond_the_log().await;
                    beyond = if is_beyond { beyond + 1 } else { 0 };
                    if beyond >= LOOKS_MIN {
                        self.mend_index().await;
                    }
                }
                Ok(Some(divergence)) => {
                    looks += 1;
                    if looks >= LOOKS_MIN {
                        self.show(Some(&divergence));
                        self.mend(&divergence, &mut failures).await;
                    }
                }
                // Nobody can be asked: that is for others to tell.
                Err(err) => tracing::debug!("the documents are not compared: {err:#}"),
            }
        }
    }

    /// Compares the documents with the log. None also where that cannot be judged.
    async fn look(&self) -> anyhow::Result<Option<Divergence>> {
        let Some(log) = &self.rebuilder.log else {
            return Ok(None);
        };
        let live = self.live.load_full();
        let Checkpoint {
            position,
            digest,
            documents,
        } = live.checkpoint().await?;
        if live.parked_count().await? > 0 || self.lag(position).await? > LAG_MAX {
            return Ok(None);
        }
        Ok(match log.digest(position).await {
            Err(LogError::NotThereYet(_)) => Some(Divergence::Beyond(position)),
            Err(err) => return Err(err.into()),
            Ok(log) if log.digest == digest && log.documents == documents => None,
            Ok(_) => Some(Divergence::Differs(position)),
        })
    }

    async fn lag(&self, position: Position) -> anyhow::Result<u64> {
        let stream = self.jetstream.get_stream(STREAM).await?;
        let last = Position(stream.cached_info().state.last_sequence);
        Ok(position.lag_to(last))
    }

    fn show(&self, divergence: Option<&Divergence>) {
        let differ = divergence.is_some();
        self.progress.documents_differ.set(differ.into());
        let told = divergence.map(|divergence| format!("{divergence}; they are built anew"));
        self.progress.read_model.set_standing_error(told);
    }

    /// Makes the index of this replica of the documents.
    async fn mend_index(&self) {
        tracing::error!("the keyword index is at a position that the event log does not have");
        if let Err(err) = self.rebuilder.check_index().await {
            tracing::error!("the keyword index cannot be made anew: {err:#}");
        }
    }

    /// Builds the documents anew, unless another replica does.
    async fn mend(&self, divergence: &Divergence, failures: &mut u32) {
        tracing::error!("{divergence}: building them anew");
        // Nobody listens to the progress.
        let (progress, _) = mpsc::channel(1);
        match self.rebuilder.run(&progress).await {
            Ok(()) => *failures = 0,
            Err(RebuildError::Busy) => {}
            Err(err) => {
                *failures += 1;
                let reason = anyhow::Error::new(err);
                tracing::error!(failures, "the documents cannot be built anew: {reason:#}");
                tokio::time::sleep(pause_after(*failures)).await;
            }
        }
    }
}

fn pause_after(failures: u32) -> Duration {
    let doubled = PAUSE * (1 << failures.saturating_sub(1).min(10));
    doubled.min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_built_is_tried_ever_more_seldom() {
        let seconds = |failures| pause_after(failures).as_secs();
        assert_eq!([1, 2, 3, 8, 100].map(seconds), [5, 10, 20, 600, 600]);
    }
}
