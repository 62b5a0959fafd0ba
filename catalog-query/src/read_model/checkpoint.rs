//! The one row that tells where a read model stands: the position, the running digest, and which
//! replica applies events at the moment.

use catalog_events::{BucketedDigest, Position};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::read_model::ReadModel;

/// The position that the documents are at, and their digest there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) digest: BucketedDigest,
    /// The number of live documents.
    pub(crate) documents: i64,
}

impl ReadModel {
    pub(crate) async fn checkpoint(&self) -> sqlx::Result<Checkpoint> {
        let (position, digest, documents): (i64, Vec<u8>, i64) =
            sqlx::query_as("SELECT position, digest, documents FROM checkpoint")
                .fetch_one(&self.pool)
                .await?;
        Ok(Checkpoint {
            position: Position::from_i64(position),
            digest: bucketed(&digest)?,
            documents,
        })
    }

    /// Takes or renews the right to apply events for the next `lease_ms`. False when another than `me`
    /// has it.
    pub(crate) async fn take_lease(&self, me: Uuid, lease_ms: i64) -> sqlx::Result<bool> {
        let taken = sqlx::query(
            "UPDATE checkpoint
             SET holder = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
             WHERE holder = $1 OR lease_until < clock_timestamp()",
        )
        .bind(me)
        .bind(lease_ms)
        .execute(&self.pool)
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    pub(crate) async fn release_lease(&self, me: Uuid) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE checkpoint SET holder = NULL, lease_until = '-infinity' WHERE holder = $1",
        )
        .bind(me)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Moves the position. False when it is not at `from` any more, or when another than `me` has the
/// lease.
pub(crate) async fn advance(
    db: &mut PgConnection,
    me: Uuid,
    from: Position,
    to: Position,
) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE checkpoint SET position = $3
         WHERE position = $2 AND (holder = $1 OR lease_until < clock_timestamp())",
    )
    .bind(me)
    .bind(from.to_i64())
    .bind(to.to_i64())
    .execute(db)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Adds a signed change to the running digest, within the transaction that makes the change.
pub(crate) async fn change_digest(
    db: &mut PgConnection,
    change: BucketedDigest,
    documents: i64,
) -> sqlx::Result<()> {
    let stored: Vec<u8> = sqlx::query_scalar("SELECT digest FROM checkpoint FOR UPDATE")
        .fetch_one(&mut *db)
        .await?;
    let digest = bucketed(&stored)? + change;
    sqlx::query("UPDATE checkpoint SET digest = $1, documents = documents + $2")
        .bind(digest.to_bytes())
        .bind(documents)
        .execute(db)
        .await?;
    Ok(())
}

fn bucketed(bytes: &[u8]) -> sqlx::Result<BucketedDigest> {
    BucketedDigest::from_bytes(bytes).map_err(|err| sqlx::Error::Decode(err.into()))
}
