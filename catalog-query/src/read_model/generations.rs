//! Creates, opens, switches and drops generations.

use std::str::FromStr as _;

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::read_model::ReadModel;
use crate::read_model::embeddings::VECTOR_HASH_SQL;

/// Of the tables that `create_generation_2` makes. Generations of other formats belong to other
/// releases, which may run beside this one.
pub(crate) const FORMAT: i32 = 2;

/// Candidates that HNSW keeps while it searches: at least the depth of the vector leg.
const HNSW_EF_SEARCH: &str = "200";

#[derive(Clone)]
pub(crate) struct Generations {
    options: PgConnectOptions,
    connections_max: u32,
    /// For the registry and for statements that name their schemas.
    registry: PgPool,
}

impl Generations {
    /// Connects and migrates.
    pub(crate) async fn connect(url: &str, connections_max: u32) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(url)
            .context("cannot use the database URL (CATALOG_QUERY_DATABASE_URL)")?;
        let registry = PgPoolOptions::new()
            .max_connections(4)
            .connect_with(options.clone())
            .await
            .context("cannot connect to Postgres (CATALOG_QUERY_DATABASE_URL)")?;
        catalog_migrations::QUERY
            .run(&registry)
            .await
            .context("cannot migrate the database of the read side")?;
        Ok(Self {
            options,
            connections_max,
            registry,
        })
    }

    pub(crate) fn registry(&self) -> &PgPool {
        &self.registry
    }

    /// The live generation of our format, created when there is none yet.
    pub(crate) async fn live(&self, model: &str) -> anyhow::Result<ReadModel> {
        let mut tx = self.registry.begin().await?;
        // Several replicas may start at once; one of them creates.
        sqlx::query("LOCK TABLE generations IN EXCLUSIVE MODE")
            .execute(&mut *tx)
            .await?;
        let live: Option<(i64, String)> = sqlx::query_as(
            "SELECT id, coalesce(model, '') FROM generations WHERE state = 'live' AND format = $1",
        )
        .bind(FORMAT)
        .fetch_optional(&mut *tx)
        .await?;
        let (generation, model) = match live {
            Some(live) => live,
            None => (insert(&mut tx, "live", model).await?, model.to_owned()),
        };
        tx.commit().await?;
        self.open(generation, model).await
    }

    pub(crate) async fn live_id(&self) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar("SELECT id FROM generations WHERE state = 'live' AND format = $1")
            .bind(FORMAT)
            .fetch_optional(&self.registry)
            .await
    }

    /// A new, empty generation beside the live one, for vectors of `model`.
    pub(crate) async fn create(&self, model: &str) -> anyhow::Result<ReadModel> {
        let mut tx = self.registry.begin().await?;
        let generation = insert(&mut tx, "building", model).await?;
        tx.commit().await?;
        self.open(generation, model.to_owned()).await
    }

    async fn open(&self, generation: i64, model: String) -> anyhow::Result<ReadModel> {
        let search_path = format!("generation_{generation},public");
        let options = self.options.clone().options([
            ("search_path", search_path.as_str()),
            ("hnsw.ef_search", HNSW_EF_SEARCH),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(self.connections_max)
            .connect_with(options)
            .await
            .with_context(|| format!("cannot open generation {generation} of the read model"))?;
        Ok(ReadModel {
            generation,
            model,
            pool,
        })
    }

    /// Makes `new` the live one. The one that was live stays, retired.
    pub(crate) async fn switch_to(&self, new: i64) -> sqlx::Result<()> {
        let mut tx = self.registry.begin().await?;
        sqlx::query(
            "UPDATE generations SET state = 'retired' WHERE state = 'live' AND format = $1",
        )
        .bind(FORMAT)
        .execute(&mut *tx)
        .await?;
        let switched =
            sqlx::query("UPDATE generations SET state = 'live', switched_at = now() WHERE id = $1")
                .bind(new)
                .execute(&mut *tx)
                .await?;
        if switched.rows_affected() != 1 {
            // Dropping the transaction keeps the live one live.
            return Err(sqlx::Error::RowNotFound);
        }
        tx.commit().await
    }

    /// The right to rebuild, for one replica at a time; none while another has it. It lasts as long
    /// as the connection that is returned.
    pub(crate) async fn rebuild_lock(&self) -> sqlx::Result<Option<PgConnection>> {
        const REBUILD_LOCK: i64 = 0x6361_7461_6c6f_6701;
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(REBUILD_LOCK)
            .fetch_one(&mut connection)
            .await?;
        Ok(locked.then_some(connection))
    }

    /// Drops one that is not live: a failed build, or one retired longer ago than the last.
    pub(crate) async fn drop(&self, generation: i64) -> sqlx::Result<()> {
        let mut tx = self.registry.begin().await?;
        let dropped = sqlx::query("DELETE FROM generations WHERE id = $1 AND state <> 'live'")
            .bind(generation)
            .execute(&mut *tx)
            .await?;
        if dropped.rows_affected() == 1 {
            // The name is made of a number: nothing of a caller gets into the statement.
            let ddl = format!("DROP SCHEMA IF EXISTS generation_{generation} CASCADE");
            sqlx::query(AssertSqlSafe(ddl)).execute(&mut *tx).await?;
        }
        tx.commit().await
    }

    /// All that are neither live nor the newest retired one. For the holder of the rebuild lock:
    /// whatever else is being built was left behind.
    pub(crate) async fn drop_outdated(&self) -> sqlx::Result<()> {
        let outdated: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM generations
             WHERE state = 'building'
                OR (state = 'retired' AND id <> (
                        SELECT id FROM generations WHERE state = 'retired'
                        ORDER BY switched_at DESC NULLS LAST, id DESC LIMIT 1))",
        )
        .fetch_all(&self.registry)
        .await?;
        for generation in outdated {
            self.drop(generation).await?;
        }
        Ok(())
    }

    /// Copies the embeddings whose text the new generation still has; returns how many.
    pub(crate) async fn copy_embeddings(&self, from: i64, to: i64) -> sqlx::Result<u64> {
        let copy = format!(
            "INSERT INTO generation_{to}.embeddings (product_id, text_hash, embedding, vector_hash)
             SELECT old.product_id, old.text_hash, old.embedding, {VECTOR_HASH_SQL}
             FROM generation_{from}.embeddings old
             JOIN generation_{to}.documents USING (product_id, text_hash)
             ON CONFLICT (product_id) DO NOTHING"
        );
        let copied = sqlx::query(AssertSqlSafe(copy))
            .execute(&self.registry)
            .await?;
        let done = format!(
            "DELETE FROM generation_{to}.embedding_queue queue
             USING generation_{to}.documents document, generation_{to}.embeddings embedding
             WHERE queue.product_id = document.product_id
               AND embedding.product_id = document.product_id
               AND embedding.text_hash = document.text_hash"
        );
        sqlx::query(AssertSqlSafe(done))
            .execute(&self.registry)
            .await?;
        Ok(copied.rows_affected())
    }
}

async fn insert(db: &mut PgConnection, state: &str, model: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "WITH new AS (
             INSERT INTO generations (state, format, model, switched_at)
             VALUES ($1, $2, $3, CASE $1 WHEN 'live' THEN now() END)
             RETURNING id
         )
         SELECT id FROM new, LATERAL create_generation_2(id)",
    )
    .bind(state)
    .bind(FORMAT)
    .bind(model)
    .fetch_one(db)
    .await
}
