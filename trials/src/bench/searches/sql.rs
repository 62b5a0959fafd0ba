//! The SQL side of the searches: the same products in one table of the same Postgres, and one
//! statement for each kind of search.

use anyhow::Context as _;
use catalog_proto::v1::ProductInput;
use client_kit::{Meter, ProductJson, sample};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::bench::database::{INDEX_BUILD_MEMORY, live_generation, settle};
use crate::cluster::Cluster;

const COPY_ROWS: usize = 500;
/// About how many of the vectors represent queries.
const QUERY_VECTORS: u64 = 2_000;

/// Stores the products with the vectors of the query service, and returns some of the vectors.
pub(super) async fn fill(
    cluster: &Cluster,
    url: &str,
    products: u64,
) -> anyhow::Result<Vec<String>> {
    let mut vectors = Vectors::of(cluster).await?;
    let mut db = PgConnection::connect(url).await?;
    sqlx::raw_sql(
        "CREATE EXTENSION IF NOT EXISTS vector;
         CREATE TABLE search (
             id text PRIMARY KEY, product jsonb NOT NULL,
             words tsvector NOT NULL, embedding halfvec(384)
         )",
    )
    .execute(&mut db)
    .await?;
    let mut meter = Meter::new("searches: the same products for SQL");
    let (mut some, mut made_up) = (Vec::new(), sample::products(products, sample::SEED_DEFAULT));
    let one_in = (products / QUERY_VECTORS).clamp(1, COPY_ROWS as u64) as usize;
    let mut done = 0;
    loop {
        let batch: Vec<ProductInput> = made_up.by_ref().take(COPY_ROWS).collect();
        if batch.is_empty() {
            break;
        }
        done += batch.len() as u64;
        let batch_vectors = vectors.of_products(&batch).await?;
        insert(&mut db, &batch, &batch_vectors).await?;
        some.extend(batch_vectors.into_iter().flatten().step_by(one_in));
        meter.set(done, Some(products), &format!("{done} products"));
    }
    meter.clear();
    create_indexes(&mut db).await?;
    settle(&mut db).await?;
    Ok(some)
}

