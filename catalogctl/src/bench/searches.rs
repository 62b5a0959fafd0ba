//! Searches by keyword, by vector and by both, against one SQL statement over the same products in the
//! same Postgres: full text (`tsvector`, GIN), pgvector (HNSW over the same vectors), and their
//! reciprocal rank fusion. The SQL side gets the vector of a query for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::{SearchProductsRequest, SearchStrategy};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::task::JoinSet;

use crate::bench::{median, percentile};
use crate::cluster::{Cluster, channel};
use crate::output::ProductJson;
use crate::sample;

const CLIENTS: [usize; 2] = [1, 32];
const QUERIES: u64 = 500;
const LIMIT: i32 = 20;
const COPY_ROWS: usize = 500;

/// One way to search, with a number of clients.
#[derive(Debug, Serialize)]
pub(super) struct SearchFigures {
    pub(super) strategy: &'static str,
    pub(super) clients: usize,
    pub(super) products: u64,
    pub(super) ours: Rate,
    pub(super) sql: Rate,
}

/// Medians over the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Rate {
    pub(super) requests_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// A query, and a vector that stands for it on the SQL side.
struct Query {
    text: String,
    vector: Option<String>,
}

struct Searches {
    cluster_query: String,
    sql_url: String,
    queries: Vec<Query>,
    next: AtomicUsize,
}

pub(super) async fn measure(
    cluster: &Cluster,
    products: u64,
    rounds: usize,
    seconds: u64,
) -> anyhow::Result<Vec<SearchFigures>> {
    let sql_url = cluster.devkit.database_url("bench_search").await?;
    eprintln!("searches: the same products for SQL");
    let vectors = fill_sql(cluster, &sql_url, products).await?;
    let searches = Arc::new(Searches {
        cluster_query: cluster.query_grpc(),
        sql_url,
        queries: queries(products, &vectors),
        next: AtomicUsize::new(0),
    });
    let mut figures = Vec::new();
    let strategies = [
        SearchStrategy::Keyword,
        SearchStrategy::Vector,
        SearchStrategy::Hybrid,
    ];
    for strategy in strategies {
        if strategy != SearchStrategy::Keyword && vectors.is_empty() {
            continue;
        }
        for clients in CLIENTS {
            let length = Duration::from_secs(seconds);
            // Both sides know every query before the clock starts: the same are asked again and again.
            searches.ours(strategy, 1, length).await?;
            let (mut ours, mut sql) = (Vec::new(), Vec::new());
            for round in 1..=rounds {
                eprintln!("searches: {strategy:?}, {clients} clients, round {round} of {rounds}");
                ours.push(searches.ours(strategy, clients, length).await?);
                sql.push(searches.sql(strategy, clients, length).await?);
            }
            figures.push(SearchFigures {
                strategy: name(strategy),
                clients,
                products,
                ours: medians(ours),
                sql: medians(sql),
            });
        }
    }
    Ok(figures)
}

fn name(strategy: SearchStrategy) -> &'static str {
    match strategy {
        SearchStrategy::Vector => "vector",
        SearchStrategy::Hybrid | SearchStrategy::Unspecified => "hybrid",
        SearchStrategy::Keyword => "keyword",
    }
}

fn medians(rounds: Vec<Rate>) -> Rate {
    let of = |value: fn(&Rate) -> f64| median(rounds.iter().map(value).collect());
    Rate {
        requests_per_second: of(|rate| rate.requests_per_second),
        p50_ms: of(|rate| rate.p50_ms),
        p99_ms: of(|rate| rate.p99_ms),
    }
}

/// Two or three words of titles, as shoppers would type them.
fn queries(products: u64, vectors: &[String]) -> Vec<Query> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut queries = Vec::new();
    for number in 0..QUERIES {
        let product = sample::product(random.u64(1..=products), sample::SEED_DEFAULT);
        let words: Vec<&str> = product.title.split_whitespace().collect();
        let count = random.usize(2..=3).min(words.len());
        let start = random.usize(0..=words.len() - count);
        queries.push(Query {
            text: words[start..start + count].join(" "),
            vector: vectors.get(number as usize % vectors.len().max(1)).cloned(),
        });
    }
    queries
}

