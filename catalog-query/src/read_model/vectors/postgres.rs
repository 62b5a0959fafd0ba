//! The nearest neighbours of a query in pgvector.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use catalog_events::ProductId;
use futures_util::future::BoxFuture;
use pgvector::HalfVector;
use sqlx::{PgExecutor, PgPool, Postgres, Transaction};

use crate::index::Hit;
use crate::read_model::vectors::vector_index::{Pass, VectorIndex, VectorIndexError};
use crate::read_model::{LiveReadModel, ReadModel};

/// Finds nearest neighbours by cosine, over the HNSW index of the live generation.
pub(crate) struct PgVectorIndex {
    pub(crate) live: LiveReadModel,
    /// The embedding model of queries.
    pub(crate) model: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the vectors of the read model are of {vectors}, those of queries of {queries}")]
struct ModelsDiffer {
    vectors: String,
    queries: String,
}

impl VectorIndex for PgVectorIndex {
    fn nearest<'a>(&'a self, vector: &'a [f32], limit: usize) -> Found<'a> {
        Box::pin(async move {
            let live = self.read_model()?;
            let rows = find_nearest(&live.pool, vector, limit)
                .await
                .map_err(failed)?;
            if rows.len() >= limit {
                return Ok(hits(rows));
            }
            // There are no more, or replaced vectors took their places: a search that goes on behind
            // those takes a quarter longer.
            let mut tx = begin_walk(&live.pool).await.map_err(failed)?;
            let all = find_nearest(&mut *tx, vector, limit)
                .await
                .map_err(failed)?;
            tx.rollback().await.map_err(failed)?;
            Ok(hits(all))
        })
    }

    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Vec<f32>>, VectorIndexError>> + Send + 'a>> {
        Box::pin(async move {
            let live = self.read_model()?;
            let vector: Option<HalfVector> =
                sqlx::query_scalar("SELECT embedding FROM embeddings WHERE product_id = $1")
                    .bind(id.as_str())
                    .fetch_optional(&live.pool)
                    .await
                    .map_err(failed)?;
            let numbers =
                |vector: HalfVector| vector.as_slice().iter().map(|n| n.to_f32()).collect();
            Ok(vector.map(numbers))
        })
    }

    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> Found<'a> {
        Box::pin(async move {
            let live = self.read_model()?;
            let ids: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
            // Not materialized, it would walk the index of the vectors past all that are not wanted.
            let rows: Vec<(String, f64)> = sqlx::query_as(
                "WITH wanted AS MATERIALIZED (
                     SELECT product_id, embedding <=> $1 AS distance FROM embeddings
                     WHERE product_id = ANY($2)
                 )
                 SELECT product_id, 1 - distance FROM wanted
                 ORDER BY distance, product_id LIMIT $3",
            )
            .bind(HalfVector::from_f32_slice(vector))
            .bind(&ids)
            .bind(limit as i64)
            .fetch_all(&live.pool)
            .await
            .map_err(failed)?;
            Ok(hits(rows))
        })
    }

    fn without_vector<'a>(
        &'a self,
        ids: &'a [ProductId],
    ) -> BoxFuture<'a, Result<HashSet<ProductId>, VectorIndexError>> {
        Box::pin(async move {
            let live = self.read_model()?;
            let ids: Vec<&str> = ids.iter().map(ProductId::as_str).collect();
            let queued: Vec<String> = sqlx::query_scalar(
                "SELECT product_id FROM embedding_queue WHERE product_id = ANY($1)",
            )
            .bind(&ids)
            .fetch_all(&live.pool)
            .await
            .map_err(failed)?;
            Ok(queued.iter().filter_map(|id| id.parse().ok()).collect())
        })
    }

    fn nearest_passing<'a>(&'a self, vector: &'a [f32], limit: usize, pass: &'a Pass) -> Found<'a> {
        Box::pin(async move {
            let live = self.read_model()?;
            let mut tx = begin_walk(&live.pool).await.map_err(failed)?;
            // The walk goes on where the last fetch ended, in the order of the distances.
            sqlx::query(
                "DECLARE near NO SCROLL CURSOR FOR
                 SELECT product_id, 1 - (embedding <=> $1) FROM embeddings
                 ORDER BY embedding <=> $1",
            )
            .bind(HalfVector::from_f32_slice(vector))
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
            let mut passed = Vec::new();
            while passed.len() < limit {
                let rows: Vec<(String, f64)> = sqlx::query_as(FETCH)
                    .fetch_all(&mut *tx)
                    .await
                    .map_err(failed)?;
                if rows.is_empty() {
                    break;
                }
                passed.append(&mut pass(hits(rows)).await?);
            }
            Hit::sort_nearest_first(&mut passed);
            passed.truncate(limit);
            tx.rollback().await.map_err(failed)?;
            Ok(passed)
        })
    }
}

pub(crate) async fn find_nearest(
    db: impl PgExecutor<'_>,
    vector: &[f32],
    limit: usize,
) -> sqlx::Result<Vec<(String, f64)>> {
    sqlx::query_as(
        "SELECT product_id, 1 - (embedding <=> $1) FROM embeddings
         ORDER BY embedding <=> $1 LIMIT $2",
    )
    .bind(HalfVector::from_f32_slice(vector))
    .bind(limit as i64)
    .fetch_all(db)
    .await
}

/// Begins a transaction in which a search of the vectors goes on until it has as many as are asked
/// for.
async fn begin_walk(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    pool.begin_with("BEGIN; SET LOCAL hnsw.iterative_scan = strict_order")
        .await
}

type Found<'a> = Pin<Box<dyn Future<Output = Result<Vec<Hit>, VectorIndexError>> + Send + 'a>>;

const FETCH: &str = "FETCH 500 FROM near";

impl PgVectorIndex {
    /// The live read model; an error when its vectors are of another model than queries.
    fn read_model(&self) -> Result<Arc<ReadModel>, VectorIndexError> {
        let live = self.live.load_full();
        if live.model == self.model {
            return Ok(live);
        }
        let differ = ModelsDiffer {
            vectors: live.model.clone(),
            queries: self.model.clone(),
        };
        Err(VectorIndexError(differ.into()))
    }
}

fn failed(err: sqlx::Error) -> VectorIndexError {
    VectorIndexError(err.into())
}

fn hits(rows: Vec<(String, f64)>) -> Vec<Hit> {
    let hit = |(id, score): (String, f64)| {
        Some(Hit {
            product_id: id.parse().ok()?,
            score: score as f32,
        })
    };
    let mut hits: Vec<Hit> = rows.into_iter().filter_map(hit).collect();
    Hit::sort_nearest_first(&mut hits);
    hits
}
