//! Compares the vectors in memory with those in the database, which are the ones that the proof of the
//! read model covers.

use std::collections::HashSet;

use catalog_events::ProductId;

use crate::read_model::ReadModel;
use crate::read_model::vectors::memory::VectorMemory;
use crate::read_model::vectors::table::VectorTable;

/// The vectors that are compared at a time; meanwhile no other can be set.
const PAGE_ROWS: i64 = 2_000;

/// What the database states of a vector.
#[derive(sqlx::FromRow)]
pub(super) struct Stated {
    product_id: String,
    text_hash: Vec<u8>,
    vector_hash: Vec<u8>,
}

impl VectorMemory {
    /// The products whose vector in memory is not the one that the database states, computed anew from
    /// every bit of it. What changes meanwhile may be among them.
    pub(crate) async fn differing(&self, live: &ReadModel) -> sqlx::Result<Vec<ProductId>> {
        self.unlike(live, |table, id, stated| {
            table.hash_anew(id, &stated.text_hash)
        })
        .await
    }

    /// The products whose vector in memory was another one when it was read, which is quicker to tell.
    pub(super) async fn outdated(&self, live: &ReadModel) -> sqlx::Result<Vec<ProductId>> {
        self.unlike(live, |table, id, _| table.hash_of(id)).await
    }

    /// The products of which memory has another hash than the database.
    async fn unlike(
        &self,
        live: &ReadModel,
        hash_in: impl Fn(&VectorTable, &ProductId, &Stated) -> Option<[u8; 16]>,
    ) -> sqlx::Result<Vec<ProductId>> {
        let mut known: HashSet<ProductId> = self.look(|table| table.ids().cloned().collect());
        let (mut unlike, mut after) = (Vec::new(), String::new());
        loop {
            let page = live.stated_vectors(&after).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.product_id);
            self.look(|table| {
                for stated in &page {
                    // A row of another id is for the check of the database to find.
                    let Ok(id) = stated.product_id.parse() else {
                        continue;
                    };
                    known.remove(&id);
                    let held = hash_in(table, &id, stated);
                    if held.is_none_or(|held| held[..] != stated.vector_hash[..]) {
                        unlike.push(id);
                    }
                }
            });
        }
        unlike.extend(known);
        Ok(unlike)
    }
}

impl ReadModel {
    async fn stated_vectors(&self, after: &str) -> sqlx::Result<Vec<Stated>> {
        sqlx::query_as(
            "SELECT product_id, text_hash, vector_hash FROM embeddings
             WHERE product_id > $1 ORDER BY product_id LIMIT $2",
        )
        .bind(after)
        .bind(PAGE_ROWS)
        .fetch_all(&self.pool)
        .await
    }
}
