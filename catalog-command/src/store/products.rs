//! Products and the outbox, set-based: one statement saves both, for a single write as for a batch.

use std::collections::HashMap;

use catalog_events::{ContentHash, Product, ProductId, Version};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Current, Decision};

/// Who wrote, and in which trace.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) actor: String,
    pub(crate) traceparent: Option<String>,
}

/// Another writer came first: load again and decide again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Conflict {
    #[error("another writer changed the product meanwhile")]
    Lost,
    #[error("database")]
    Database(#[from] sqlx::Error),
}

/// The current state of those of `ids` that exist, locked until the transaction ends. Locks are
/// taken in the order of the ids, so that two batches cannot deadlock.
pub(crate) async fn load_for_update(
    db: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<HashMap<ProductId, Current>> {
    let rows: Vec<ProductRow> = sqlx::query_as(
        "SELECT id, version, updated_at, product FROM products
         WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(ProductRow::into_current).collect()
}

/// The current state of one product, if it exists; anybody may change it.
pub(crate) async fn load(
    db: &mut PgConnection,
    id: &ProductId,
) -> sqlx::Result<HashMap<ProductId, Current>> {
    let row: Option<ProductRow> =
        sqlx::query_as("SELECT id, version, updated_at, product FROM products WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(db)
            .await?;
    row.into_iter().map(ProductRow::into_current).collect()
}

#[derive(sqlx::FromRow)]
struct ProductRow {
    id: String,
    version: i64,
    updated_at: OffsetDateTime,
    product: Option<Json<Product>>,
}

impl ProductRow {
    fn into_current(self) -> sqlx::Result<(ProductId, Current)> {
        let name = self.id.as_str();
        let corrupt = |what: &str| sqlx::Error::Decode(format!("{name}: bad {what}").into());
        let id = name.parse().map_err(|_| corrupt("id"))?;
        let version = Version::new(self.version).ok_or_else(|| corrupt("version"))?;
        let product = self.product.map(|Json(product)| product);
        let current = Current {
            version,
            updated_at: self.updated_at,
            product,
        };
        Ok((id, current))
    }
}

/// Saves products and their events. `current` is what the decisions were taken against, and what a
/// product must still be. One decision is saved or not; several need a transaction, which must be
/// rolled back on an error.
pub(crate) async fn save(
    db: &mut PgConnection,
    decisions: &[Decision],
    current: &HashMap<ProductId, Current>,
    origin: &Origin,
) -> Result<(), Conflict> {
    if decisions.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(decisions, current)?;
    let saved = sqlx::query(
        "WITH new AS (
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[],
                                  $5::timestamptz[], $6::text[], $7::text[], $8::bytea[],
                                  $9::bytea[])
                 WITH ORDINALITY AS new (event_id, id, version, event_type, at, change, product,
                                         content_hash, previous_hash, number)
         ), saved AS (
             INSERT INTO products (id, version, product, updated_at)
             SELECT id, version, product::jsonb, at FROM new ORDER BY id
             ON CONFLICT (id) DO UPDATE
             SET version = excluded.version, product = excluded.product,
                 updated_at = excluded.updated_at
             WHERE products.version = excluded.version - 1
             RETURNING id
         )
         INSERT INTO outbox
             (event_id, product_id, version, event_type, occurred_at, actor, traceparent,
              change, product, content_hash, previous_hash, hashed)
         SELECT event_id, id, version, event_type, at, $10, $11, change::json, product::json,
                content_hash, previous_hash, true
         FROM new JOIN saved USING (id)
         ORDER BY number",
    )
    .bind(&columns.event_ids)
    .bind(&columns.ids)
    .bind(&columns.versions)
    .bind(&columns.event_types)
    .bind(&columns.times)
    .bind(&columns.changes)
    .bind(&columns.products)
    .bind(&columns.content_hashes)
    .bind(&columns.previous_hashes)
    .bind(&origin.actor)
    .bind(&origin.traceparent)
    .execute(&mut *db)
    .await?;
    match saved.rows_affected() == decisions.len() as u64 {
        true => Ok(()),
        false => Err(Conflict::Lost),
    }
}

/// Products that are not deleted.
pub(crate) async fn count_products(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM products WHERE product IS NOT NULL")
        .fetch_one(db)
        .await
}

/// The decisions turned on their side, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    event_ids: Vec<Uuid>,
    ids: Vec<&'a str>,
    versions: Vec<i64>,
    event_types: Vec<&'static str>,
    changes: Vec<String>,
    products: Vec<Option<String>>,
    times: Vec<OffsetDateTime>,
    content_hashes: Vec<Option<[u8; 16]>>,
    previous_hashes: Vec<Option<[u8; 16]>>,
}

impl<'a> Columns<'a> {
    fn of(decisions: &'a [Decision], current: &HashMap<ProductId, Current>) -> sqlx::Result<Self> {
        let json = |err: serde_json::Error| sqlx::Error::Encode(err.into());
        let mut columns = Columns::default();
        for decision in decisions {
            let event_type = decision.change.event_type().ok_or_else(|| {
                sqlx::Error::Encode("this version cannot write an unknown change".into())
            })?;
            let product = decision.product.as_ref().map(serde_json::to_string);
            columns.event_ids.push(Uuid::now_v7());
            columns.ids.push(decision.id.as_str());
            columns.versions.push(decision.version.get());
            columns.event_types.push(event_type.as_str());
            let change = serde_json::to_string(&decision.change).map_err(json)?;
            columns.changes.push(change);
            columns.products.push(product.transpose().map_err(json)?);
            columns.times.push(decision.at);
            let previous = current.get(&decision.id);
            let previous = previous.and_then(|previous| previous.content_hash(&decision.id));
            let content = decision.content_hash();
            columns
                .content_hashes
                .push(content.map(ContentHash::to_bytes));
            columns
                .previous_hashes
                .push(previous.map(ContentHash::to_bytes));
        }
        Ok(columns)
    }
}
