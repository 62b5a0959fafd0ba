//! Takes a backup while writes go on. Full stretches of the event log, which never change, are copied
//! first and kept by the next backup; all else is read from one snapshot, so that it is short.

use std::path::Path;

use catalog_events::Digest;
use futures_util::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::BackupError;
use crate::folder::{Folder, PIECE_ENDING};
use crate::manifest::{self, FORMAT, Manifest, Piece, Stretch};
use crate::piece::{PieceWriter, is_there};
use crate::tables::{self, EVENT_LOG, Table};
use crate::{Progress, proof};

/// Events in one file of the log.
const STRETCH_EVENTS: i64 = 100_000;
/// Rows between two reports of the progress.
const REPORT_EVERY: u64 = 1_000;

/// What a backup has done.
#[derive(Clone, Debug)]
pub struct Taken {
    pub manifest: Manifest,
    /// The events that the backup before had already copied.
    pub kept_events: i64,
}

/// The head of the log as a row: position, digest, the position of the digest, live products.
type HeadRow = (i64, Option<Vec<u8>>, Option<i64>, i64);

/// Writes a backup of the database at `url` to a folder. It is incremental where the folder holds an earlier
/// one of the same log.
pub async fn take(
    url: &str,
    folder: &Path,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Taken, BackupError> {
    let folder = Folder::claim(folder)?;
    let mut db = PgConnection::connect_with(&catalog_migrations::connect_options(url)?).await?;
    if tables::migration(&mut db).await?.is_none() {
        return Err(BackupError::NoCatalog("there is nothing to back up"));
    }
    let mut taking = Taking {
        folder: &folder,
        // Files of a backup that is not complete yet never take the names of one that is.
        mark: Uuid::now_v7().simple().to_string(),
        progress: &mut progress,
    };
    let mut log = taking.known_log(&mut db).await?;
    let kept_events = log.iter().map(|piece| piece.rows as i64).sum();
    let events = tables::tables(&mut db).await?.into_iter();
    let events = events.filter(|table| table.name == EVENT_LOG);
    for table in events {
        taking.full_stretches(&mut db, &table, &mut log).await?;
    }
    let manifest = taking.snapshot(&mut db, log).await?;
    folder.complete(&manifest)?;
    Ok(Taken {
        manifest,
        kept_events,
    })
}

/// A backup on its way.
struct Taking<'a, P> {
    folder: &'a Folder,
    mark: String,
    progress: &'a mut P,
}

