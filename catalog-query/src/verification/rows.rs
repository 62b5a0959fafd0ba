//! Reads all documents as they are at one moment, in pages, each with its embedding; and judges a
//! row by its own content.

use catalog_events::{ContentHash, Position, Product, Version};
use pgvector::HalfVector;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::embedding::{embedding_text, text_hash};
use crate::read_model::{ReadModel, vector_hash};

const PAGE_ROWS: i64 = 500;

/// A document or tombstone, with what the embedder made of it.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    #[sqlx(flatten)]
    pub(crate) document: Document,
    #[sqlx(flatten)]
    pub(crate) embedding: Embedding,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Document {
    pub(crate) product_id: String,
    pub(crate) version: i64,
    pub(crate) position: i64,
    /// None for a tombstone.
    pub(crate) product: Option<String>,
    pub(crate) content_hash: Option<Vec<u8>>,
    pub(crate) text_hash: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Embedding {
    #[sqlx(rename = "embedded_text_hash")]
    pub(crate) text_hash: Option<Vec<u8>>,
    #[sqlx(rename = "embedding")]
    pub(crate) vector: Option<HalfVector>,
    pub(crate) vector_hash: Option<Vec<u8>>,
    pub(crate) queued: bool,
}

impl Document {
    /// Decodes the product and computes its hash; None for a tombstone. An error says why it cannot be
    /// read.
    pub(crate) fn content(&self) -> Result<Option<(Product, ContentHash)>, String> {
        let Some(json) = &self.product else {
            return Ok(None);
        };
        let product: Product = serde_json::from_str(json)
            .map_err(|err| format!("the document cannot be read: {err}"))?;
        if product.id.as_str() != self.product_id {
            return Err(format!("the document is that of product {}", product.id));
        }
        let version =
            Version::new(self.version).ok_or_else(|| format!("the version is {}", self.version))?;
        let hash = ContentHash::of(&product.id, version, &product);
        Ok(Some((product, hash)))
    }
}

/// The hash of the text that `product` must be embedded by.
pub(crate) fn expected_text_hash(model: &str, product: &Product) -> [u8; 16] {
    text_hash(model, &embedding_text(product))
}

impl Embedding {
    /// Tells what is wrong with the embedding, given the hash of the document's text, which is None for
    /// a tombstone and for a document that is not there.
    pub(crate) fn problem(&self, product_id: &str, text_hash: Option<&[u8]>) -> Option<String> {
        let Some(text_hash) = text_hash else {
            let problem = match (&self.vector, self.queued) {
                (Some(_), _) => "there is a vector of a product that is not there",
                (None, true) => "a product that is not there is queued for embedding",
                (None, false) => return None,
            };
            return Some(problem.to_owned());
        };
        let Some(vector) = &self.vector else {
            let lost = "there is no vector, and none is queued";
            return (!self.queued).then(|| lost.to_owned());
        };
        let embedded = self.text_hash.as_deref().unwrap_or_default();
        if self.vector_hash.as_deref()
            != Some(&vector_hash(product_id, embedded, vector.as_slice()))
        {
            return Some("the vector is not the one that was computed for the product".to_owned());
        }
        let other = "the vector is of another text, and no new one is queued";
        (embedded != text_hash && !self.queued).then(|| other.to_owned())
    }
}

/// A read model as it was at one moment, page by page.
pub(crate) struct Snapshot<'m> {
    tx: Transaction<'m, Postgres>,
    after: String,
    pub(crate) position: Position,
    pub(crate) documents: i64,
    pub(crate) digest: Vec<u8>,
}

impl Snapshot<'_> {
    /// Counts the rows.
    pub(crate) async fn count(&mut self) -> sqlx::Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM documents")
            .fetch_one(&mut *self.tx)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Reads the next rows by product id; an empty page is the end.
    pub(crate) async fn page(&mut self) -> sqlx::Result<Vec<Row>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT document.product_id, document.version, document.position,
                    document.product::text AS product, document.content_hash, document.text_hash,
                    embedding.text_hash AS embedded_text_hash, embedding.embedding,
                    embedding.vector_hash, queue.product_id IS NOT NULL AS queued
             FROM documents document
             LEFT JOIN embeddings embedding USING (product_id)
             LEFT JOIN embedding_queue queue USING (product_id)
             WHERE document.product_id > $1
             ORDER BY document.product_id LIMIT $2",
        )
        .bind(&self.after)
        .bind(PAGE_ROWS)
        .fetch_all(&mut *self.tx)
        .await?;
        if let Some(last) = rows.last() {
            self.after.clone_from(&last.document.product_id);
        }
        Ok(rows)
    }

    /// Finds products that have a vector or are queued for one, and have no row.
    pub(crate) async fn orphans(&mut self) -> sqlx::Result<Vec<(String, &'static str)>> {
        let mut orphans = Vec::new();
        for (statement, problem) in [
            (
                "SELECT product_id FROM embeddings EXCEPT SELECT product_id FROM documents",
                "there is a vector of a product that was never there",
            ),
            (
                "SELECT product_id FROM embedding_queue EXCEPT SELECT product_id FROM documents",
                "a product that was never there is queued for embedding",
            ),
        ] {
            let ids: Vec<String> = sqlx::query_scalar(statement)
                .fetch_all(&mut *self.tx)
                .await?;
            orphans.extend(ids.into_iter().map(|id| (id, problem)));
        }
        Ok(orphans)
    }
}

impl ReadModel {
    /// Takes a snapshot, which stays as it is whatever is applied meanwhile.
    pub(crate) async fn snapshot(&self) -> sqlx::Result<Snapshot<'static>> {
        let mut tx = self
            .pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let (position, documents, digest) = checkpoint(&mut tx).await?;
        Ok(Snapshot {
            tx,
            after: String::new(),
            position,
            documents,
            digest,
        })
    }
}

async fn checkpoint(db: &mut PgConnection) -> sqlx::Result<(Position, i64, Vec<u8>)> {
    let (position, documents, digest): (i64, i64, Vec<u8>) =
        sqlx::query_as("SELECT position, documents, digest FROM checkpoint")
            .fetch_one(db)
            .await?;
    Ok((Position::from_i64(position), documents, digest))
}
