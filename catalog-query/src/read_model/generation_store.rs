//! Creates, opens, switches and drops generations.

use std::time::Duration;

use anyhow::Context as _;
use catalog_events::Position;
use catalog_migrations::SessionSettings;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use crate::read_model::ReadModel;

/// The format of the tables that `create_generation_2` makes. Generations of other formats belong to
/// other releases, which may run beside this one.
pub(crate) const FORMAT: i32 = 2;
/// How long a generation of an older release is kept unused, for that release to come back to.
const UNUSED_MS_MIN: i64 = 3_600_000;

/// The generation that a replica begins with.
pub(crate) enum Beginning {
    Live(ReadModel),
    /// No generation of our format is live, but `other` of another release is: ours has to be filled
    /// before anybody reads from it. All replicas of our release fill the same one.
    Upgrade {
        read_model: ReadModel,
        other: i64,
    },
}

/// How long a connection is waited for: a host that has gone says nothing, and nobody waits for an answer
/// longer than this.
const ACQUIRE_MAX: Duration = Duration::from_secs(10);
/// How long one statement on a generation may take, the check of all its rows included; indexes of
/// vectors are built over other connections.
const STATEMENT_MAX: &str = "120s";
/// How long a transaction may stand still: checks hash a page of rows meanwhile.
const IDLE_IN_TRANSACTION_MAX: &str = "60s";

/// The candidates that HNSW keeps while it searches. With as many as the vector leg is deep, 0.98 of
/// the nearest are found; with twice as many 0.995, for a millisecond more.
const HNSW_EF_SEARCH: &str = "400";
/// The vectors after which a walk in search of products that pass a filter is given up; then all
/// products that pass are compared.
const HNSW_MAX_SCAN_TUPLES: &str = "50000";

/// The generations in the database, with their registry.
#[derive(Clone)]
pub(crate) struct Generations {
    options: PgConnectOptions,
    connections_max: u32,
    /// Connections for the registry and for statements that name their schemas.
    registry: PgPool,
}

impl Generations {
    /// Connects to the database and migrates it.
    pub(crate) async fn connect(
        options: PgConnectOptions,
        connections_max: u32,
    ) -> anyhow::Result<Self> {
        let registry = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE_MAX)
            .connect_with(options.clone())
            .await
            .context("cannot connect to Postgres (CATALOG_QUERY_DATABASE_URL)")?;
        catalog_migrations::bring_up(&catalog_migrations::QUERY, &registry)
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

