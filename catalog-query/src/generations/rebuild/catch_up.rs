//! Brings a generation that is being filled to the head of the log.

use catalog_events::{Position, ProductEvent};

use crate::events::Received;
use crate::generations::rebuild::Rebuilder;
use crate::generations::rebuild::building::Building;
use crate::generations::rebuild::error::RebuildError;
use crate::generations::rebuild::progress::{RebuildProgress, RebuildStep};
use crate::read_model::Applied;

/// The most events of one batch. The source of the events bounds them in bytes as well.
pub(crate) const BATCH_EVENTS_MAX: usize = 1_000;
/// How many failures to receive events in a row a replay survives.
pub(crate) const REPLAY_FAILURES_MAX: u32 = 8;

impl Rebuilder {
    /// Where the live documents are, or where the log ends if that is before: it was set back then, and what
    /// they have beyond it is lost.
    pub(crate) async fn target(&self) -> Result<Position, RebuildError> {
        let live = self.live.load().checkpoint().await?.position;
        let Some(log) = &self.log else {
            return Ok(live);
        };
        match log.head().await {
            Ok(head) => Ok(live.min(head)),
            Err(err) => {
                tracing::warn!("taken to be as long as the live documents are: {err}");
                Ok(live)
            }
        }
    }

    /// Replays up to where the live documents are, never beyond: both can be compared only there.
    pub(crate) async fn catch_up(
        &self,
        building: &mut Building,
        progress: &RebuildProgress,
    ) -> Result<(), RebuildError> {
        loop {
            let target = self.target().await?;
            if building.at >= target {
                return Ok(());
            }
            self.replay_to(building, target, Some(progress)).await?;
        }
    }

    /// Replays up to `target`, with a consumer of its own: the server ends one that nobody reads from
    /// for a while.
    pub(crate) async fn replay_to(
        &self,
        building: &mut Building,
        target: Position,
        progress: Option<&RebuildProgress>,
    ) -> Result<(), RebuildError> {
        let mut failures = 0;
        loop {
            let before = building.at;
            match self.replay_some(building, target, progress).await {
                Err(RebuildError::Consumer(err)) if failures < REPLAY_FAILURES_MAX => {
                    failures = if building.at > before {
                        1
                    } else {
                        failures + 1
                    };
                    tracing::warn!(failures, "replay starts again at {}: {err}", building.at);
                    tokio::time::sleep(service_kit::backoff(failures)).await;
                }
                // Nobody writes to the index any more when this returns.
                done => return building.indexed().await.and(done),
            }
        }
    }

    /// Replays until `target` or an error. While the documents of a batch are applied, the next one is
    /// read and the one before is indexed.
    async fn replay_some(
        &self,
        building: &mut Building,
        target: Position,
        progress: Option<&RebuildProgress>,
    ) -> Result<(), RebuildError> {
        if building.at >= target {
            return Ok(());
        }
        let room = |at: Position| at.lag_to(target).min(BATCH_EVENTS_MAX as u64) as usize;
        let mut reader = self.source.open(building.at).await?;
        let mut batch = reader.next_batch(room(building.at)).await?;
        loop {
            let to = batch.last().map_or(building.at, Received::position);
            let read_on = async {
                match room(to) {
                    0 => None,
                    room => Some(reader.next_batch(room).await),
                }
            };
            let applied = building.read_model.apply(self.me, building.at, &batch);
            let (applied, next) = tokio::join!(applied, read_on);
            let Applied::Yes { parked } = applied? else {
                return Err(RebuildError::Contended);
            };
            let events = readable(batch, &parked);
            building
                .start_indexing(move |writer| writer.apply(&events))
                .await?;
            building.at = to;
            if let Some(progress) = progress {
                let (done, total) = (building.at.0, target.0);
                let step = RebuildStep::Replay { done, total };
                let _ = progress.send((building.read_model.generation, step)).await;
            }
            match next {
                Some(read) => batch = read?,
                None => return Ok(()),
            }
        }
    }
}

/// The events of a batch without those that were parked.
pub(crate) fn readable(batch: Vec<Received>, parked: &[Position]) -> Vec<ProductEvent> {
    let events = batch.into_iter().filter_map(|received| match received {
        Received::Event(event) if !parked.contains(&event.position) => Some(*event),
        Received::Event(_) | Received::Unreadable(_) => None,
    });
    events.collect()
}
