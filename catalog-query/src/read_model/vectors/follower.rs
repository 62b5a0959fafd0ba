//! Keeps the vectors in memory equal to those of the live generation. A change of a product moves its
//! document to a new position; its vector comes when the text has been embedded. So the follower reads
//! documents by position, and asks again for those whose vector is still to come.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog_events::ProductId;
use pgvector::HalfVector;
use service_kit::Retry;
use tokio_util::sync::CancellationToken;

use crate::read_model::vectors::memory::VectorMemory;
use crate::read_model::vectors::table::VectorTable;
use crate::read_model::{LiveReadModel, ReadModel};

const PASS_EVERY: Duration = Duration::from_millis(100);
/// How many documents are read at a time.
const ROWS_MAX: usize = 500;
/// How often all vectors are compared with what the database states: a repair, or an event that was
/// parked, changes a document at a position that lies behind. A comparison takes at most one part in so
/// many of the time.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
const COMPARE_SHARE: u32 = 100;
/// A catalog that was too large has to be so much smaller before its vectors are read again.
const SMALLER_SHARE: f64 = 0.9;

pub(crate) struct VectorFollower {
    pub(crate) live: LiveReadModel,
    /// The model of queries: vectors of another one are of no use.
    pub(crate) model: String,
    pub(crate) memory: Arc<VectorMemory>,
    /// The most vectors that are kept in memory; larger catalogs are searched in Postgres.
    pub(crate) vectors_max: u64,
}

/// How far the follower is.
struct Followed {
    generation: i64,
    /// Documents up to here were read.
    position: i64,
    /// The position up to which products whose vector is awaited were asked for last.
    asked_up_to: i64,
    compared: Instant,
    compare_every: Duration,
    too_many: bool,
}

impl Followed {
    fn nothing_of(generation: i64) -> Self {
        Self {
            generation,
            position: 0,
            asked_up_to: 0,
            compared: Instant::now(),
            compare_every: COMPARE_EVERY,
            too_many: false,
        }
    }
}

impl VectorFollower {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.follow_for_ever()).await;
        Ok(())
    }

    /// Never ends.
    async fn follow_for_ever(&self) {
        let mut retry = Retry::new("vectors in memory");
        let mut followed = Followed::nothing_of(0);
        loop {
            match self.pass(&mut followed).await {
                Ok(()) => {
                    retry.succeeded();
                    self.memory.passed();
                    tokio::time::sleep(PASS_EVERY).await;
                }
                Err(err) => retry.failed(err).wait().await,
            }
        }
    }

    /// Reads all that has changed.
    async fn pass(&self, followed: &mut Followed) -> sqlx::Result<()> {
        let live = self.live.load_full();
        if followed.generation != live.generation {
            self.memory.give_up();
            *followed = Followed::nothing_of(live.generation);
        }
        // Read before the documents, of which none up to this position is missed then.
        let (documents, position) = live.document_count().await?;
        if live.model != self.model || self.are_too_many(documents, &live, followed) {
            return Ok(());
        }
        self.read_changes(&live, followed).await?;
        followed.position = followed.position.max(position);
        self.read_awaited(&live, followed).await?;
        self.read(&live, &self.memory.take_asked()).await?;
        if followed.compared.elapsed() >= followed.compare_every {
            let started = Instant::now();
            let outdated = self.memory.outdated(&live).await?;
            self.read(&live, &outdated).await?;
            followed.compared = Instant::now();
            followed.compare_every = COMPARE_EVERY.max(started.elapsed() * COMPARE_SHARE);
        }
        self.memory.completed(live.generation, followed.position);
        Ok(())
    }

    /// Whether there are more vectors than are kept in memory; then none is.
    fn are_too_many(&self, documents: i64, live: &ReadModel, followed: &mut Followed) -> bool {
        let room = if followed.too_many {
            self.vectors_max as f64 * SMALLER_SHARE
        } else {
            self.vectors_max as f64
        };
        let too_many = documents as f64 > room;
        if too_many && !followed.too_many {
            let vectors_max = self.vectors_max;
            tracing::info!(
                documents,
                vectors_max,
                "the vectors are searched in Postgres: there are more than are kept in memory \
                 (CATALOG_QUERY_MEMORY_VECTORS_MAX)"
            );
            self.memory.give_up();
            *followed = Followed::nothing_of(live.generation);
        }
        followed.too_many = too_many;
        too_many
    }

    async fn read_changes(&self, live: &ReadModel, followed: &mut Followed) -> sqlx::Result<()> {
        loop {
            let rows = live.vectors_behind(followed.position, ROWS_MAX).await?;
            self.take(&rows);
            if let Some(last) = rows.last() {
                followed.position = last.position;
            }
            if rows.len() < ROWS_MAX {
                return Ok(());
            }
        }
    }

    /// Asks for vectors that are awaited: the oldest, which are embedded first, as long as some of them
    /// have come, and some of the others in turn.
    async fn read_awaited(&self, live: &ReadModel, followed: &mut Followed) -> sqlx::Result<()> {
        loop {
            let before = self.memory.look(VectorTable::awaited);
            self.ask(live, 0).await?;
            let after = self.memory.look(VectorTable::awaited);
            if after == 0 || after == before {
                break;
            }
        }
        followed.asked_up_to = self.ask(live, followed.asked_up_to).await?.unwrap_or(0);
        Ok(())
    }

    /// Asks for some awaited vectors behind a position; returns the last position, if there was one.
    async fn ask(&self, live: &ReadModel, behind: i64) -> sqlx::Result<Option<i64>> {
        let some = |table: &VectorTable| table.awaited_behind(behind, ROWS_MAX);
        let (positions, ids): (Vec<i64>, Vec<ProductId>) =
            self.memory.look(some).into_iter().unzip();
        self.read(live, &ids).await?;
        Ok(positions.last().copied())
    }

    async fn read(&self, live: &ReadModel, ids: &[ProductId]) -> sqlx::Result<()> {
        for ids in ids.chunks(ROWS_MAX) {
            let rows = live.vectors_of(ids).await?;
            self.take(&rows);
            let gone = |id: &&ProductId| !rows.iter().any(|row| row.product_id == id.as_str());
            self.memory.change(|table| {
                for id in ids.iter().filter(gone) {
                    table.remove(id);
                    table.waits_no_more(id);
                }
            });
        }
        Ok(())
    }

    fn take(&self, rows: &[VectorRow]) {
        for row in rows {
            // A row of another id is for the check of the database to find.
            if let Ok(id) = row.product_id.parse() {
                self.memory.change(|table| row.apply(&id, table));
            }
        }
    }
}

