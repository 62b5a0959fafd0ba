//! Measures searches by keyword, by vector and by both, against one SQL statement over the same
//! products in the same Postgres: full text (`tsvector`, GIN), pgvector (HNSW over the same
//! vectors), and their reciprocal rank fusion. The SQL side gets the vector of a query for free,
//! and answers twice: once as Postgres does it best, with all words and no totals, and once as we
//! answer, with any word and how many products match.

pub(super) mod mixed_vectors;
mod sql;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::filter::Kind as FilterKind;
use catalog_proto::v1::{FacetRequest, Filter, SearchProductsRequest, SearchStrategy, TermsFilter};
use client_kit::sample;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::bench::statistics::{median, percentile};
use crate::cluster::{Cluster, channel};

const CLIENTS: [usize; 2] = [1, 32];
const QUERIES: u64 = 500;
const LIMIT: i32 = 20;
const FACET_SIZE: i32 = 20;

/// The figures of one kind of search with a number of clients.
#[derive(Debug, Serialize)]
pub(super) struct SearchFigures {
    pub(super) strategy: &'static str,
    pub(super) clients: usize,
    pub(super) products: u64,
    pub(super) ours: Rate,
    /// The SQL side with all words of the query.
    pub(super) sql: Rate,
    /// The SQL side with any word of the query and the number of matches; none where that is the
    /// same statement.
    pub(super) sql_any: Option<Rate>,
}

/// How long one side is asked: until the time is up or this many queries are answered.
#[derive(Clone, Copy)]
struct Span {
    length: Duration,
    queries_max: usize,
}

/// The warm-up asks every query once, so that what is measured afterwards finds its data in memory.
const WARM_UP: Span = Span {
    length: Duration::from_secs(30),
    queries_max: QUERIES as usize,
};

/// Rate and response times, as medians over the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Rate {
    pub(super) requests_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// A query, and a vector that represents it on the SQL side.
struct Query {
    text: String,
    brand: String,
    vector: String,
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
    let vectors = sql::fill(cluster, &sql_url, products).await?;
    let searches = Arc::new(Searches {
        cluster_query: cluster.query_grpc(),
        sql_url,
        queries: queries(products, &vectors),
        next: AtomicUsize::new(0),
    });
    let mut figures = Vec::new();
    let span = Span {
        length: Duration::from_secs(seconds),
        queries_max: usize::MAX,
    };
    for kind in Searched::ALL {
        for clients in CLIENTS {
            searches.warm_up(kind, clients).await?;
            let (ours, sql, sql_any) = searches.compare(kind, clients, rounds, span).await?;
            figures.push(SearchFigures {
                strategy: kind.name(),
                clients,
                products,
                ours,
                sql,
                sql_any,
            });
        }
    }
    Ok(figures)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Searched {
    Keyword,
    Vector,
    Hybrid,
    /// A keyword search within one brand.
    Filtered,
    /// A keyword search with the number of products of each brand.
    Faceted,
}

impl Searched {
    const ALL: [Self; 5] = [
        Self::Keyword,
        Self::Vector,
        Self::Hybrid,
        Self::Filtered,
        Self::Faceted,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Vector => "vector",
            Self::Hybrid => "hybrid",
            Self::Filtered => "filtered keyword",
            Self::Faceted => "faceted keyword",
        }
    }

    fn all_words(self) -> &'static str {
        match self {
            Self::Keyword => sql::KEYWORD,
            Self::Vector => sql::VECTOR,
            Self::Hybrid => sql::HYBRID,
            Self::Filtered => sql::FILTERED,
            Self::Faceted => sql::FACETED,
        }
    }

    fn any_word(self) -> Option<&'static str> {
        match self {
            Self::Keyword => Some(sql::KEYWORD_ANY),
            Self::Vector => None,
            Self::Hybrid => Some(sql::HYBRID_ANY),
            Self::Filtered => Some(sql::FILTERED_ANY),
            Self::Faceted => Some(sql::FACETED_ANY),
        }
    }

    fn request(self, query: &Query) -> SearchProductsRequest {
        let strategy = match self {
            Self::Vector => SearchStrategy::Vector,
            Self::Hybrid => SearchStrategy::Hybrid,
            Self::Keyword | Self::Filtered | Self::Faceted => SearchStrategy::Keyword,
        };
        let filter = (self == Self::Filtered).then(|| TermsFilter {
            field: "brand".to_owned(),
            values: vec![query.brand.clone()],
        });
        let facet = (self == Self::Faceted).then(|| FacetRequest {
            field: "brand".to_owned(),
            size: FACET_SIZE,
            ..FacetRequest::default()
        });
        SearchProductsRequest {
            query: query.text.clone(),
            limit: LIMIT,
            strategy: strategy.into(),
            filter: filter.map(|terms| Filter {
                kind: Some(FilterKind::Terms(terms)),
            }),
            facets: facet.into_iter().collect(),
            untracked: true,
            ..SearchProductsRequest::default()
        }
    }
}