async fn create_indexes(db: &mut PgConnection) -> anyhow::Result<()> {
    eprintln!("searches: their indexes, several minutes for a million vectors");
    let memory = format!("SET maintenance_work_mem = '{INDEX_BUILD_MEMORY}'");
    sqlx::raw_sql(AssertSqlSafe(memory))
        .execute(&mut *db)
        .await?;
    sqlx::raw_sql(
        "CREATE INDEX search_words ON search USING gin (words);
         CREATE INDEX search_brands ON search ((product->>'brand'));
         CREATE INDEX search_nearest ON search USING hnsw (embedding halfvec_cosine_ops)",
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn insert(
    db: &mut PgConnection,
    products: &[ProductInput],
    vectors: &[Option<String>],
) -> anyhow::Result<()> {
    let ids: Vec<&str> = products.iter().map(|product| product.id.as_str()).collect();
    let json = |product| serde_json::to_string(&ProductJson::from(product)).context("JSON");
    let rows = products
        .iter()
        .map(json)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let text = |product: &ProductInput| {
        let ProductInput {
            title,
            brand,
            description,
            ..
        } = product;
        format!("{title} {brand} {description}")
    };
    let texts: Vec<String> = products.iter().map(text).collect();
    sqlx::query(
        "INSERT INTO search
         SELECT id, product::jsonb, to_tsvector('english', words), embedding::halfvec(384)
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
             AS new (id, product, words, embedding)",
    )
    .bind(&ids)
    .bind(&rows)
    .bind(&texts)
    .bind(vectors)
    .execute(db)
    .await?;
    Ok(())
}

/// The vectors in the live generation of the query service.
struct Vectors {
    db: PgConnection,
    statement: String,
}

impl Vectors {
    async fn of(cluster: &Cluster) -> anyhow::Result<Self> {
        let (db, generation) = live_generation(cluster).await?;
        let statement = format!(
            "SELECT embedding::text FROM unnest($1::text[]) WITH ORDINALITY AS wanted (id, number)
             LEFT JOIN {generation}.embeddings ON product_id = wanted.id ORDER BY number"
        );
        Ok(Self { db, statement })
    }

    async fn of_products(
        &mut self,
        products: &[ProductInput],
    ) -> anyhow::Result<Vec<Option<String>>> {
        let ids: Vec<&str> = products.iter().map(|product| product.id.as_str()).collect();
        let vectors = sqlx::query_scalar(AssertSqlSafe(self.statement.as_str()))
            .bind(&ids)
            .fetch_all(&mut self.db);
        Ok(vectors.await?)
    }
}

/// Selects the products with all words of the query.
macro_rules! all_words {
    () => {
        "FROM search, plainto_tsquery('english', $1) AS q WHERE words @@ q"
    };
}

/// Selects the products with any word of the query.
macro_rules! any_word {
    () => {
        "FROM search, plainto_tsquery('english', $1) AS q,
             CAST(replace(q::text, '&', '|') AS tsquery) AS any_word
         WHERE words @@ any_word"
    };
}

/// Fuses the best 200 of `$keyword`, which defines a table of ranks, with the nearest 200; `$more`
/// are further columns.
macro_rules! hybrid {
    ($keyword:expr, $more:literal) => {
        concat!(
            "WITH ",
            $keyword,
            ", nearest AS (
                 SELECT id, embedding <=> $2::halfvec(384) AS distance FROM search
                 ORDER BY embedding <=> $2::halfvec(384) LIMIT 200
             ), vector AS (
                 SELECT id, row_number() OVER (ORDER BY distance, id) AS rank FROM nearest
             ), fused AS (
                 SELECT id, coalesce(1.0 / (60 + keyword.rank), 0)
                     + coalesce(0.5 / (60 + vector.rank), 0) AS score
                 FROM keyword FULL JOIN vector USING (id)
                 ORDER BY score DESC, id LIMIT 20
             )
             SELECT id, product::text",
            $more,
            " FROM fused JOIN search USING (id) ORDER BY score DESC, id"
        )
    };
}

pub(super) const VECTOR: &str = "SELECT id, product::text FROM search
     ORDER BY embedding <=> $1::halfvec(384) LIMIT 20";

// The following answer as Postgres does best: all words of the query, and no number of matches.

pub(super) const KEYWORD: &str = concat!(
    "SELECT search.id, product::text ",
    all_words!(),
    " ORDER BY ts_rank_cd(words, q) DESC, search.id LIMIT 20"
);
pub(super) const HYBRID: &str = hybrid!(
    concat!(
        "keyword AS (
             SELECT search.id, row_number() OVER (
                 ORDER BY ts_rank_cd(words, q) DESC, search.id
             ) AS rank ",
        all_words!(),
        " ORDER BY rank LIMIT 200
         )"
    ),
    ""
);
/// The planner may use the index of the words, that of the brands, or both.
pub(super) const FILTERED: &str = concat!(
    "SELECT search.id, product::text ",
    all_words!(),
    " AND product->>'brand' = $2
     ORDER BY ts_rank_cd(words, q) DESC, search.id LIMIT 20"
);
/// The page of results, followed by the brands of all matches.
pub(super) const FACETED: &str = concat!(
    "WITH found AS MATERIALIZED (
         SELECT search.id, product, ts_rank_cd(words, q) AS score ",
    all_words!(),
    "), page AS (
         SELECT id, product::text FROM found ORDER BY score DESC, id LIMIT 20
     ), brands AS (
         SELECT product->>'brand' AS brand, count(*)::text AS products FROM found
         GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20
     )
     SELECT * FROM page UNION ALL SELECT * FROM brands"
);

// The following find the same products as we do, and count them: any word of the query, those with
// all words first.

pub(super) const KEYWORD_ANY: &str = concat!(
    "SELECT search.id, product::text, count(*) OVER () ",
    any_word!(),
    " ORDER BY words @@ q DESC, ts_rank_cd(words, any_word) DESC, search.id LIMIT 20"
);
pub(super) const HYBRID_ANY: &str = hybrid!(
    concat!(
        "found AS MATERIALIZED (
             SELECT search.id, words @@ q AS has_all, ts_rank_cd(words, any_word) AS score ",
        any_word!(),
        "), keyword AS (
             SELECT id, row_number() OVER (ORDER BY has_all DESC, score DESC, id) AS rank
             FROM found ORDER BY rank LIMIT 200
         )"
    ),
    ", (SELECT count(*) FROM (SELECT id FROM found UNION SELECT id FROM nearest) AS either)"
);
pub(super) const FILTERED_ANY: &str = concat!(
    "SELECT search.id, product::text, count(*) OVER () ",
    any_word!(),
    " AND product->>'brand' = $2
     ORDER BY words @@ q DESC, ts_rank_cd(words, any_word) DESC, search.id LIMIT 20"
);
pub(super) const FACETED_ANY: &str = concat!(
    "WITH found AS MATERIALIZED (
         SELECT search.id, product, words @@ q AS has_all, ts_rank_cd(words, any_word) AS score ",
    any_word!(),
    "), page AS (
         SELECT id, product::text, (SELECT count(*) FROM found)
         FROM found ORDER BY has_all DESC, score DESC, id LIMIT 20
     ), brands AS (
         SELECT product->>'brand' AS brand, count(*)::text AS products, NULL::bigint FROM found
         GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20
     )
     SELECT * FROM page UNION ALL SELECT * FROM brands"
);
