//! The database of the query service, as those need it who look into it or fill it from outside.

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};

use crate::cluster::Cluster;

/// What a million vectors need while their index is built.
pub(super) const INDEX_BUILD_MEMORY: &str = "2GB";

/// The database of the query service, and the schema of its live generation.
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

/// Does at once what Postgres would do by itself in the middle of what is measured.
pub(super) async fn settle(db: &mut PgConnection) -> sqlx::Result<()> {
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        sqlx::raw_sql(statement).execute(&mut *db).await?;
    }
    Ok(())
}