/// A hybrid search by one client takes this many milliseconds more than a search by the slower one of
/// its two legs.
pub(super) fn beyond_slowest_leg_ms(figures: &[SearchFigures]) -> Option<f64> {
    let p50 = |kind: Searched| {
        let mut figures = figures.iter();
        let found = figures.find(|one| one.strategy == kind.name() && one.clients == 1);
        found.map(|one| one.ours.p50_ms)
    };
    let slowest = p50(Searched::Keyword)?.max(p50(Searched::Vector)?);
    Some(p50(Searched::Hybrid)? - slowest)
}

fn medians(rounds: Vec<Rate>) -> Rate {
    let of = |value: fn(&Rate) -> f64| median(rounds.iter().map(value).collect());
    Rate {
        requests_per_second: of(|rate| rate.requests_per_second),
        p50_ms: of(|rate| rate.p50_ms),
        p99_ms: of(|rate| rate.p99_ms),
    }
}

/// Makes queries of two or three words of titles, as shoppers would type them.
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
            brand: product.brand.clone(),
            vector: vectors[number as usize % vectors.len()].clone(),
        });
    }
    queries
}

impl Searches {
    /// Both sides answer the queries before the clock starts: the same ones are asked again and
    /// again, and what they need is in memory.
    async fn warm_up(self: &Arc<Self>, kind: Searched, clients: usize) -> anyhow::Result<()> {
        self.ours(kind, clients, WARM_UP).await?;
        let statements = [Some(kind.all_words()), kind.any_word()];
        for statement in statements.into_iter().flatten() {
            self.sql(kind, statement, clients, WARM_UP).await?;
        }
        Ok(())
    }

    /// Asks both sides in turn and returns the medians: ours, SQL with all words, SQL with any.
    async fn compare(
        self: &Arc<Self>,
        kind: Searched,
        clients: usize,
        rounds: usize,
        span: Span,
    ) -> anyhow::Result<(Rate, Rate, Option<Rate>)> {
        let (mut ours, mut sql, mut sql_any) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=rounds {
            eprintln!(
                "searches: {}, {clients} clients, round {round} of {rounds}",
                kind.name()
            );
            ours.push(self.ours(kind, clients, span).await?);
            sql.push(self.sql(kind, kind.all_words(), clients, span).await?);
            if let Some(any_word) = kind.any_word() {
                sql_any.push(self.sql(kind, any_word, clients, span).await?);
            }
        }
        let any_word = (!sql_any.is_empty()).then(|| medians(sql_any));
        Ok((medians(ours), medians(sql), any_word))
    }

    /// The number of the first query after a span that begins now.
    fn end(&self, span: Span) -> usize {
        let next = self.next.load(Ordering::Relaxed);
        next.saturating_add(span.queries_max)
    }

    fn next(&self, end: usize) -> Option<&Query> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < end).then(|| &self.queries[number % self.queries.len()])
    }

    async fn ours(
        self: &Arc<Self>,
        kind: Searched,
        clients: usize,
        span: Span,
    ) -> anyhow::Result<Rate> {
        let channel = channel(&self.cluster_query);
        let mut tasks = JoinSet::new();
        let (started, end) = (Instant::now(), self.end(span));
        for _ in 0..clients {
            let (searches, channel) = (Arc::clone(self), channel.clone());
            tasks.spawn(async move {
                let mut client = CatalogServiceClient::new(channel);
                let mut millis = Vec::new();
                while started.elapsed() < span.length
                    && let Some(query) = searches.next(end)
                {
                    let request = kind.request(query);
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
        kind: Searched,
        statement: &'static str,
        clients: usize,
        span: Span,
    ) -> anyhow::Result<Rate> {
        let mut connections = Vec::new();
        for _ in 0..clients {
            let mut db = PgConnection::connect(&self.sql_url).await?;
            // This is how many candidates the query service examines: fewer would find fewer of the
            // nearest.
            sqlx::raw_sql("SET hnsw.ef_search = 400")
                .execute(&mut db)
                .await?;
            connections.push(db);
        }
        let mut tasks = JoinSet::new();
        let (started, end) = (Instant::now(), self.end(span));
        for mut db in connections {
            let searches = Arc::clone(self);
            tasks.spawn(async move {
                let mut millis = Vec::new();
                while started.elapsed() < span.length
                    && let Some(query) = searches.next(end)
                {
                    let Query {
                        text,
                        brand,
                        vector,
                    } = query;
                    let asked = Instant::now();
                    let prepared = sqlx::query(statement);
                    let bound = match kind {
                        Searched::Keyword | Searched::Faceted => prepared.bind(text),
                        Searched::Vector => prepared.bind(vector),
                        Searched::Hybrid => prepared.bind(text).bind(vector),
                        Searched::Filtered => prepared.bind(text).bind(brand),
                    };
                    bound.fetch_all(&mut db).await?;
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
