//! Makes the indexes of pages on generations that are older than they. Pages are answered without them
//! too, only slower.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::read_model::{Generations, LiveReadModel};

/// A generation that a replica of an older release has made is found without the indexes.
const LOOK_EVERY_S: u64 = 60;

/// The indexes as `create_listing_indexes` makes them: names, and what they are of.
const INDEXES: [(&str, &str); 2] = [
    ("documents_by_position", "position"),
    ("documents_by_update", "product_updated_at(product)"),
];

/// Sees to the indexes of the live generation.
pub(crate) struct ListingIndexes {
    pub(crate) generations: Generations,
    pub(crate) live: LiveReadModel,
}

impl ListingIndexes {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                made = self.make_missing() => if let Err(err) = made {
                    tracing::warn!("cannot make the indexes of product lists: {err:#}");
                },
                () = stop.cancelled() => return Ok(()),
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(LOOK_EVERY_S)) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn make_missing(&self) -> sqlx::Result<()> {
        let generation = self.live.load().generation;
        let mut registry = self.generations.registry().acquire().await?;
        if valid(&mut registry, generation).await?.len() == INDEXES.len() {
            return Ok(());
        }
        // Another replica that has the lock makes them.
        let Some(mut db) = self.generations.listing_index_lock().await? else {
            return Ok(());
        };
        let valid = valid(&mut db, generation).await?;
        for (name, content) in INDEXES {
            if valid.iter().any(|known| known == name) {
                continue;
            }
            tracing::info!(generation, name, "making an index of product lists");
            // One that was broken off is there and of no use. The names are made of numbers and constants:
            // nothing of a caller gets into the statements.
            let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS generation_{generation}.{name}");
            let create = format!(
                "CREATE INDEX CONCURRENTLY {name} ON generation_{generation}.documents ({content})"
            );
            for statement in [drop, create] {
                sqlx::query(AssertSqlSafe(statement))
                    .execute(&mut db)
                    .await?;
            }
        }
        // Without statistics of the expression, Postgres guesses how many products it selects.
        let analyze = format!("ANALYZE generation_{generation}.documents");
        sqlx::query(AssertSqlSafe(analyze)).execute(&mut db).await?;
        Ok(())
    }
}

/// The names of the indexes that are there and whole.
async fn valid(db: &mut PgConnection, generation: i64) -> sqlx::Result<Vec<String>> {
    let names = INDEXES.map(|(name, _)| name);
    sqlx::query_scalar(
        "SELECT index.relname::text
         FROM pg_index
         JOIN pg_class AS index ON index.oid = pg_index.indexrelid
         WHERE pg_index.indrelid = to_regclass($1)
             AND index.relname = ANY($2) AND pg_index.indisvalid",
    )
    .bind(format!("generation_{generation}.documents"))
    .bind(&names[..])
    .fetch_all(db)
    .await
}
