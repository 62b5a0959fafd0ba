//! Compares filtered nearest neighbours, in a real Postgres and in memory, with those among all vectors.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog_events::{AttributeValue, Position};
use devkit::Devkit;
use half::f16;
use pgvector::HalfVector;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::index::tests::support::{changed, open, product};
use crate::index::{FieldName, Filter, Hit};
use crate::read_model::{
    LiveReadModel, PgVectorIndex, ReplicaVectors, VectorFollower, VectorMemory, begun,
};
use crate::search::deadline::Deadline;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::similarity_floor::SimilarityFloors;
use crate::search::strategy::vector::{VectorSearch, Warnings};

const PRODUCTS: usize = 20_000;
const DIMENSIONS: usize = 384;
const CLUSTERS: usize = 300;
const QUERIES: usize = 12;
const NEAREST: usize = 10;

fn in_time() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_the_nearest_that_pass_however_few_pass() {
    let vectors = Vectors::random();
    let devkit = Devkit::throwaway().await.expect("devkit");
    let read_model = begun(&devkit).await;
    let pool = read_model.pool.clone();
    vectors.save(&pool).await;
    check_walks_the_index(&pool).await;

    let folder = tempfile::tempdir().expect("folder");
    let live = Arc::new(ArcSwap::from_pointee(read_model));
    let mut search = search_in(folder.path(), &live);
    check_filtered(&search, &vectors, true).await;

    search.vectors = Arc::new(in_memory(&live).await);
    assert!(search.vectors.in_memory().is_some());
    check_filtered(&search, &vectors, false).await;
    check_compares_all(&search, &vectors).await;

    search.vectors = Arc::new(in_postgres(&live));
    check_goes_on_behind_what_was_replaced(&search, &pool, &vectors.query(0)).await;
}

/// Checks that the nearest are found however few pass. In Postgres, a walk of the index is tried too.
async fn check_filtered(search: &VectorSearch, vectors: &Vectors, in_postgres: bool) {
    // How many of 1,000 products pass, and whether there are enough of them to walk the index.
    for (passing, walks) in [
        (1, false),
        (10, false),
        (100, true),
        (500, true),
        (999, true),
    ] {
        let recall = recall(search, vectors, passing, walks && in_postgres).await;
        assert!(recall >= 0.98, "{passing} of 1,000 pass: {recall}");
    }
    let scope = scope_of(search, less_than("number", 7)).await;
    let hits = search.nearest(&vectors.query(0), NEAREST, &scope).await;
    assert_eq!(hits.expect("search").hits.len(), 7, "all that there are");
}

/// Checks that without a filter nothing is missed in memory.
async fn check_compares_all(search: &VectorSearch, vectors: &Vectors) {
    let everything = Scope::of(&search.executor, None, in_time()).await;
    let everything = everything.expect("scope");
    for number in 0..QUERIES {
        let query = vectors.query(number);
        let near = search.nearest(&query, NEAREST, &everything).await;
        let expected = vectors.nearest(&query, |_| true);
        let found = check(&near.expect("search").hits, &expected, |_| true);
        assert_eq!(found, NEAREST, "query {number}");
    }
}

/// A search in the vectors of a read model, with a keyword index of all products in `folder`.
fn search_in(folder: &Path, live: &LiveReadModel) -> VectorSearch {
    let (index, mut writer) = open(folder);
    let events: Vec<_> = (0..PRODUCTS).zip(1..).map(event).collect();
    writer.apply(&events).expect("apply");
    writer.commit(Position(PRODUCTS as u64)).expect("commit");
    let current = Arc::new(ArcSwap::from_pointee(index));
    VectorSearch {
        embedder: None,
        vectors: Arc::new(in_postgres(live)),
        executor: Arc::new(SearchExecutor::new(current)),
        warnings: Warnings::default(),
        floors: SimilarityFloors::default(),
    }
}

