//! What a batch of events changes: rows of documents, what is to be embedded, and the digest.

use std::collections::HashMap;

use catalog_events::{BucketedDigest, ContentHash, Product, ProductEvent, Version};
use sqlx::PgConnection;

use crate::embedding::{embedding_text, text_hash};
use crate::projection::{Step, step};
use crate::read_model::checkpoint::change_digest;

/// The version and the hashes that the read model holds of a product.
pub(crate) struct Existing {
    version: Version,
    /// None for a tombstone.
    hash: Option<ContentHash>,
    text_hash: Option<Vec<u8>>,
}

pub(crate) async fn load_existing(
    db: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<HashMap<String, Existing>> {
    let rows: Vec<ExistingRow> = sqlx::query_as(
        "SELECT product_id, version, content_hash, text_hash
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
    /// None for a tombstone.
    content_hash: Option<Vec<u8>>,
    text_hash: Option<Vec<u8>>,
}

impl ExistingRow {
    fn into_existing(self) -> sqlx::Result<(String, Existing)> {
        let version = Version::new(self.version).ok_or_else(|| {
            sqlx::Error::Decode(format!("{}: bad version", self.product_id).into())
        })?;
        let hash = self.content_hash.as_deref().map(bytes16).transpose()?;
        let existing = Existing {
            version,
            hash: hash.map(ContentHash::from_bytes),
            text_hash: self.text_hash,
        };
        Ok((self.product_id, existing))
    }
}

/// The rows that a batch changes, one list for each column, as `unnest` takes them.
#[derive(Default)]
pub(crate) struct Changes {
    ids: Vec<String>,
    versions: Vec<i64>,
    positions: Vec<i64>,
    products: Vec<Option<String>>,
    content_hashes: Vec<Option<Vec<u8>>>,
    text_hashes: Vec<Option<Vec<u8>>>,
    /// Products whose text is new, with the position that brought it.
    to_embed: (Vec<String>, Vec<i64>),
    removed: Vec<String>,
    digest: BucketedDigest,
    documents: i64,
}

impl Changes {
    /// Adds what `event` changes in a product of which `existing` is known.
    pub(crate) fn add(
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
                self.content_hashes.push(None);
                self.text_hashes.push(None);
            }
            Step::Upsert => {
                let Some(product) = &event.product else {
                    return Ok(());
                };
                let text = text_hash(model, &embedding_text(product)).to_vec();
                let known = existing.and_then(|existing| existing.text_hash.as_ref());
                if known != Some(&text) {
                    self.to_embed.0.push(id.clone());
                    self.to_embed.1.push(event.position.to_i64());
                }
                self.text_hashes.push(Some(text));
                self.add_content(event, product)?;
            }
        }
        if let Some(hash) = before {
            self.digest.remove(hash);
            self.documents -= 1;
        }
        self.ids.push(id);
        self.versions.push(event.version.get());
        self.positions.push(event.position.to_i64());
        Ok(())
    }

    fn add_content(&mut self, event: &ProductEvent, product: &Product) -> sqlx::Result<()> {
        let json = serde_json::to_string(product).map_err(|err| sqlx::Error::Encode(err.into()))?;
        let hash = ContentHash::of(&event.product_id, event.version, product);
        self.digest.insert(hash);
        self.documents += 1;
        self.products.push(Some(json));
        self.content_hashes.push(Some(hash.to_bytes().to_vec()));
        Ok(())
    }

    /// Writes the rows and the digest, and queues the texts to embed.
    pub(crate) async fn save(self, db: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        self.save_documents(db).await?;
        self.queue_embeddings(db).await?;
        change_digest(db, self.digest, self.documents).await
    }

    async fn save_documents(&self, db: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO documents
                 (product_id, version, position, product, content_hash, text_hash)
             SELECT id, version, position, product::jsonb, content_hash, text_hash
             FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[])
                 AS new (id, version, position, product, content_hash, text_hash)
             ON CONFLICT (product_id) DO UPDATE
             SET version = excluded.version, position = excluded.position,
                 product = excluded.product, content_hash = excluded.content_hash,
                 text_hash = excluded.text_hash
             WHERE documents.version < excluded.version",
        )
        .bind(&self.ids)
        .bind(&self.versions)
        .bind(&self.positions)
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
