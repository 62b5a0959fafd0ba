//! The schemas of both databases, compiled in: a service migrates its own at start, and
//! `catalogctl migrate` does it ahead of a deployment. Forward only, and each leaves the release before
//! it working: migrations that a binary does not know are no reason not to start, so that a deployment
//! can be rolled back. Both sides make their sessions in the same way, by [`SessionSettings`].

mod session;

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};

pub use crate::session::{SessionSettings, connect_options};

/// Database of the write side: products, outbox, event log; search rules and their log.
pub static COMMAND: Migrator = Migrator {
    ignore_missing: true,
    ..sqlx::migrate!("./command")
};

/// Database of the read side: generations of the read model, view counts.
pub static QUERY: Migrator = Migrator {
    ignore_missing: true,
    ..sqlx::migrate!("./query")
};

/// Who may do what in the database of the write side, as statements that can be run again.
pub const COMMAND_ROLES: &str = include_str!("../roles/command.sql");

/// Who may do what in the database of the read side, as statements that can be run again.
pub const QUERY_ROLES: &str = include_str!("../roles/query.sql");

/// Applies what is missing. Nothing is needed but to read where nothing is: a service may run as a role that
/// cannot change the schema.
pub async fn bring_up(migrations: &Migrator, pool: &PgPool) -> Result<(), MigrateError> {
    if is_up(migrations, pool).await? {
        return Ok(());
    }
    migrations.run(pool).await
}

/// Whether each migration has been applied, as it is.
async fn is_up(migrations: &Migrator, pool: &PgPool) -> sqlx::Result<bool> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(pool)
        .await?;
    if !known {
        return Ok(false);
    }
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(pool)
            .await?;
    Ok(migrations.iter().all(|migration| {
        let same = |(version, checksum): &(i64, Vec<u8>)| {
            *version == migration.version && *checksum == *migration.checksum
        };
        applied.iter().any(same)
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_deployment_can_be_rolled_back() {
        assert!(super::COMMAND.ignore_missing && super::QUERY.ignore_missing);
    }
}
