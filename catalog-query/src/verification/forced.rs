//! Sets documents, their embeddings and the running digest to what the log says, an older version
//! included: the one way to change a read model that is not applying an event. The checkpoint is
//! locked meanwhile, so that no projector comes in between.

use std::collections::{BTreeMap, BTreeSet};

use catalog_events::{BucketedDigest, ContentHash, Position, Product, ProductEvent, ProductId};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;

use crate::events::LogClient;
use crate::read_model::{ReadModel, is_refused};
use crate::verification::error::VerificationError;
use crate::verification::rows::{Document, Embedding, expected_text_hash};
use crate::verification::states::{State, states};

/// The outcome of a repair.
#[derive(Debug, Default)]
pub(crate) struct Forced {
    /// The products that were not as they must be.
    pub(crate) changed: BTreeSet<String>,
    /// Products whose last event cannot be read, and why.
    pub(crate) unreadable: Vec<(ProductId, String)>,
}

/// The row that a product must have.
struct Wanted {
    version: i64,
    position: i64,
    /// None for a tombstone.
    live: Option<Live>,
}

struct Live {
    json: String,
    hash: ContentHash,
    text_hash: [u8; 16],
}

/// The rows that products must have, by product id; None for a product that the log does not know.
type AllWanted = BTreeMap<String, Option<Wanted>>;

/// Sets products to what the log says. One whose content Postgres refuses does not keep the others
/// from being set.
pub(crate) async fn force_each(
    live: &ReadModel,
    log: &LogClient,
    ids: &[ProductId],
) -> Result<Forced, VerificationError> {
    let mut all = Forced::default();
    let mut parts = vec![ids];
    while let Some(part) = parts.pop() {
        match force(live, log, part).await {
            Ok(mut forced) => {
                all.changed.append(&mut forced.changed);
                all.unreadable.append(&mut forced.unreadable);
            }
            Err(VerificationError::Database(err)) if is_refused(&err) => match part {
                [] => return Err(err.into()),
                [id] => {
                    let error = format!("the read model refuses it: {err}");
                    all.unreadable.push((id.clone(), error));
                }
                _ => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            },
            Err(err) => return Err(err),
        }
    }
    Ok(all)
}

/// Sets products to what the log says, all of them in one transaction.
async fn force(
    live: &ReadModel,
    log: &LogClient,
    ids: &[ProductId],
) -> Result<Forced, VerificationError> {
    let mut tx = live.pool.begin().await?;
    let position = lock(&mut tx).await?;
    let mut forced = Forced::default();
    let mut wanted = AllWanted::new();
    for (id, state) in states(log, ids, Position::from_i64(position)).await? {
        match state {
            State::Event(event) => {
                let row = Wanted::new(&live.model, &event)?;
                wanted.insert(id.to_string(), Some(row));
            }
            State::Absent => {
                wanted.insert(id.to_string(), None);
            }
            State::Unreadable(error) => forced.unreadable.push((id, error)),
        }
    }
    forced.changed = set(&mut tx, &wanted).await?;
    heal(&mut tx, &wanted, position).await?;
    tx.commit().await?;
    Ok(forced)
}

/// Removes rows whose id is no product id, which no log can have.
pub(crate) async fn remove(
    live: &ReadModel,
    ids: &[String],
) -> Result<BTreeSet<String>, VerificationError> {
    let mut tx = live.pool.begin().await?;
    lock(&mut tx).await?;
    let wanted = ids.iter().map(|id| (id.clone(), None)).collect();
    let removed = set(&mut tx, &wanted).await?;
    tx.commit().await?;
    Ok(removed)
}

/// Locks the position until the end of the transaction, and returns it.
async fn lock(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT position FROM checkpoint FOR UPDATE")
        .fetch_one(db)
        .await
}

/// Sets rows and digest; returns the ids of the rows that were not as they must be.
async fn set(db: &mut PgConnection, wanted: &AllWanted) -> sqlx::Result<BTreeSet<String>> {
    let mut changed = documents(db, wanted).await?;
    changed.extend(embeddings(db, wanted).await?);
    sum_digest(db).await?;
    Ok(changed)
}

impl Wanted {
    fn new(model: &str, event: &ProductEvent) -> sqlx::Result<Self> {
        let live = |product: &Product| {
            let json = serde_json::to_string(product);
            Ok::<_, sqlx::Error>(Live {
                json: json.map_err(|err| sqlx::Error::Encode(err.into()))?,
                hash: ContentHash::of(&event.product_id, event.version, product),
                text_hash: expected_text_hash(model, product),
            })
        };
        Ok(Self {
            version: event.version.get(),
            position: event.position.to_i64(),
            live: event.product.as_ref().map(live).transpose()?,
        })
    }

    /// Whether the row is as it must be.
    fn is(&self, row: &Document) -> bool {
        let same_content = match (&self.live, row.content()) {
            (None, Ok(None)) => row.content_hash.is_none() && row.text_hash.is_none(),
            (Some(live), Ok(Some((_, hash)))) => {
                hash == live.hash
                    && row.content_hash.as_deref() == Some(&hash.to_bytes())
                    && row.text_hash.as_deref() == Some(&live.text_hash)
            }
            _ => false,
        };
        same_content && row.version == self.version && row.position == self.position
    }
}