impl<P: FnMut(Progress<'_>)> Taking<'_, P> {
    /// The full stretches of the log in the folder that are of this database's log: one that was set back
    /// shares its beginning.
    async fn known_log(&self, db: &mut PgConnection) -> Result<Vec<Piece>, BackupError> {
        let Some(before) = self.folder.manifest()? else {
            return Ok(Vec::new());
        };
        let mut known = Vec::new();
        let log = before.tables.into_iter();
        let log = log.filter(|table| table.name == EVENT_LOG);
        for piece in log.flat_map(|table| table.pieces) {
            let Some(stretch) = &piece.stretch else { break };
            let is_full = stretch.last % STRETCH_EVENTS == 0;
            if !is_full || !is_there(&self.folder.file(&piece.file), &piece) {
                break;
            }
            if event_at(db, stretch.last).await? != Some(stretch.last_event) {
                break;
            }
            known.push(piece);
        }
        Ok(known)
    }

    /// Copies the full stretches of the log that are not known yet.
    async fn full_stretches(
        &mut self,
        db: &mut PgConnection,
        table: &Table,
        log: &mut Vec<Piece>,
    ) -> Result<(), BackupError> {
        let head: i64 = sqlx::query_scalar("SELECT position FROM log_head")
            .fetch_one(&mut *db)
            .await?;
        let mut reached = end(log);
        while reached + STRETCH_EVENTS <= head {
            let piece = self.stretch(db, table, reached, reached + STRETCH_EVENTS, head);
            log.push(piece.await?);
            reached += STRETCH_EVENTS;
        }
        Ok(())
    }

    /// Copies the events behind `after` up to `last`.
    async fn stretch(
        &mut self,
        db: &mut PgConnection,
        table: &Table,
        after: i64,
        last: i64,
        head: i64,
    ) -> Result<Piece, BackupError> {
        let first = after + 1;
        let condition = format!("WHERE position BETWEEN {first} AND {last} ORDER BY position");
        let name = format!("{EVENT_LOG}-{first:012}");
        let written = self.copy(db, table, &condition, name, Some((after, head)));
        let written = written.await?;
        if written.rows() as i64 != last - after {
            return Err(BackupError::Corrupt {
                position: first,
                reason: format!("there are not all events from it to {last}"),
            });
        }
        let last_event = event_at(db, last).await?.ok_or(BackupError::Corrupt {
            position: last,
            reason: "it is gone".to_owned(),
        })?;
        written.finish(Some(Stretch {
            first,
            last,
            last_event,
        }))
    }

    /// Copies rows of a table to a new file; `of` is what was copied of how much before.
    async fn copy(
        &mut self,
        db: &mut PgConnection,
        table: &Table,
        condition: &str,
        name: String,
        of: Option<(i64, i64)>,
    ) -> Result<PieceWriter, BackupError> {
        let name = format!("{}-{}{PIECE_ENDING}", name.replace('"', ""), self.mark);
        let mut writer = PieceWriter::create(&self.folder.file(&name), name)?;
        let (columns, from) = (table.columns.join(", "), &table.name);
        let statement = format!("COPY (SELECT {columns} FROM {from} {condition}) TO STDOUT");
        let mut copied = db.copy_out_raw(&statement).await?;
        let mut reported = 0;
        while let Some(part) = copied.try_next().await? {
            writer.add(&part)?;
            if writer.rows() >= reported + REPORT_EVERY {
                reported = writer.rows();
                (self.progress)(Progress {
                    what: &table.name,
                    done: of.map_or(0, |(before, _)| before as u64) + reported,
                    total: of.map(|(_, all)| all as u64),
                });
            }
        }
        Ok(writer)
    }

    /// Copies what is left from one snapshot, and says what it is.
    async fn snapshot(
        &mut self,
        db: &mut PgConnection,
        mut log: Vec<Piece>,
    ) -> Result<Manifest, BackupError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        let mut tx = db.begin_with(begin).await?;
        let (position, digest, digest_position, products): HeadRow =
            sqlx::query_as("SELECT position, digest, digest_position, documents FROM log_head")
                .fetch_one(&mut *tx)
                .await?;
        let taken_at: OffsetDateTime = sqlx::query_scalar("SELECT now()")
            .fetch_one(&mut *tx)
            .await?;
        let migration = tables::migration(&mut tx).await?;
        let mut tables = Vec::new();
        let mut waiting = 0;
        for table in tables::tables(&mut tx).await? {
            let pieces = if table.name == EVENT_LOG {
                let reached = end(&log);
                if reached < position {
                    let rest = self.stretch(&mut tx, &table, reached, position, position);
                    log.push(rest.await?);
                }
                log.clone()
            } else {
                let copied = self.copy(&mut tx, &table, "", table.name.clone(), None);
                let piece = copied.await?.finish(None)?;
                if table.name == "outbox" {
                    waiting = piece.rows;
                }
                vec![piece]
            };
            tables.push(manifest::Table {
                name: table.name,
                columns: table.columns,
                pieces,
            });
        }
        let (products, digest) = match digest.filter(|_| digest_position == Some(position)) {
            Some(buckets) => (products, total(&buckets)?),
            // A log that an older release has extended.
            None => {
                let sum = proof::fold(&mut tx, position as u64, self.progress).await?;
                (sum.products, sum.digest)
            }
        };
        let sequences = tables::sequences(&mut tx).await?;
        tx.rollback().await?;
        Ok(Manifest {
            format: FORMAT,
            taken_at,
            migration: migration.unwrap_or_default(),
            position,
            products,
            digest: digest.to_string(),
            waiting,
            tables,
            sequences,
        })
    }
}

/// The position up to which the log is copied.
fn end(log: &[Piece]) -> i64 {
    let last = log.last().and_then(|piece| piece.stretch.as_ref());
    last.map_or(0, |stretch| stretch.last)
}

async fn event_at(db: &mut PgConnection, position: i64) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar("SELECT event_id FROM event_log WHERE position = $1")
        .bind(position)
        .fetch_optional(db)
        .await
}

/// The digest that the buckets at the head of the log sum up to.
fn total(buckets: &[u8]) -> Result<Digest, BackupError> {
    let parsed = catalog_events::BucketedDigest::from_bytes(buckets);
    let parsed = parsed.map_err(|_| BackupError::NoCatalog("its digest cannot be read"))?;
    Ok(parsed.total())
}
