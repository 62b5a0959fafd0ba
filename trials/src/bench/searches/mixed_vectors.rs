//! Makes vectors for more products than the model can embed during a benchmark. Each is mixed from
//! those of two embedded products of its category, and lies as near to them as titles that share
//! most of their words. They are stored like those of the model and cost a search as much.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use client_kit::Meter;
use fastrand::Rng;
use pgvector::HalfVector;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::bench::database::{INDEX_BUILD_MEMORY, live_generation, settle};
use crate::bench::imports;
use crate::cluster::{Cluster, Part};

const PAGE_ROWS: i64 = 1_000;
const SEED: u64 = 11;
/// The share of a vector's length that is random.
const NOISE: f32 = 0.1;

/// The vectors of the model, by category.
type Embedded = BTreeMap<String, Vec<Vec<f32>>>;

/// Fills in the vectors that the query service has not embedded yet, while it is stopped, and
/// starts it again.
pub(in crate::bench) async fn fill(cluster: &mut Cluster, products: u64) -> anyhow::Result<()> {
    cluster.stop(Part::Query).await?;
    let (mut db, generation) = live_generation(cluster).await?;
    let search_path = format!("SET search_path = {generation}, public");
    sqlx::raw_sql(AssertSqlSafe(search_path))
        .execute(&mut db)
        .await?;
    let embedded = embedded(&mut db).await?;
    let mut tx = db.begin().await?;
    sqlx::raw_sql("DROP INDEX embeddings_nearest")
        .execute(&mut *tx)
        .await?;
    mix(&mut tx, &embedded, products).await?;
    eprintln!("searches: the index of {products} vectors, several minutes for a million");
    let memory = format!("SET LOCAL maintenance_work_mem = '{INDEX_BUILD_MEMORY}'");
    sqlx::raw_sql(AssertSqlSafe(memory))
        .execute(&mut *tx)
        .await?;
    sqlx::raw_sql(
        "DELETE FROM embedding_queue;
         CREATE INDEX embeddings_nearest ON embeddings USING hnsw (embedding halfvec_cosine_ops)",
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    settle(&mut db).await?;
    cluster.launch(Part::Query)?;
    cluster.ready().await?;
    let status = cluster.read_status().await?;
    if imports::embedded(&status).unsigned_abs() == products {
        Ok(())
    } else {
        bail!("not all products have a vector: {status:?}")
    }
}

async fn embedded(db: &mut PgConnection) -> anyhow::Result<Embedded> {
    let rows: Vec<(String, HalfVector)> = sqlx::query_as(
        "SELECT product->>'categories', embedding FROM embeddings JOIN documents USING (product_id)",
    )
    .fetch_all(db)
    .await?;
    let mut embedded = Embedded::new();
    for (category, vector) in rows {
        let vector = vector.as_slice().iter().map(|number| number.to_f32());
        embedded.entry(category).or_default().push(vector.collect());
    }
    Ok(embedded)
}

async fn mix(db: &mut PgConnection, embedded: &Embedded, products: u64) -> anyhow::Result<()> {
    let mut random = Rng::with_seed(SEED);
    let mut meter = Meter::new("searches: vectors");
    let (mut last, mut done) = (String::new(), 0);
    loop {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT product_id, product->>'categories' FROM documents
             JOIN embedding_queue USING (product_id)
             WHERE product_id > $1 ORDER BY product_id LIMIT $2",
        )
        .bind(&last)
        .bind(PAGE_ROWS)
        .fetch_all(&mut *db)
        .await?;
        let Some((end, _)) = rows.last() else {
            return Ok(());
        };
        last.clone_from(end);
        done += rows.len() as u64;
        let mix_one = |(id, category): &(String, String)| {
            let alike = embedded
                .get(category)
                .with_context(|| format!("nothing embedded is like {id}"))?;
            anyhow::Ok(HalfVector::from_f32_slice(&mixed(alike, &mut random)))
        };
        let vectors: Vec<HalfVector> = rows.iter().map(mix_one).collect::<Result<_, _>>()?;
        let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
        // The hash is the one that the query service would store, so that `verify` finds nothing.
        sqlx::query(
            r"INSERT INTO embeddings (product_id, text_hash, embedding, vector_hash)
             SELECT product_id, text_hash, embedding,
                 substring(sha256(convert_to(product_id, 'UTF8') || '\x00'::bytea || text_hash
                     || substring(halfvec_send(embedding) FROM 5)) FOR 16)
             FROM unnest($1::text[], $2::halfvec[]) AS new (id, embedding)
             JOIN documents ON product_id = new.id
             ON CONFLICT (product_id) DO NOTHING",
        )
        .bind(&ids)
        .bind(&vectors)
        .execute(&mut *db)
        .await?;
        meter.set(done, Some(products), &format!("{done} products"));
    }
}

/// A vector between two others, with noise added, as long as the vectors of the model.
fn mixed(vectors: &[Vec<f32>], random: &mut Rng) -> Vec<f32> {
    let (one, other) = (random.choice(vectors), random.choice(vectors));
    let (Some(one), Some(other)) = (one, other) else {
        return Vec::new();
    };
    let share = random.f32();
    // A number spread evenly between -1 and 1 has the square 1/3 on average.
    let noise = NOISE * (3.0 / one.len() as f32).sqrt();
    let mut vector: Vec<f32> = one
        .iter()
        .zip(other)
        .map(|(a, b)| a * share + b * (1.0 - share) + noise * (random.f32() * 2.0 - 1.0))
        .collect();
    let length = vector
        .iter()
        .map(|number| number * number)
        .sum::<f32>()
        .sqrt();
    vector.iter_mut().for_each(|number| *number /= length);
    vector
}
