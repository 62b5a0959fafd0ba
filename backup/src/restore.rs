//! Restores a backup in one transaction: the database holds what it held before until all of the backup is
//! there and proved.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::sleep;

use crate::error::BackupError;
use crate::folder::Folder;
use crate::manifest::{Manifest, Table};
use crate::piece::PieceReader;
use crate::{Progress, proof, tables};

/// Roles that the services run as, where somebody has made them.
const ROLES: [&str; 3] = ["catalog_migrator", "catalog_writer", "catalog_relay"];
/// How long a session that nobody uses has been idle.
const IDLE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    pub manifest: Manifest,
    /// Products that were given up.
    pub replaced: i64,
}

/// Makes the database at `url` what the backup in a folder holds. One that holds a catalog is refused unless
/// `replace` says that it is to be given up, and one that others use always.
pub async fn restore(
    url: &str,
    folder: &Path,
    replace: bool,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Restored, BackupError> {
    let folder = Folder::claim(folder)?;
    let manifest = folder.backup()?;
    let migrations = &catalog_migrations::COMMAND;
    let ours = migrations.iter().map(|migration| migration.version);
    let ours = ours.max().unwrap_or_default();
    if manifest.migration > ours {
        let theirs = manifest.migration;
        return Err(BackupError::Newer { theirs, ours });
    }
    let mut db = PgConnection::connect_with(&catalog_migrations::connect_options(url)?).await?;
    let mut tx = db.begin().await?;
    alone(&mut tx).await?;
    let replaced = given_up(&mut tx, replace).await?;
    tables::drop_all(&mut tx).await?;
    migrations.run_to(manifest.migration, &mut *tx).await?;
    fill(&mut tx, &folder, &manifest, &mut progress).await?;
    migrations.run(&mut *tx).await?;
    settle(&mut tx).await?;
    prove(&mut tx, &manifest, &mut progress).await?;
    tx.commit().await?;
    sqlx::raw_sql("ANALYZE").execute(&mut db).await?;
    Ok(Restored { manifest, replaced })
}

/// Fails where others go on using the database. A session that has been idle for a while is one that a pool keeps
/// for later, PgBouncer for instance; a service looks at its database every second.
async fn alone(db: &mut PgConnection) -> Result<(), BackupError> {
    let give_up = Instant::now() + 2 * IDLE;
    loop {
        let sessions: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
                 AND backend_type = 'client backend'
                 AND (state <> 'idle' OR state_change > clock_timestamp() - $1 * interval '1 second')",
        )
        .bind(IDLE.as_secs_f64())
        .fetch_one(&mut *db)
        .await?;
        if sessions == 0 {
            return Ok(());
        }
        if Instant::now() > give_up {
            return Err(BackupError::InUse { sessions });
        }
        // What was seen of the sessions is kept until the transaction ends, unless it is given up.
        sqlx::raw_sql("SELECT pg_stat_clear_snapshot()")
            .execute(&mut *db)
            .await?;
        sleep(LOOK_AGAIN).await;
    }
}

/// The number of products that the database holds; an error where they must not be given up.
async fn given_up(db: &mut PgConnection, replace: bool) -> Result<i64, BackupError> {
    if tables::migration(db).await?.is_none() {
        return Ok(0);
    }
    let (products, position, waiting): (i64, i64, bool) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM products WHERE product IS NOT NULL),
                (SELECT coalesce(max(position), 0) FROM event_log),
                EXISTS (SELECT FROM outbox)",
    )
    .fetch_one(db)
    .await?;
    if !replace && (products > 0 || position > 0 || waiting) {
        return Err(BackupError::NotEmpty { products, position });
    }
    Ok(products)
}

/// Fills the tables that the migrations have made.
async fn fill(
    db: &mut PgConnection,
    folder: &Folder,
    manifest: &Manifest,
    progress: &mut impl FnMut(Progress<'_>),
) -> Result<(), BackupError> {
    let all = manifest.rows();
    let mut done = 0;
    for table in &manifest.tables {
        let name = &table.name;
        // Rows that migrations put there. Where there are none nothing is deleted: the logs refuse that.
        let seeded = format!("SELECT EXISTS (SELECT FROM {name})");
        let is_seeded: bool = sqlx::query_scalar(AssertSqlSafe(seeded))
            .fetch_one(&mut *db)
            .await?;
        if is_seeded {
            let delete = format!("DELETE FROM {name}");
            sqlx::raw_sql(AssertSqlSafe(delete))
                .execute(&mut *db)
                .await?;
        }
        copy_in(db, folder, table, &mut |rows| {
            progress(Progress {
                what: name,
                done: done + rows,
                total: Some(all),
            });
        })
        .await?;
        done += table.pieces.iter().map(|piece| piece.rows).sum::<u64>();
    }
    for (sequence, last) in &manifest.sequences {
        sqlx::query("SELECT setval($1::regclass, $2)")
            .bind(sequence)
            .bind(last)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

async fn copy_in(
    db: &mut PgConnection,
    folder: &Folder,
    table: &Table,
    report: &mut impl FnMut(u64),
) -> Result<(), BackupError> {
    let mut before = 0;
    for piece in &table.pieces {
        let mut reader = PieceReader::open(&folder.file(&piece.file))?;
        let columns = table.columns.join(", ");
        let statement = format!("COPY {} ({columns}) FROM STDIN", table.name);
        let mut copy = db.copy_in_raw(&statement).await?;
        while let Some(part) = reader.next()? {
            copy.send(part).await?;
            report(before + reader.rows());
        }
        copy.finish().await?;
        reader.check(piece)?;
        before += piece.rows;
    }
    Ok(())
}

/// Ends the lease of the leader of then, and gives the roles their rights on the tables of now.
async fn settle(db: &mut PgConnection) -> Result<(), BackupError> {
    sqlx::raw_sql("UPDATE log_head SET holder = NULL, lease_until = '-infinity'")
        .execute(&mut *db)
        .await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_roles WHERE rolname = ANY($1)")
        .bind(&ROLES[..])
        .fetch_one(&mut *db)
        .await?;
    if known == ROLES.len() as i64 {
        sqlx::raw_sql(catalog_migrations::COMMAND_ROLES)
            .execute(db)
            .await?;
    }
    Ok(())
}

/// Folds the restored log and compares it with the backup.
async fn prove(
    db: &mut PgConnection,
    manifest: &Manifest,
    progress: &mut impl FnMut(Progress<'_>),
) -> Result<(), BackupError> {
    let sum = proof::fold(db, manifest.position as u64, progress).await?;
    let found = (sum.position, sum.products, sum.digest.to_string());
    let expected = (
        manifest.position,
        manifest.products,
        manifest.digest.clone(),
    );
    if found != expected {
        let told = format!(
            "{} products at position {} with the digest {} instead of {}, {} and {}",
            found.1, found.0, found.2, expected.1, expected.0, expected.2
        );
        return Err(BackupError::Differs(told));
    }
    let strays = proof::strays(db).await?;
    if strays > 0 {
        let told = format!("{strays} products are at another version than their last event");
        return Err(BackupError::Differs(told));
    }
    Ok(())
}