fn in_postgres(live: &LiveReadModel) -> PgVectorIndex {
    PgVectorIndex {
        live: Arc::clone(live),
        model: "test".to_owned(),
    }
}

/// The vectors in memory, as soon as all of them are there.
async fn in_memory(live: &LiveReadModel) -> ReplicaVectors {
    let memory = Arc::<VectorMemory>::default();
    let follower = VectorFollower {
        live: Arc::clone(live),
        model: "test".to_owned(),
        memory: Arc::clone(&memory),
        vectors_max: PRODUCTS as u64,
    };
    let stop = CancellationToken::new();
    let following = tokio::spawn(follower.run(stop.clone()));
    while memory.current().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    following.await.expect("task").expect("follower");
    assert_eq!(memory.current(), Some(PRODUCTS as u64));
    ReplicaVectors {
        memory,
        postgres: in_postgres(live),
    }
}

async fn scope_of(search: &VectorSearch, filter: Filter) -> Scope {
    Scope::of(&search.executor, Some(filter), in_time())
        .await
        .expect("scope")
}

/// The share of the nearest products that are found where `passing` of 1,000 pass. With `walks`, a
/// walk of the index is tried too.
async fn recall(search: &VectorSearch, vectors: &Vectors, passing: usize, walks: bool) -> f64 {
    let within = |number: usize| number % 1_000 < passing;
    let scope = scope_of(search, less_than("thousand", passing)).await;
    let mut found = 0;
    for number in 0..QUERIES {
        let query = vectors.query(number);
        let expected = vectors.nearest(&query, within);
        let near = search
            .nearest(&query, NEAREST, &scope)
            .await
            .expect("search");
        found += check(&near.hits, &expected, within);
        if walks {
            let hits = search.walk(&query, NEAREST, &scope).await.expect("walk");
            found += check(&hits, &expected, within);
        }
    }
    let asked = QUERIES * NEAREST * (1 + usize::from(walks));
    found as f64 / asked as f64
}

/// Deleted vectors stay in the index until it is vacuumed, and a search goes on behind them.
async fn check_goes_on_behind_what_was_replaced(
    search: &VectorSearch,
    pool: &PgPool,
    query: &[f32],
) {
    let nearest = async |limit| search.vectors.nearest(query, limit).await.expect("search");
    let replaced: Vec<String> = nearest(400)
        .await
        .iter()
        .map(|hit| hit.product_id.to_string())
        .collect();
    sqlx::query("DELETE FROM embeddings WHERE product_id = ANY($1)")
        .bind(&replaced)
        .execute(pool)
        .await
        .expect("delete");
    let found = nearest(200).await;
    assert_eq!(found.len(), 200, "never short");
    assert!(
        found
            .iter()
            .all(|hit| !replaced.contains(&hit.product_id.to_string()))
    );
}

/// Checks hits, and returns how many of them are expected.
fn check(hits: &[Hit], expected: &HashSet<usize>, within: impl Fn(usize) -> bool) -> usize {
    assert_eq!(hits.len(), NEAREST, "never short");
    assert!(
        hits.is_sorted_by(|a, b| a.score >= b.score),
        "nearest first"
    );
    let numbers: HashSet<usize> = hits
        .iter()
        .map(|hit| hit.product_id.as_str()[1..].parse().expect("number"))
        .collect();
    assert!(numbers.iter().all(|number| within(*number)), "all pass");
    assert_eq!(numbers.len(), NEAREST, "each once");
    numbers.intersection(expected).count()
}

fn less_than(attribute: &str, end: usize) -> Filter {
    Filter::Range {
        field: FieldName::Attribute(attribute.to_owned()),
        min: 0.0,
        max: end as f64 - 0.5,
    }
}

fn event((number, position): (usize, u64)) -> catalog_events::ProductEvent {
    let mut product = product(&format!("p{number}"), "thing");
    let numbers = [("thousand", number % 1_000), ("number", number)];
    product.attributes = numbers
        .map(|(name, number)| (name.to_owned(), AttributeValue::from(number as f64)))
        .into();
    changed(position, 1, product)
}

