//! Products and the outbox, set-based: one statement saves both, for a single write as for a batch.

use std::collections::{HashMap, HashSet};

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

/// Why products were not saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Conflict {
    /// Another writer came first: load again and decide again.
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

/// The current state of those of `ids` that exist; anybody may change them.
pub(crate) async fn load(
    db: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<HashMap<ProductId, Current>> {
    let rows: Vec<ProductRow> =
        sqlx::query_as("SELECT id, version, updated_at, product FROM products WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(db)
            .await?;
    rows.into_iter().map(ProductRow::into_current).collect()
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

/// A decision, and who asked for it.
pub(crate) type Write<'a> = (&'a Decision, &'a Origin);

/// Saves all of these products and their events. The transaction must be rolled back on an error.
pub(crate) async fn save(
    db: &mut PgConnection,
    writes: &[Write<'_>],
    current: &HashMap<ProductId, Current>,
) -> Result<(), Conflict> {
    let saved = save_each(db, writes, current).await?;
    if saved.len() == writes.len() {
        Ok(())
    } else {
        Err(Conflict::Lost)
    }
}

/// Saves each product with its event, unless another writer was faster, and says which were saved.
/// `current` is what the decisions were taken against, and what a product must still be. No
/// product may come twice.
pub(crate) async fn save_each(
    db: &mut PgConnection,
    writes: &[Write<'_>],
    current: &HashMap<ProductId, Current>,
) -> sqlx::Result<HashSet<String>> {
    if writes.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = Columns::of(writes, current)?;
    let saved: Vec<String> = sqlx::query_scalar(
        "WITH new AS (
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[],
                                  $5::timestamptz[], $6::text[], $7::text[], $8::bytea[],
                                  $9::bytea[], $10::text[], $11::text[])
                 WITH ORDINALITY AS new (event_id, id, version, event_type, at, change, product,
                                         content_hash, previous_hash, actor, traceparent, number)
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
         SELECT event_id, id, version, event_type, at, actor, traceparent, change::json,
                product::json, content_hash, previous_hash, true
         FROM new JOIN saved USING (id)
         ORDER BY number
         RETURNING product_id",
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
    .bind(&columns.actors)
    .bind(&columns.traceparents)
    .fetch_all(&mut *db)
    .await?;
    Ok(saved.into_iter().collect())
}

/// The number of products that are not deleted.
pub(crate) async fn count_products(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM products WHERE product IS NOT NULL")
        .fetch_one(db)
        .await
}

/// The decisions as columns, which `unnest` takes.
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
    actors: Vec<&'a str>,
    traceparents: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(writes: &[Write<'a>], current: &HashMap<ProductId, Current>) -> sqlx::Result<Self> {
        let json = |err: serde_json::Error| sqlx::Error::Encode(err.into());
        let mut columns = Columns::default();
        for (decision, origin) in writes {
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
            let previous = current
                .get(&decision.id)
                .and_then(|previous| previous.content_hash(&decision.id));
            let content = decision.content_hash();
            columns
                .content_hashes
                .push(content.map(ContentHash::to_bytes));
            columns
                .previous_hashes
                .push(previous.map(ContentHash::to_bytes));
            columns.actors.push(&origin.actor);
            columns.traceparents.push(origin.traceparent.as_deref());
        }
        Ok(columns)
    }
}