/// The products, and the vectors as far as there are any; gives some of the vectors back.
async fn fill_sql(cluster: &Cluster, url: &str, products: u64) -> anyhow::Result<Vec<String>> {
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

const KEYWORD: &str =
    "SELECT search.id, product::text FROM search, plainto_tsquery('english', $1) AS q
     WHERE words @@ q ORDER BY ts_rank_cd(words, q) DESC, search.id LIMIT 20";
const VECTOR: &str = "SELECT id, product::text FROM search
     ORDER BY embedding <=> $1::halfvec(384) LIMIT 20";
const HYBRID: &str = "WITH keyword AS (
         SELECT search.id, row_number() OVER (ORDER BY ts_rank_cd(words, q) DESC, search.id) AS rank
         FROM search, plainto_tsquery('english', $1) AS q
         WHERE words @@ q ORDER BY rank LIMIT 200
     ), nearest AS (
         SELECT id, embedding <=> $2::halfvec(384) AS distance FROM search
         ORDER BY embedding <=> $2::halfvec(384) LIMIT 200
     ), vector AS (
         SELECT id, row_number() OVER (ORDER BY distance, id) AS rank FROM nearest
     ), fused AS (
         SELECT id, coalesce(1.0 / (60 + keyword.rank), 0) + coalesce(0.5 / (60 + vector.rank), 0)
             AS score
         FROM keyword FULL JOIN vector USING (id)
         ORDER BY score DESC, id LIMIT 20
     )
     SELECT id, product::text FROM fused JOIN search USING (id) ORDER BY score DESC, id";

impl Searches {
    fn next(&self) -> &Query {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        &self.queries[number % self.queries.len()]
    }

    async fn ours(
        self: &Arc<Self>,
        strategy: SearchStrategy,
        clients: usize,
        length: Duration,
    ) -> anyhow::Result<Rate> {
        let channel = channel(&self.cluster_query);
        let mut tasks = JoinSet::new();
        let started = Instant::now();
        for _ in 0..clients {
            let (searches, channel) = (Arc::clone(self), channel.clone());
            tasks.spawn(async move {
                let mut client = CatalogServiceClient::new(channel);
                let mut millis = Vec::new();
                while started.elapsed() < length {
                    let request = SearchProductsRequest {
                        query: searches.next().text.clone(),
                        limit: LIMIT,
                        strategy: strategy.into(),
                        ..SearchProductsRequest::default()
                    };
                    let asked = Instant::now();
                    client.search_products(request).await?;
                    millis.push(asked.elapsed().as_secs_f64() * 1_000.0);
                }
                anyhow::Ok(millis)
            });
        }
        rate(tasks, started).await
    }

    async fn sql(
        self: &Arc<Self>,
        strategy: SearchStrategy,
        clients: usize,
        length: Duration,
    ) -> anyhow::Result<Rate> {
        let mut connections = Vec::new();
        for _ in 0..clients {
            let mut db = PgConnection::connect(&self.sql_url).await?;
            // As many candidates as the statement asks for.
            sqlx::raw_sql("SET hnsw.ef_search = 200")
                .execute(&mut db)
                .await?;
            connections.push(db);
        }
        let mut tasks = JoinSet::new();
        let started = Instant::now();
        for mut db in connections {
            let searches = Arc::clone(self);
            tasks.spawn(async move {
                let mut millis = Vec::new();
                while started.elapsed() < length {
                    let Query { text, vector } = searches.next();
                    let asked = Instant::now();
                    let statement = match strategy {
                        SearchStrategy::Vector => sqlx::query(VECTOR).bind(vector),
                        SearchStrategy::Keyword => sqlx::query(KEYWORD).bind(text),
                        SearchStrategy::Hybrid | SearchStrategy::Unspecified => {
                            sqlx::query(HYBRID).bind(text).bind(vector)
                        }
                    };
                    statement.fetch_all(&mut db).await?;
                    millis.push(asked.elapsed().as_secs_f64() * 1_000.0);
                }
                anyhow::Ok(millis)
            });
        }
        rate(tasks, started).await
    }
}

async fn rate(
    mut tasks: JoinSet<anyhow::Result<Vec<f64>>>,
    started: Instant,
) -> anyhow::Result<Rate> {
    let mut millis = Vec::new();
    while let Some(done) = tasks.join_next().await {
        millis.extend(done??);
    }
    let seconds = started.elapsed().as_secs_f64();
    millis.sort_by(f64::total_cmp);
    Ok(Rate {
        requests_per_second: millis.len() as f64 / seconds,
        p50_ms: percentile(&millis, 0.50),
        p99_ms: percentile(&millis, 0.99),
    })
}