/// Checks that Postgres uses the index of the vectors: otherwise the test would show nothing about
/// it.
async fn check_walks_the_index(pool: &PgPool) {
    let mut tx = pool.begin().await.expect("transaction");
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN DECLARE near NO SCROLL CURSOR FOR
         SELECT product_id FROM embeddings
         ORDER BY embedding <=> (SELECT embedding FROM embeddings LIMIT 1)",
    )
    .fetch_all(&mut *tx)
    .await
    .expect("plan");
    assert!(plan.join("\n").contains("embeddings_nearest"), "{plan:#?}");
}

/// Vectors in clusters, as those of products of a kind are.
struct Vectors(Vec<Vec<f32>>);

impl Vectors {
    fn random() -> Self {
        let mut random = uniform(20_260_103);
        let centres: Vec<Vec<f32>> = (0..CLUSTERS).map(|_| vector(&mut random)).collect();
        let near = |number: usize| {
            let noise = vector(&mut random);
            let near = centres[number * 7 % CLUSTERS].iter().zip(noise);
            // Rounded as Postgres stores them.
            near.map(|(centre, noise)| f16::from_f32(centre + noise * 0.6).to_f32())
                .collect()
        };
        Self((0..PRODUCTS).map(near).collect())
    }

    fn query(&self, number: usize) -> Vec<f32> {
        let (a, b) = (&self.0[number * 1_009], &self.0[number * 1_009 + CLUSTERS]);
        let between = a.iter().zip(b).map(|(a, b)| (a + b) / 2.0);
        between.map(|x| f16::from_f32(x).to_f32()).collect()
    }

    fn nearest(&self, query: &[f32], within: impl Fn(usize) -> bool) -> HashSet<usize> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let numbers = (0..PRODUCTS).filter(|number| within(*number));
        let mut near: Vec<(f32, usize)> = numbers
            .map(|number| {
                let vector = &self.0[number];
                (dot(query, vector) / dot(vector, vector).sqrt(), number)
            })
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter()
            .take(NEAREST)
            .map(|(_, number)| number)
            .collect()
    }

    /// Saves the vectors. The index is made after the rows, which is several times quicker.
    async fn save(&self, pool: &PgPool) {
        let run = |sql: &'static str| sqlx::query(sql).execute(pool);
        run("DROP INDEX embeddings_nearest").await.expect("drop");
        for (batch, begin) in self.0.chunks(1_000).zip((0..).step_by(1_000)) {
            let ids: Vec<String> = (begin..begin + batch.len())
                .map(|n| format!("p{n}"))
                .collect();
            let vectors: Vec<HalfVector> = batch
                .iter()
                .map(|vector| HalfVector::from_f32_slice(vector))
                .collect();
            sqlx::query(
                "INSERT INTO embeddings (product_id, text_hash, embedding, vector_hash)
                 SELECT id, '', embedding, decode(repeat('00', 16), 'hex')
                 FROM unnest($1::text[], $2::halfvec[]) AS new (id, embedding)",
            )
            .bind(&ids)
            .bind(&vectors)
            .execute(pool)
            .await
            .expect("insert");
        }
        run(
            "INSERT INTO documents (product_id, version, position, text_hash)
             SELECT product_id, 1, row_number() OVER (), text_hash FROM embeddings",
        )
        .await
        .expect("documents");
        run("CREATE INDEX embeddings_nearest ON embeddings
             USING hnsw (embedding halfvec_cosine_ops)")
        .await
        .expect("index");
        run("ANALYZE embeddings").await.expect("analyze");
    }
}

fn vector(random: &mut impl FnMut() -> f32) -> Vec<f32> {
    (0..DIMENSIONS).map(|_| random()).collect()
}

/// Random numbers between -1 and 1, by SplitMix64.
fn uniform(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}
