//! Looks at the documents for all reads that wait for them: one query, however many wait.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use catalog_events::{Position, ProductId, Version};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::read_model::LiveReadModel;

/// How often the documents are looked at, which another replica may have changed.
const LOOK_EVERY_MS: u64 = 20;
/// The longest that one look may take: reads that come meanwhile have to wait for its end.
const LOOK_MS_MAX: u64 = 200;

/// Version and position of each document by product id, tombstones included.
type Applied = HashMap<String, (i64, i64)>;

/// A read that waits for versions of documents.
pub(crate) struct Waiting {
    versions: Vec<(ProductId, Version)>,
    /// Receives the position of the last event that brought them.
    reply: oneshot::Sender<Position>,
}

impl Waiting {
    pub(crate) fn new(
        versions: Vec<(ProductId, Version)>,
        reply: oneshot::Sender<Position>,
    ) -> Self {
        Self { versions, reply }
    }

    /// The position of the last of the expected events. None while a document is missing or older.
    fn satisfied_at(&self, applied: &Applied) -> Option<Position> {
        let position = |(id, expected): &(ProductId, Version)| {
            let (version, position) = applied.get(id.as_str())?;
            (*version >= expected.get()).then(|| Position::from_i64(*position))
        };
        let positions: Option<Vec<Position>> = self.versions.iter().map(position).collect();
        positions?.into_iter().max()
    }
}

pub(crate) struct DocumentWatch {
    arrivals: mpsc::Receiver<Waiting>,
    live: LiveReadModel,
    /// Changes when this replica has applied events. Those of another replica are seen at the next
    /// look.
    moved: watch::Receiver<()>,
}

impl DocumentWatch {
    pub(crate) fn new(
        arrivals: mpsc::Receiver<Waiting>,
        live: LiveReadModel,
        moved: watch::Receiver<()>,
    ) -> Self {
        Self {
            arrivals,
            live,
            moved,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = self.watch() => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    }

    /// Ends when no read can come any more.
    async fn watch(&mut self) {
        let mut tick = tokio::time::interval(Duration::from_millis(LOOK_EVERY_MS));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut waiting = Vec::new();
        loop {
            let anybody = !waiting.is_empty();
            tokio::select! {
                arrived = self.arrivals.recv() => {
                    let Some(arrived) = arrived else { return };
                    let mut arrived = vec![arrived];
                    while let Ok(another) = self.arrivals.try_recv() {
                        arrived.push(another);
                    }
                    waiting.extend(self.look(arrived).await);
                }
                _ = self.moved.changed(), if anybody => waiting = self.look(waiting).await,
                _ = tick.tick(), if anybody => waiting = self.look(waiting).await,
            }
        }
    }

    /// Answers the reads whose documents are there and returns the others.
    async fn look(&self, mut waiting: Vec<Waiting>) -> Vec<Waiting> {
        waiting.retain(|one| !one.reply.is_closed());
        if waiting.is_empty() {
            return waiting;
        }
        let look_max = Duration::from_millis(LOOK_MS_MAX);
        // A read that waits gives up by itself in time, so that an error here is only noted.
        let applied = match tokio::time::timeout(look_max, self.applied(&waiting)).await {
            Ok(Ok(applied)) => applied,
            Ok(Err(err)) => {
                tracing::debug!("cannot look at the documents: {err}");
                return waiting;
            }
            Err(_) => {
                tracing::debug!("the documents were not looked at within {LOOK_MS_MAX} ms");
                return waiting;
            }
        };
        let mut missing = Vec::new();
        for one in waiting {
            match one.satisfied_at(&applied) {
                // A read that has gone away needs no answer.
                Some(position) => drop(one.reply.send(position)),
                None => missing.push(one),
            }
        }
        missing
    }

    async fn applied(&self, waiting: &[Waiting]) -> sqlx::Result<Applied> {
        let expected = waiting.iter().flat_map(|one| &one.versions);
        let ids: HashSet<&str> = expected.map(|(id, _)| id.as_str()).collect();
        let live = self.live.load_full();
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT product_id, version, position FROM documents WHERE product_id = ANY($1)",
        )
        .bind(Vec::from_iter(ids))
        .fetch_all(&live.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, version, position)| (id, (version, position)))
            .collect())
    }
}