    /// Opens what a replica begins with: the live generation of our format, an empty one where there is
    /// nothing yet, or one to be filled beside the live one of another release.
    pub(crate) async fn begin(&self, model: &str) -> anyhow::Result<Beginning> {
        let mut tx = self.registry.begin().await?;
        // Several replicas may start at once; one of them creates.
        sqlx::query("LOCK TABLE generations IN EXCLUSIVE MODE")
            .execute(&mut *tx)
            .await?;
        if let Some((id, model)) = find(&mut tx, "live").await? {
            tx.commit().await?;
            return Ok(Beginning::Live(self.open(id, model).await?));
        }
        let other: Option<i64> = sqlx::query_scalar(
            "SELECT id FROM generations WHERE state = 'live' ORDER BY format DESC LIMIT 1",
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(other) = other else {
            let id = insert(&mut tx, "live", model).await?;
            tx.commit().await?;
            return Ok(Beginning::Live(self.open(id, model.to_owned()).await?));
        };
        let (id, model) = match find(&mut tx, "building").await? {
            Some(begun) => begun,
            None => (insert(&mut tx, "building", model).await?, model.to_owned()),
        };
        tx.commit().await?;
        let read_model = self.open(id, model).await?;
        Ok(Beginning::Upgrade { read_model, other })
    }

    /// The id of the live generation of our format; None while there is none.
    pub(crate) async fn live_id(&self) -> sqlx::Result<Option<i64>> {
        let mut db = self.registry.acquire().await?;
        let live = find(&mut db, "live").await?;
        Ok(live.map(|(id, _)| id))
    }

    /// The embedding model of the live generation of our format; None while there is none.
    pub(crate) async fn live_model(&self) -> sqlx::Result<Option<String>> {
        let mut db = self.registry.acquire().await?;
        let live = find(&mut db, "live").await?;
        Ok(live.map(|(_, model)| model))
    }

    pub(crate) async fn open_live(&self) -> anyhow::Result<ReadModel> {
        let live = find(&mut *self.registry.acquire().await?, "live").await?;
        let (id, model) = live.context("there is no live generation of this release")?;
        self.open(id, model).await
    }

    /// The id of the newest retired generation of our format, which was live before the last switch.
    pub(crate) async fn previous_id(&self) -> sqlx::Result<Option<i64>> {
        let previous = self.find_previous().await?;
        Ok(previous.map(|(id, _)| id))
    }

    pub(crate) async fn previous(&self) -> anyhow::Result<Option<ReadModel>> {
        match self.find_previous().await? {
            Some((id, model)) => Ok(Some(self.open(id, model).await?)),
            None => Ok(None),
        }
    }

    async fn find_previous(&self) -> sqlx::Result<Option<(i64, String)>> {
        sqlx::query_as(
            "SELECT id, coalesce(model, '') FROM generations
             WHERE state = 'retired' AND format = $1
             ORDER BY switched_at DESC NULLS LAST, id DESC LIMIT 1",
        )
        .bind(FORMAT)
        .fetch_optional(&self.registry)
        .await
    }

    /// The position of the documents of a generation of any format; the start when it is gone.
    pub(crate) async fn position(&self, generation: i64) -> sqlx::Result<Position> {
        let known: Option<i64> = sqlx::query_scalar("SELECT id FROM generations WHERE id = $1")
            .bind(generation)
            .fetch_optional(&self.registry)
            .await?;
        if known.is_none() {
            return Ok(Position::START);
        }
        let select = format!("SELECT position FROM generation_{generation}.checkpoint");
        let position = sqlx::query_scalar(AssertSqlSafe(select))
            .fetch_one(&self.registry)
            .await?;
        Ok(Position::from_i64(position))
    }

    /// Makes an empty generation beside the live one, for vectors of `model`.
    pub(crate) async fn create(&self, model: &str) -> anyhow::Result<ReadModel> {
        let mut tx = self.registry.begin().await?;
        let generation = insert(&mut tx, "building", model).await?;
        tx.commit().await?;
        self.open(generation, model.to_owned()).await
    }

    async fn open(&self, generation: i64, model: String) -> anyhow::Result<ReadModel> {
        let search_path = format!("generation_{generation},public");
        let settings = SessionSettings::of(&[
            ("search_path", search_path.as_str()),
            ("hnsw.ef_search", HNSW_EF_SEARCH),
            ("hnsw.max_scan_tuples", HNSW_MAX_SCAN_TUPLES),
            ("statement_timeout", STATEMENT_MAX),
            (
                "idle_in_transaction_session_timeout",
                IDLE_IN_TRANSACTION_MAX,
            ),
            // Cursors walk along the index of the vectors, and only the beginning is read.
            ("cursor_tuple_fraction", "0.001"),
        ]);
        let pool = settings
            .in_pool(PgPoolOptions::new())
            .max_connections(self.connections_max)
            .acquire_timeout(ACQUIRE_MAX)
            .connect_with(self.options.clone())
            .await
            .with_context(|| format!("cannot open generation {generation} of the read model"))?;
        Ok(ReadModel {
            generation,
            model,
            pool,
        })
    }

    /// Makes `new` the live generation. The one that was live stays, retired.
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

    /// Takes the right to build a generation, which one replica has at a time; None while another has
    /// it. It lasts as long as the connection that is returned.
    pub(crate) async fn rebuild_lock(&self) -> sqlx::Result<Option<PgConnection>> {
        self.lock(0x6361_7461_6c6f_6701).await
    }

    /// Takes the right to embed documents, in the same way as [`Self::rebuild_lock`].
    pub(crate) async fn embedding_lock(&self) -> sqlx::Result<Option<PgConnection>> {
        self.lock(0x6361_7461_6c6f_6702).await
    }

    /// Takes the right to make indexes of product lists, in the same way as [`Self::rebuild_lock`].
    pub(crate) async fn listing_index_lock(&self) -> sqlx::Result<Option<PgConnection>> {
        self.lock(0x6361_7461_6c6f_6703).await
    }

    async fn lock(&self, key: i64) -> sqlx::Result<Option<PgConnection>> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut connection)
            .await?;
        Ok(locked.then_some(connection))
    }

    /// Drops a generation that is not live, such as a failed build.
    pub(crate) async fn drop(&self, generation: i64) -> sqlx::Result<()> {
        let mut tx = self.registry.begin().await?;
        let dropped = sqlx::query(
            "DELETE FROM generations WHERE id = $1 AND NOT (state = 'live' AND format = $2)",
        )
        .bind(generation)
        .bind(FORMAT)
        .execute(&mut *tx)
        .await?;
        if dropped.rows_affected() == 1 {
            // The name is made of a number: nothing of a caller gets into the statement.
            let ddl = format!("DROP SCHEMA IF EXISTS generation_{generation} CASCADE");
            sqlx::query(AssertSqlSafe(ddl)).execute(&mut *tx).await?;
        }
        tx.commit().await
    }

    /// Drops all generations of our format that are neither live nor the newest retired one, and those
    /// of older formats that no replica of the older release has held for an hour. Only the holder of
    /// the rebuild lock may do so: then anything else that is being built was left behind.
    pub(crate) async fn drop_outdated(&self) -> sqlx::Result<()> {
        let outdated: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM generations
             WHERE format = $1
               AND (state = 'building'
                    OR (state = 'retired' AND id <> (
                            SELECT id FROM generations WHERE state = 'retired' AND format = $1
                            ORDER BY switched_at DESC NULLS LAST, id DESC LIMIT 1)))",
        )
        .bind(FORMAT)
        .fetch_all(&self.registry)
        .await?;
        for generation in outdated {
            self.drop(generation).await?;
        }
        for generation in self.left_by_older_releases().await? {
            tracing::info!(generation, "dropping the read model of an older release");
            self.drop(generation).await?;
        }
        Ok(())
    }

    /// The generations of older formats that have not been held for [`UNUSED_MS_MIN`].
    async fn left_by_older_releases(&self) -> sqlx::Result<Vec<i64>> {
        // A lease that was given back does not tell when that was; the age of our own live generation
        // does.
        let older: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM generations
             WHERE format < $1
               AND EXISTS (SELECT 1 FROM generations ours
                           WHERE ours.format = $1 AND ours.state = 'live'
                             AND ours.created_at < now() - $2 * interval '1 millisecond')",
        )
        .bind(FORMAT)
        .bind(UNUSED_MS_MIN)
        .fetch_all(&self.registry)
        .await?;
        let mut left = Vec::new();
        for generation in older {
            let select = format!(
                "SELECT lease_until < now() - $1 * interval '1 millisecond'
                 FROM generation_{generation}.checkpoint"
            );
            let unused = sqlx::query_scalar(AssertSqlSafe(select)).bind(UNUSED_MS_MIN);
            if unused.fetch_one(&self.registry).await? {
                left.push(generation);
            }
        }
        Ok(left)
    }
}

