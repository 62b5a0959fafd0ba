//! Products and the outbox, set-based: one statement each for a single write and for a batch.

use std::collections::HashMap;

use catalog_events::{ContentHash, Product, ProductId, Version};
use sqlx::PgConnection;
use sqlx::types::Json;
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
    let rows: Vec<(String, i64, Option<Json<Product>>)> = sqlx::query_as(
        "SELECT id, version, product FROM products WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, version, product)| {
            let corrupt = |what: &str| sqlx::Error::Decode(format!("{id}: bad {what}").into());
            let current = Current {
                version: Version::new(version).ok_or_else(|| corrupt("version"))?,
                product: product.map(|Json(product)| product),
            };
            Ok((id.parse().map_err(|_| corrupt("id"))?, current))
        })
        .collect()
}

/// Saves products and their events. All or nothing with the caller's transaction, which must be
/// rolled back on an error.
pub(crate) async fn save(
    db: &mut PgConnection,
    decisions: &[Decision],
    origin: &Origin,
) -> Result<(), Conflict> {
    if decisions.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(decisions)?;
    let previous = previous_hashes(db, &columns.ids).await?;
    let previous: Vec<_> = columns.ids.iter().map(|id| previous.get(*id)).collect();
    let saved = sqlx::query(
        "INSERT INTO products (id, version, product, updated_at, content_hash)
         SELECT id, version, product::jsonb, at, content_hash
         FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::bytea[])
             AS new (id, version, product, at, content_hash)
         ORDER BY id
         ON CONFLICT (id) DO UPDATE
         SET version = excluded.version, product = excluded.product,
             updated_at = excluded.updated_at, content_hash = excluded.content_hash
         WHERE products.version = excluded.version - 1",
    )
    .bind(&columns.ids)
    .bind(&columns.versions)
    .bind(&columns.products)
    .bind(&columns.times)
    .bind(&columns.hashes)
    .execute(&mut *db)
    .await?;
    if saved.rows_affected() != decisions.len() as u64 {
        return Err(Conflict::Lost);
    }
    sqlx::query(
        "INSERT INTO outbox
             (event_id, product_id, version, event_type, occurred_at, actor, traceparent,
              change, product, content_hash, previous_hash, hashed)
         SELECT event_id, id, version, event_type, at, $7, $8, change::json, product::json,
                content_hash, previous_hash, true
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[],
                     $6::text[], $9::text[], $10::bytea[], $11::bytea[])
             AS new (event_id, id, version, event_type, at, change, product, content_hash,
                     previous_hash)",
    )
    .bind(&columns.event_ids)
    .bind(&columns.ids)
    .bind(&columns.versions)
    .bind(&columns.event_types)
    .bind(&columns.times)
    .bind(&columns.changes)
    .bind(&origin.actor)
    .bind(&origin.traceparent)
    .bind(&columns.products)
    .bind(&columns.hashes)
    .bind(&previous)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// Of the live ones of `ids`, which the caller has locked.
async fn previous_hashes(
    db: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<HashMap<String, Vec<u8>>> {
    type Row = (String, i64, Option<Vec<u8>>, Option<Json<Product>>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, version, content_hash, CASE WHEN content_hash IS NULL THEN product END
         FROM products WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(db)
    .await?;
    let hashes = rows.into_iter().filter_map(|(id, version, hash, product)| {
        let computed = product
            .zip(Version::new(version))
            .map(|(product, version)| {
                let hash = ContentHash::of(&product.id, version, &product);
                hash.to_bytes().to_vec()
            });
        Some((id, hash.or(computed)?))
    });
    Ok(hashes.collect())
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
    times: Vec<time::OffsetDateTime>,
    hashes: Vec<Option<Vec<u8>>>,
}

impl<'a> Columns<'a> {
    fn of(decisions: &'a [Decision]) -> sqlx::Result<Self> {
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
            let hash = decision.product.as_ref().map(|product| {
                let hash = ContentHash::of(&decision.id, decision.version, product);
                hash.to_bytes().to_vec()
            });
            columns.hashes.push(hash);
        }
        Ok(columns)
    }
}