/// Sets the documents; returns the products whose rows were not as they must be.
async fn documents(db: &mut PgConnection, wanted: &AllWanted) -> sqlx::Result<BTreeSet<String>> {
    let ids: Vec<&String> = wanted.keys().collect();
    // The embedder locks rows in the same order.
    let rows: Vec<Document> = sqlx::query_as(
        "SELECT product_id, version, position, product::text AS product, content_hash, text_hash
         FROM documents WHERE product_id = ANY($1) ORDER BY product_id FOR UPDATE",
    )
    .bind(&ids)
    .fetch_all(&mut *db)
    .await?;
    let held: BTreeMap<&str, &Document> = rows
        .iter()
        .map(|row| (row.product_id.as_str(), row))
        .collect();
    let mut changed = BTreeSet::new();
    for (id, wanted) in wanted {
        match (wanted, held.get(id.as_str())) {
            (None, None) => continue,
            (Some(wanted), Some(row)) if wanted.is(row) => continue,
            (Some(wanted), _) => write(db, id, wanted).await?,
            (None, Some(_)) => {
                sqlx::query("DELETE FROM documents WHERE product_id = $1")
                    .bind(id)
                    .execute(&mut *db)
                    .await?;
            }
        }
        changed.insert(id.clone());
    }
    Ok(changed)
}

async fn write(db: &mut PgConnection, id: &str, wanted: &Wanted) -> sqlx::Result<()> {
    let live = wanted.live.as_ref();
    sqlx::query(
        "INSERT INTO documents (product_id, version, position, product, content_hash, text_hash)
         VALUES ($1, $2, $3, $4::jsonb, $5, $6)
         ON CONFLICT (product_id) DO UPDATE
         SET version = excluded.version, position = excluded.position,
             product = excluded.product, content_hash = excluded.content_hash,
             text_hash = excluded.text_hash",
    )
    .bind(id)
    .bind(wanted.version)
    .bind(wanted.position)
    .bind(live.map(|live| live.json.as_str()))
    .bind(live.map(|live| live.hash.to_bytes().to_vec()))
    .bind(live.map(|live| live.text_hash.to_vec()))
    .execute(db)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct EmbeddingRow {
    product_id: String,
    #[sqlx(flatten)]
    embedding: Embedding,
}

/// Removes vectors that are not as they must be, and queues texts where a vector is wanted. Returns
/// their products.
async fn embeddings(db: &mut PgConnection, wanted: &AllWanted) -> sqlx::Result<BTreeSet<String>> {
    let ids: Vec<&String> = wanted.keys().collect();
    let rows: Vec<EmbeddingRow> = sqlx::query_as(
        "SELECT wanted.id AS product_id, embedding.text_hash AS embedded_text_hash,
                embedding.embedding, embedding.vector_hash,
                queue.product_id IS NOT NULL AS queued
         FROM unnest($1::text[]) AS wanted (id)
         LEFT JOIN embeddings embedding ON embedding.product_id = wanted.id
         LEFT JOIN embedding_queue queue ON queue.product_id = wanted.id",
    )
    .bind(&ids)
    .fetch_all(&mut *db)
    .await?;
    let mut wrong = BTreeSet::new();
    let (mut queued, mut positions) = (Vec::new(), Vec::new());
    for row in rows {
        let wanted = wanted.get(&row.product_id).and_then(Option::as_ref);
        let live = wanted.and_then(|wanted| wanted.live.as_ref());
        let text_hash = live.map(|live| live.text_hash.as_slice());
        if row.embedding.problem(&row.product_id, text_hash).is_none() {
            continue;
        }
        if let (Some(wanted), Some(_)) = (wanted, live) {
            queued.push(row.product_id.clone());
            positions.push(wanted.position);
        }
        wrong.insert(row.product_id);
    }
    remove_embeddings(db, &wrong).await?;
    sqlx::query(
        "INSERT INTO embedding_queue (product_id, position)
         SELECT * FROM unnest($1::text[], $2::bigint[])",
    )
    .bind(&queued)
    .bind(&positions)
    .execute(db)
    .await?;
    Ok(wrong)
}

/// Removes vectors and takes their products off the queue.
async fn remove_embeddings(db: &mut PgConnection, ids: &BTreeSet<String>) -> sqlx::Result<()> {
    let removed: Vec<&String> = ids.iter().collect();
    for statement in [
        "DELETE FROM embeddings WHERE product_id = ANY($1)",
        "DELETE FROM embedding_queue WHERE product_id = ANY($1)",
    ] {
        sqlx::query(statement)
            .bind(&removed)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Forgets the parked events of these products, which the repair has made up for.
async fn heal(db: &mut PgConnection, wanted: &AllWanted, position: i64) -> sqlx::Result<()> {
    let ids: Vec<&String> = wanted.keys().collect();
    sqlx::query("DELETE FROM parked_events WHERE product_id = ANY($1) AND position <= $2")
        .bind(&ids)
        .bind(position)
        .execute(db)
        .await?;
    Ok(())
}

/// Sums the running digest from the stored hashes: a check of the documents tells whether these are
/// right.
async fn sum_digest(db: &mut PgConnection) -> sqlx::Result<()> {
    let mut digest = BucketedDigest::default();
    let mut documents = 0_i64;
    let select = "SELECT content_hash FROM documents WHERE content_hash IS NOT NULL";
    let mut hashes = sqlx::query_scalar::<_, Vec<u8>>(select).fetch(&mut *db);
    while let Some(hash) = hashes.try_next().await? {
        documents += 1;
        if let Ok(hash) = hash.try_into() {
            digest.insert(ContentHash::from_bytes(hash));
        }
    }
    drop(hashes);
    sqlx::query("UPDATE checkpoint SET digest = $1, documents = $2")
        .bind(digest.to_bytes())
        .bind(documents)
        .execute(db)
        .await?;
    Ok(())
}