/// A document with its vector.
#[derive(sqlx::FromRow)]
struct VectorRow {
    product_id: String,
    position: i64,
    is_deleted: bool,
    /// Whether the vector is of the present text.
    is_current: bool,
    vector_hash: Option<Vec<u8>>,
    embedding: Option<HalfVector>,
}

impl VectorRow {
    fn apply(&self, id: &ProductId, table: &mut VectorTable) {
        let hash: Option<[u8; 16]> = self
            .vector_hash
            .as_deref()
            .and_then(|hash| hash.try_into().ok());
        match (&self.embedding, hash) {
            (Some(vector), Some(hash)) if !self.is_deleted => {
                if let Err(err) = table.set(id, hash, vector.as_slice()) {
                    tracing::warn!(product = id.as_str(), "cannot be kept in memory: {err}");
                }
            }
            _ => table.remove(id),
        }
        if self.is_current || self.is_deleted {
            table.waits_no_more(id);
        } else {
            table.wait_for(id, self.position);
        }
    }
}

/// The statement that reads some [`VectorRow`]s.
macro_rules! vector_rows {
    ($which:literal) => {
        concat!(
            "SELECT document.product_id, document.position, document.text_hash IS NULL AS is_deleted,
                    embedding.text_hash IS NOT DISTINCT FROM document.text_hash AS is_current,
                    embedding.vector_hash, embedding.embedding
             FROM documents document LEFT JOIN embeddings embedding USING (product_id) ",
            $which
        )
    };
}

impl ReadModel {
    /// How many documents there are, and their position.
    async fn document_count(&self) -> sqlx::Result<(i64, i64)> {
        sqlx::query_as("SELECT documents, position FROM checkpoint")
            .fetch_one(&self.pool)
            .await
    }

    /// The next documents behind a position.
    async fn vectors_behind(&self, position: i64, limit: usize) -> sqlx::Result<Vec<VectorRow>> {
        sqlx::query_as(vector_rows!(
            "WHERE document.position > $1 ORDER BY document.position LIMIT $2"
        ))
        .bind(position)
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await
    }

    async fn vectors_of(&self, ids: &[ProductId]) -> sqlx::Result<Vec<VectorRow>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
        sqlx::query_as(vector_rows!("WHERE document.product_id = ANY($1)"))
            .bind(&ids)
            .fetch_all(&self.pool)
            .await
    }
}
