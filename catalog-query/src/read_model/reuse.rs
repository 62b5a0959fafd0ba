//! Takes vectors over from other generations: where the text hash is the same, model and text are the
//! same, and so is the vector.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::read_model::generation_store::{FORMAT, Generations};
use crate::read_model::vectors::VECTOR_HASH_SQL;

/// The memory for a vector and its links while the index is built at once (measured: 1,500). Without
/// room for all of them pgvector goes on row by row, which takes far longer.
const INDEX_BUILD_BYTES_EACH: u64 = 1_600;
/// Enough memory for 2.6 million vectors.
const INDEX_BUILD_MB_MAX: u64 = 4_096;
const INDEX_BUILD_MB_MIN: u64 = 64;

impl Generations {
    /// Fills generation `to`, which nobody embeds for yet, from all others; returns how many vectors
    /// were taken over. The vector index is built afterwards: row by row takes far longer.
    pub(crate) async fn reuse_embeddings(&self, to: i64) -> sqlx::Result<u64> {
        let others: Vec<(i64, i32)> = sqlx::query_as(
            "SELECT id, format FROM generations WHERE id <> $1 AND format <= $2 ORDER BY id DESC",
        )
        .bind(to)
        .bind(FORMAT)
        .fetch_all(self.registry())
        .await?;
        let mut tx = self.registry().begin().await?;
        // Events wait meanwhile: they lock the same tables in another order.
        let wait = format!("SELECT 1 FROM generation_{to}.checkpoint FOR UPDATE");
        execute(&mut tx, wait).await?;
        let drop_index = format!("DROP INDEX generation_{to}.embeddings_nearest");
        execute(&mut tx, drop_index).await?;
        let mut copied = 0;
        for (from, format) in others {
            copied += copy(&mut tx, from, format, to).await?;
        }
        let done = format!(
            "DELETE FROM generation_{to}.embedding_queue queue
             USING generation_{to}.documents document, generation_{to}.embeddings embedding
             WHERE queue.product_id = document.product_id
               AND embedding.product_id = document.product_id
               AND embedding.text_hash = document.text_hash"
        );
        execute(&mut tx, done).await?;
        let memory = format!(
            "SET LOCAL maintenance_work_mem = '{}MB'",
            index_build_mb(copied)
        );
        execute(&mut tx, memory).await?;
        let create_index = format!(
            "CREATE INDEX embeddings_nearest ON generation_{to}.embeddings
             USING hnsw (embedding halfvec_cosine_ops)"
        );
        execute(&mut tx, create_index).await?;
        tx.commit().await?;
        Ok(copied)
    }
}

fn index_build_mb(vectors: u64) -> u64 {
    let mb = (vectors * INDEX_BUILD_BYTES_EACH) >> 20;
    mb.clamp(INDEX_BUILD_MB_MIN, INDEX_BUILD_MB_MAX)
}

/// Copies the vectors of one generation. A vector that contradicts its hash is left to be computed
/// anew; format 1 had no hashes.
async fn copy(db: &mut PgConnection, from: i64, format: i32, to: i64) -> sqlx::Result<u64> {
    let sound = match format {
        1 => String::new(),
        _ => format!("WHERE old.vector_hash = {VECTOR_HASH_SQL}"),
    };
    let copy = format!(
        "INSERT INTO generation_{to}.embeddings (product_id, text_hash, embedding, vector_hash)
         SELECT old.product_id, old.text_hash, old.embedding, {VECTOR_HASH_SQL}
         FROM generation_{from}.embeddings old
         JOIN generation_{to}.documents USING (product_id, text_hash)
         {sound}
         ON CONFLICT (product_id) DO UPDATE
         SET text_hash = excluded.text_hash, embedding = excluded.embedding,
             vector_hash = excluded.vector_hash
         WHERE embeddings.text_hash <> excluded.text_hash"
    );
    execute(db, copy).await
}

/// Executes a statement. The names in it are made of numbers: nothing of a caller gets into it.
async fn execute(db: &mut PgConnection, statement: String) -> sqlx::Result<u64> {
    let done = sqlx::query(AssertSqlSafe(statement)).execute(db).await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_million_vectors_is_built_in_memory() {
        let megabytes = [0, 19_406, 100_000, 1_000_000, 10_000_000].map(index_build_mb);
        assert_eq!(megabytes, [64, 64, 152, 1_525, 4_096]);
    }
}
