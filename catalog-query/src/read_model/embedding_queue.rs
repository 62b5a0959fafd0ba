//! The queue of texts to embed, and saving their vectors.

use catalog_events::Product;
use pgvector::HalfVector;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::embedding::embedding_text;
use crate::read_model::ReadModel;
use crate::read_model::vectors::vector_hash;

/// One text to embed.
#[derive(Clone, Debug)]
pub(crate) struct EmbeddingJob {
    pub(crate) product_id: String,
    pub(crate) text_hash: Vec<u8>,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct EmbeddingCounts {
    /// Documents that have no embedding of their present text yet.
    pub(crate) pending: i64,
    /// Documents that have an embedding of their present text.
    pub(crate) current: i64,
}

impl ReadModel {
    /// The next texts to embed, oldest change first.
    pub(crate) async fn embedding_jobs(&self, limit: i64) -> sqlx::Result<Vec<EmbeddingJob>> {
        let rows: Vec<(String, Vec<u8>, Json<Product>)> = sqlx::query_as(
            "SELECT document.product_id, document.text_hash, document.product
             FROM embedding_queue queue JOIN documents document USING (product_id)
             WHERE document.product IS NOT NULL
             ORDER BY queue.position LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let jobs = rows
            .into_iter()
            .map(|(product_id, text_hash, product)| EmbeddingJob {
                product_id,
                text_hash,
                text: embedding_text(&product.0),
            });
        Ok(jobs.collect())
    }

    /// Saves the vectors of the jobs whose text did not change meanwhile, and takes these off the queue.
    pub(crate) async fn save_embeddings(
        &self,
        jobs: &[EmbeddingJob],
        vectors: &[Vec<f32>],
    ) -> sqlx::Result<()> {
        let ids: Vec<&str> = jobs.iter().map(|job| job.product_id.as_str()).collect();
        let hashes: Vec<&[u8]> = jobs.iter().map(|job| job.text_hash.as_slice()).collect();
        let vectors: Vec<HalfVector> = vectors
            .iter()
            .map(|vector| HalfVector::from_f32_slice(vector))
            .collect();
        let vector_hashes: Vec<[u8; 16]> = jobs
            .iter()
            .zip(&vectors)
            .map(|(job, vector)| vector_hash(&job.product_id, &job.text_hash, vector.as_slice()))
            .collect();
        let mut tx = self.pool.begin().await?;
        // A projector that is changing these texts right now goes first, or waits: the statements
        // below must not judge a text by what it was a moment ago.
        lock_documents(&mut tx, &ids).await?;
        sqlx::query(
            "INSERT INTO embeddings (product_id, text_hash, embedding, vector_hash)
             SELECT new.id, new.text_hash, new.embedding, new.vector_hash
             FROM unnest($1::text[], $2::bytea[], $3::halfvec[], $4::bytea[])
                 AS new (id, text_hash, embedding, vector_hash)
             JOIN documents ON documents.product_id = new.id AND documents.text_hash = new.text_hash
             ON CONFLICT (product_id) DO UPDATE
             SET text_hash = excluded.text_hash, embedding = excluded.embedding,
                 vector_hash = excluded.vector_hash",
        )
        .bind(&ids)
        .bind(&hashes)
        .bind(&vectors)
        .bind(&vector_hashes)
        .execute(&mut *tx)
        .await?;
        take_off_queue(&mut tx, &ids).await?;
        tx.commit().await
    }

    pub(crate) async fn embedding_counts(&self) -> sqlx::Result<EmbeddingCounts> {
        // Each document has an embedding or is queued for one; `verify` looks at the vectors
        // themselves, which takes a second for a million.
        let (pending, documents): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM embedding_queue), documents FROM checkpoint",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(EmbeddingCounts {
            pending,
            current: documents - pending,
        })
    }
}

async fn lock_documents(db: &mut PgConnection, ids: &[&str]) -> sqlx::Result<()> {
    sqlx::query("SELECT 1 FROM documents WHERE product_id = ANY($1) ORDER BY product_id FOR SHARE")
        .bind(ids)
        .execute(db)
        .await?;
    Ok(())
}

/// Takes the products off the queue that have a vector of their present text.
async fn take_off_queue(db: &mut PgConnection, ids: &[&str]) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM embedding_queue queue USING documents document
         WHERE queue.product_id = ANY($1) AND document.product_id = queue.product_id
           AND EXISTS (SELECT 1 FROM embeddings embedding
                       WHERE embedding.product_id = queue.product_id
                         AND embedding.text_hash = document.text_hash)",
    )
    .bind(ids)
    .execute(db)
    .await?;
    Ok(())
}
