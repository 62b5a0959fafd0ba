//! The SQL side of the searches: the same products in one table of the same Postgres, and one
//! statement for each kind of search.

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::cluster::Cluster;
use crate::output::ProductJson;
use crate::sample;

const COPY_ROWS: usize = 500;

/// The products, and the vectors as far as there are any; gives some of the vectors back.
pub(super) async fn fill(
    cluster: &Cluster,
    url: &str,
    products: u64,
) -> anyhow::Result<Vec<String>> {
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
    let (mut ids, mut rows, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (number, product) in (1..=products).zip(sample::products(products, sample::SEED_DEFAULT)) {
        texts.push(format!(
            "{} {} {}",
            product.title, product.brand, product.description
        ));
        rows.push(serde_json::to_string(&ProductJson::from(&product)).context("JSON")?);
        ids.push(product.id);
        if ids.len() == COPY_ROWS || number == products {
            sqlx::query(
                "INSERT INTO search SELECT id, product::jsonb, to_tsvector('english', words), NULL
                 FROM unnest($1::text[], $2::text[], $3::text[]) AS new (id, product, words)",
            )
            .bind(&ids)
            .bind(&rows)
            .bind(&texts)
            .execute(&mut db)
            .await?;
            (ids, rows, texts) = (Vec::new(), Vec::new(), Vec::new());
        }
    }
    let vectors = copy_vectors(cluster, &mut db).await?;
    sqlx::raw_sql(
        "CREATE INDEX search_words ON search USING gin (words);
         CREATE INDEX search_brands ON search ((product->>'brand'));
         CREATE INDEX search_nearest ON search USING hnsw (embedding halfvec_cosine_ops);
         ANALYZE search",
    )
    .execute(&mut db)
    .await?;
    Ok(vectors)
}

async fn copy_vectors(cluster: &Cluster, to: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let url = cluster
        .query_database_url()
        .context("no database of the query service")?;
    let mut from = PgConnection::connect(url).await?;
    let live: i64 = sqlx::query_scalar("SELECT id FROM generations WHERE state = 'live'")
        .fetch_one(&mut from)
        .await?;
    let page = format!(
        "SELECT product_id, embedding::text FROM generation_{live}.embeddings
         WHERE product_id > $1 ORDER BY product_id LIMIT 1000"
    );
    let (mut last, mut some) = (String::new(), Vec::new());
    loop {
        let rows = sqlx::query(AssertSqlSafe(page.as_str()))
            .bind(&last)
            .fetch_all(&mut from)
            .await?;
        let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let vectors: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
        let Some(end) = ids.last() else {
            return Ok(some);
        };
        last = end.clone();
        sqlx::query(
            "UPDATE search SET embedding = new.embedding::halfvec(384)
             FROM unnest($1::text[], $2::text[]) AS new (id, embedding) WHERE search.id = new.id",
        )
        .bind(&ids)
        .bind(&vectors)
        .execute(&mut *to)
        .await?;
        some.extend(vectors.into_iter().step_by(10));
    }
}

/// Products with all words of the query.
macro_rules! all_words {
    () => {
        "FROM search, plainto_tsquery('english', $1) AS q WHERE words @@ q"
    };
}

/// Products with any word of the query.
macro_rules! any_word {
    () => {
        "FROM search, plainto_tsquery('english', $1) AS q,
             CAST(replace(q::text, '&', '|') AS tsquery) AS any_word
         WHERE words @@ any_word"
    };
}

/// The best 200 of `$keyword`, which are the tables before it and its ranks, fused with the nearest
/// 200; `$more` are further columns.
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

// As Postgres does it best: all words of the query, and not how many products have them.

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
/// The planner may take the index of the words, that of the brands, or both.
pub(super) const FILTERED: &str = concat!(
    "SELECT search.id, product::text ",
    all_words!(),
    " AND product->>'brand' = $2
     ORDER BY ts_rank_cd(words, q) DESC, search.id LIMIT 20"
);
/// The page, and behind it the brands of all that match.
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

// The same products as we find, and how many there are: any word of the query, those with all words
// first.

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
