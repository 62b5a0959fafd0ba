//! A generation that is being filled: from the first event on, or from where a retired one stopped.

use std::sync::Arc;

use catalog_events::{Position, ProductEvent};
use tokio::task::JoinHandle;

use crate::events::Received;
use crate::generations::rebuild::{Progress, RebuildError, Rebuilder, Step};
use crate::index::{IndexError, IndexWriter, KeywordIndex};
use crate::read_model::{Applied, ReadModel};

/// Bounded in bytes as well, by where the events come from.
const BATCH_EVENTS_MAX: usize = 1_000;
const REPLAY_FAILURES_MAX: u32 = 8;

pub(crate) struct Building {
    pub(crate) read_model: Arc<ReadModel>,
    /// None in a rollback: the products of the index are the same.
    pub(crate) index: Option<Arc<KeywordIndex>>,
    writer: Option<IndexWriter>,
    /// Has the writer while it works.
    indexing: Option<JoinHandle<(IndexWriter, Result<(), IndexError>)>>,
    /// Where the documents are; read when the work begins.
    pub(crate) at: Position,
}

/// Filled, with its index where one was built.
pub(crate) type Built = (Arc<ReadModel>, Option<(KeywordIndex, IndexWriter)>);

impl Building {
    pub(crate) fn new(read_model: ReadModel) -> Self {
        Self {
            read_model: Arc::new(read_model),
            index: None,
            writer: None,
            indexing: None,
            at: Position::START,
        }
    }

    pub(crate) fn with_index(self, index: KeywordIndex, writer: IndexWriter) -> Self {
        Self {
            index: Some(Arc::new(index)),
            writer: Some(writer),
            ..self
        }
    }

    /// Index work blocks, so it gets a thread that may. Does nothing where no index is built.
    pub(crate) async fn with_writer(
        &mut self,
        work: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError> + Send + 'static,
    ) -> Result<(), RebuildError> {
        self.start_indexing(work).await?;
        self.indexed().await
    }

    /// The same, and goes on while the index is written; what was begun before is waited for.
    async fn start_indexing(
        &mut self,
        work: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError> + Send + 'static,
    ) -> Result<(), RebuildError> {
        self.indexed().await?;
        if self.index.is_none() {
            return Ok(());
        }
        let Some(mut writer) = self.writer.take() else {
            return Err(anyhow::anyhow!("the index writer was lost to an error").into());
        };
        self.indexing = Some(tokio::task::spawn_blocking(move || {
            let result = work(&mut writer);
            (writer, result)
        }));
        Ok(())
    }

    /// Completes once nobody writes to the index.
    pub(crate) async fn indexed(&mut self) -> Result<(), RebuildError> {
        let Some(indexing) = self.indexing.take() else {
            return Ok(());
        };
        let (writer, result) = indexing.await.map_err(anyhow::Error::new)?;
        self.writer = Some(writer);
        Ok(result?)
    }

    pub(crate) fn finish(self) -> Result<Built, RebuildError> {
        let index = match (self.index.map(Arc::into_inner), self.writer) {
            (None, _) => None,
            (Some(Some(index)), Some(writer)) => Some((index, writer)),
            _ => return Err(anyhow::anyhow!("the new keyword index is still in use").into()),
        };
        Ok((self.read_model, index))
    }
}

impl Rebuilder {
    /// Replays up to where the live documents are, never beyond: only there can both be compared.
    pub(crate) async fn catch_up(
        &self,
        building: &mut Building,
        progress: &Progress,
    ) -> Result<(), RebuildError> {
        loop {
            let target = self.live.load().checkpoint().await?.position;
            if building.at >= target {
                return Ok(());
            }
            self.replay_to(building, target, Some(progress)).await?;
        }
    }

    /// Reads with a consumer of its own: one that nobody reads from for a while is ended by the
    /// server.
    pub(crate) async fn replay_to(
        &self,
        building: &mut Building,
        target: Position,
        progress: Option<&Progress>,
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
                // Whatever becomes of the index, it is left in peace.
                done => return building.indexed().await.and(done),
            }
        }
    }

    /// Until `target`, or an error. While the documents of a batch are applied, the next one is read
    /// and the one before is indexed.
    async fn replay_some(
        &self,
        building: &mut Building,
        target: Position,
        progress: Option<&Progress>,
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
                let step = Step::Replay {
                    done: building.at.0,
                    total: target.0,
                };
                let _ = progress.send((building.read_model.generation, step)).await;
            }
            match next {
                Some(read) => batch = read?,
                None => return Ok(()),
            }
        }
    }
}

fn readable(batch: Vec<Received>, parked: &[Position]) -> Vec<ProductEvent> {
    let events = batch.into_iter().filter_map(|received| match received {
        Received::Event(event) if !parked.contains(&event.position) => Some(*event),
        Received::Event(_) | Received::Unreadable(_) => None,
    });
    events.collect()
}
