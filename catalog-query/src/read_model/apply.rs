//! Applies events to the documents. Rows, running digest, embedding queue and position change in
//! one transaction, which begins by a compare-and-set of the position: two projectors cannot both
//! win.

use std::collections::HashMap;

use catalog_events::{ContentHash, Digest, Position, ProductEvent, Version};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::embedding::{embedding_text, text_hash};
use crate::projection::{Step, newest, step};
use crate::read_model::ReadModel;

/// Where the documents stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) digest: Digest,
    /// Live documents.
    pub(crate) documents: i64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Yes,
    /// Another projector holds the lease or moved the position: nothing was changed.
    NotOurs,
}

impl ReadModel {
    pub(crate) async fn checkpoint(&self) -> sqlx::Result<Checkpoint> {
        let (position, digest, documents): (i64, Vec<u8>, i64) =
            sqlx::query_as("SELECT position, digest, documents FROM checkpoint")
                .fetch_one(&self.pool)
                .await?;
        Ok(Checkpoint {
            position: Position::from_i64(position),
            digest: Digest::from_bytes(bytes16(&digest)?),
            documents,
        })
    }

    /// True when `me` holds or gets the right to apply events for the next `lease_ms`.
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

    /// Moves the read model from position `from` to `to`; `events` are those between. `model` names
    /// the embedding model that the text hashes are for.
    pub(crate) async fn apply(
        &self,
        me: Uuid,
        model: &str,
        (from, to): (Position, Position),
        events: impl IntoIterator<Item = &ProductEvent>,
    ) -> sqlx::Result<Applied> {
        let mut tx = self.pool.begin().await?;
        if !advance(&mut tx, me, from, to).await? {
            return Ok(Applied::NotOurs);
        }
        let newest = newest(events);
        let ids: Vec<&str> = newest.keys().map(|id| id.as_str()).collect();
        let existing = load_existing(&mut tx, &ids).await?;
        let mut changes = Changes::default();
        for (id, event) in newest {
            changes.add(existing.get(id.as_str()), event, model)?;
        }
        changes.save(&mut tx).await?;
        tx.commit().await?;
        Ok(Applied::Yes)
    }
}

