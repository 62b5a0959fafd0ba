//! Access to the database of the query service, past the service.

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};

use crate::cluster::Cluster;

/// The memory that the index build of a million vectors needs.
pub(super) const INDEX_BUILD_MEMORY: &str = "2GB";

/// Connects to the database of the query service and finds the schema of its live generation.
pub(super) async fn live_generation(cluster: &Cluster) -> anyhow::Result<(PgConnection, String)> {
    let url = cluster
        .query_database_url()
        .context("no database of the query service")?;
    let mut db = PgConnection::connect(url).await?;
    let live: i64 = sqlx::query_scalar("SELECT id FROM generations WHERE state = 'live'")
        .fetch_one(&mut db)
        .await?;
    Ok((db, format!("generation_{live}")))
}

/// Vacuums and checkpoints now, which Postgres would else do in the middle of a measurement.
pub(super) async fn settle(db: &mut PgConnection) -> sqlx::Result<()> {
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        sqlx::raw_sql(statement).execute(&mut *db).await?;
    }
    Ok(())
}