/// Finds the id and the model of the newest generation of our format in this state.
async fn find(db: &mut PgConnection, state: &str) -> sqlx::Result<Option<(i64, String)>> {
    sqlx::query_as(
        "SELECT id, coalesce(model, '') FROM generations WHERE state = $1 AND format = $2
         ORDER BY id DESC LIMIT 1",
    )
    .bind(state)
    .bind(FORMAT)
    .fetch_optional(db)
    .await
}

/// Makes a generation of our format and its tables, and returns its id.
async fn insert(db: &mut PgConnection, state: &str, model: &str) -> sqlx::Result<i64> {
    let id: i64 = sqlx::query_scalar(
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
    .fetch_one(&mut *db)
    .await?;
    sqlx::query("SELECT create_listing_indexes($1)")
        .bind(id)
        .execute(db)
        .await?;
    Ok(id)
}

/// The live generation of an empty database, for tests; the devkit keeps the database.
#[cfg(test)]
pub(crate) async fn begun(devkit: &devkit::Devkit) -> ReadModel {
    let url = devkit.unique_database("vectors").await.expect("database");
    let generations = Generations::connect(url.parse().expect("a URL"), 4)
        .await
        .expect("connect");
    let Beginning::Live(read_model) = generations.begin("test").await.expect("begin") else {
        panic!("an empty database begins with a live generation");
    };
    read_model
}