async fn advance(
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

/// What the read model holds of a product.
struct Existing {
    version: Version,
    /// None for a tombstone.
    hash: Option<ContentHash>,
    text_hash: Option<Vec<u8>>,
}

async fn load_existing(
    db: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<HashMap<String, Existing>> {
    let rows: Vec<ExistingRow> = sqlx::query_as(
        "SELECT product_id, version, product IS NOT NULL AS live, content_hash, text_hash
         FROM documents WHERE product_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(ExistingRow::into_existing).collect()
}

#[derive(sqlx::FromRow)]
struct ExistingRow {
    product_id: String,
    version: i64,
    live: bool,
    content_hash: Vec<u8>,
    text_hash: Option<Vec<u8>>,
}

impl ExistingRow {
    fn into_existing(self) -> sqlx::Result<(String, Existing)> {
        let version = Version::new(self.version).ok_or_else(|| {
            sqlx::Error::Decode(format!("{}: bad version", self.product_id).into())
        })?;
        let hash = match self.live {
            true => Some(ContentHash::from_bytes(bytes16(&self.content_hash)?)),
            false => None,
        };
        let existing = Existing {
            version,
            hash,
            text_hash: self.text_hash,
        };
        Ok((self.product_id, existing))
    }
}

/// The rows that a batch changes, turned on their side as `unnest` takes them.
#[derive(Default)]
struct Changes {
    ids: Vec<String>,
    versions: Vec<i64>,
    products: Vec<Option<String>>,
    content_hashes: Vec<Vec<u8>>,
    text_hashes: Vec<Option<Vec<u8>>>,
    /// Products whose text is new, with the position that brought it.
    to_embed: (Vec<String>, Vec<i64>),
    removed: Vec<String>,
    digest: Digest,
    documents: i64,
}

impl Changes {
    fn add(
        &mut self,
        existing: Option<&Existing>,
        event: &ProductEvent,
        model: &str,
    ) -> sqlx::Result<()> {
        let id = event.product_id.to_string();
        let before = existing.and_then(|existing| existing.hash);
        match step(existing.map(|existing| existing.version), event) {
            Step::Skip => return Ok(()),
            Step::Remove => {
                self.removed.push(id.clone());
                self.products.push(None);
                self.content_hashes.push(Vec::new());
                self.text_hashes.push(None);
            }
            Step::Upsert => {
                let Some(product) = &event.product else {
                    return Ok(());
                };
                let hash = ContentHash::of(&event.product_id, event.version, product);
                let text = text_hash(model, &embedding_text(product)).to_vec();
                let known = existing.and_then(|existing| existing.text_hash.as_ref());
                if known != Some(&text) {
                    self.to_embed.0.push(id.clone());
                    self.to_embed.1.push(event.position.to_i64());
                }
                let json = serde_json::to_string(product);
                let json = json.map_err(|err| sqlx::Error::Encode(err.into()))?;
                self.digest.insert(hash);
                self.documents += 1;
                self.products.push(Some(json));
                self.content_hashes.push(hash.to_bytes().to_vec());
                self.text_hashes.push(Some(text));
            }
        }
        if let Some(hash) = before {
            self.digest.remove(hash);
            self.documents -= 1;
        }
        self.ids.push(id);
        self.versions.push(event.version.get());
        Ok(())
    }

    async fn save(self, db: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        self.save_documents(db).await?;
        self.queue_embeddings(db).await?;
        let digest: Vec<u8> = sqlx::query_scalar("SELECT digest FROM checkpoint")
            .fetch_one(&mut *db)
            .await?;
        let digest = Digest::from_bytes(bytes16(&digest)?) + self.digest;
        sqlx::query("UPDATE checkpoint SET digest = $1, documents = documents + $2")
            .bind(digest.to_bytes().as_slice())
            .bind(self.documents)
            .execute(&mut *db)
            .await?;
        Ok(())
    }

    async fn save_documents(&self, db: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO documents (product_id, version, product, content_hash, text_hash)
             SELECT id, version, product::jsonb, content_hash, text_hash
             FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[])
                 AS new (id, version, product, content_hash, text_hash)
             ON CONFLICT (product_id) DO UPDATE
             SET version = excluded.version, product = excluded.product,
                 content_hash = excluded.content_hash, text_hash = excluded.text_hash
             WHERE documents.version < excluded.version",
        )
        .bind(&self.ids)
        .bind(&self.versions)
        .bind(&self.products)
        .bind(&self.content_hashes)
        .bind(&self.text_hashes)
        .execute(db)
        .await?;
        Ok(())
    }

    async fn queue_embeddings(&self, db: &mut PgConnection) -> sqlx::Result<()> {
        let (ids, positions) = &self.to_embed;
        if !ids.is_empty() {
            sqlx::query(
                "INSERT INTO embedding_queue (product_id, position)
                 SELECT * FROM unnest($1::text[], $2::bigint[])
                 ON CONFLICT (product_id) DO UPDATE SET position = excluded.position",
            )
            .bind(ids)
            .bind(positions)
            .execute(&mut *db)
            .await?;
        }
        if !self.removed.is_empty() {
            for table in [
                "DELETE FROM embeddings WHERE product_id = ANY($1)",
                "DELETE FROM embedding_queue WHERE product_id = ANY($1)",
            ] {
                sqlx::query(table)
                    .bind(&self.removed)
                    .execute(&mut *db)
                    .await?;
            }
        }
        Ok(())
    }
}

fn bytes16(bytes: &[u8]) -> sqlx::Result<[u8; 16]> {
    bytes
        .try_into()
        .map_err(|_| sqlx::Error::Decode("a hash is not 16 bytes long".into()))
}
