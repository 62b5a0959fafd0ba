//! Makes a generation ready to be read from at once. Otherwise the first reads of new connections and
//! tables would all come at the moment of a switch, and cost more than a read may take.

use crate::read_model::vectors::EMBEDDING_DIMENSIONS;
use crate::read_model::vectors::find_nearest;
use crate::read_model::{ReadModel, documents};

/// The most connections that are opened ahead; more are opened one by one when they are needed.
const CONNECTIONS_MAX: u32 = 8;
/// The neighbours to look for: as many as a search asks for.
const NEIGHBOURS: usize = 200;

impl ReadModel {
    /// Opens as many connections as `before` has and runs on each what reads run.
    pub(crate) async fn warm_up(&self, before: &ReadModel) -> sqlx::Result<()> {
        // Without statistics the planner guesses what a table is like.
        sqlx::raw_sql("ANALYZE documents; ANALYZE embeddings")
            .execute(&self.pool)
            .await?;
        let products: Vec<String> =
            sqlx::query_scalar("SELECT product_id FROM documents LIMIT 100")
                .fetch_all(&self.pool)
                .await?;
        let ids: Vec<&str> = products.iter().map(String::as_str).collect();
        let nearest = vec![1.0; EMBEDDING_DIMENSIONS];
        let mut connections = Vec::new();
        for _ in 0..before.pool.size().clamp(1, CONNECTIONS_MAX) {
            connections.push(self.pool.acquire().await?);
        }
        for connection in &mut connections {
            documents::find(&mut **connection, ids.first().copied().unwrap_or_default()).await?;
            documents::find_many(&mut **connection, &ids).await?;
            find_nearest(&mut **connection, &nearest, NEIGHBOURS).await?;
        }
        Ok(())
    }
}
