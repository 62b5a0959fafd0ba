//! Follows the vectors of a real Postgres.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use devkit::Devkit;
use pgvector::HalfVector;
use sqlx::PgPool;

use super::*;
use crate::read_model::begun;
use crate::read_model::vectors::EMBEDDING_DIMENSIONS;
use crate::read_model::vectors::vector_hash::vector_hash;

/// A read model whose rows a test writes, and its follower.
struct Setup {
    /// Keeps the database.
    _devkit: Devkit,
    pool: PgPool,
    generation: i64,
    follower: VectorFollower,
    followed: Followed,
}

impl Setup {
    async fn new(vectors_max: u64) -> Self {
        let devkit = Devkit::throwaway().await.expect("devkit");
        let read_model = begun(&devkit).await;
        Self {
            _devkit: devkit,
            pool: read_model.pool.clone(),
            generation: read_model.generation,
            followed: Followed::nothing_of(0),
            follower: VectorFollower {
                live: Arc::new(ArcSwap::from_pointee(read_model)),
                model: "test".to_owned(),
                memory: Arc::default(),
                vectors_max,
            },
        }
    }

    /// Writes a document whose text is `text`; of a deleted product where it is None.
    async fn document(&self, id: &str, position: i64, text: Option<u8>) {
        sqlx::query(
            "INSERT INTO documents (product_id, version, position, text_hash)
             VALUES ($1, $2, $2, $3)
             ON CONFLICT (product_id) DO UPDATE
             SET version = excluded.version, position = excluded.position,
                 text_hash = excluded.text_hash",
        )
        .bind(id)
        .bind(position)
        .bind(text.map(|text| vec![text; 16]))
        .execute(&self.pool)
        .await
        .expect("document");
        let count = "UPDATE checkpoint SET documents = (SELECT count(text_hash) FROM documents)";
        sqlx::query(count).execute(&self.pool).await.expect("count");
        if text.is_none() {
            let delete = sqlx::query("DELETE FROM embeddings WHERE product_id = $1").bind(id);
            delete.execute(&self.pool).await.expect("delete");
        }
    }

    /// Writes the vector of `text`: the axis of that number.
    async fn embedding(&self, id: &str, text: u8) {
        let vector = HalfVector::from_f32_slice(&axis(text));
        sqlx::query(
            "INSERT INTO embeddings (product_id, text_hash, embedding, vector_hash)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (product_id) DO UPDATE
             SET text_hash = excluded.text_hash, embedding = excluded.embedding,
                 vector_hash = excluded.vector_hash",
        )
        .bind(id)
        .bind(vec![text; 16])
        .bind(&vector)
        .bind(vector_hash(id, &[text; 16], vector.as_slice()).to_vec())
        .execute(&self.pool)
        .await
        .expect("embedding");
    }

    async fn pass(&mut self) {
        self.follower.pass(&mut self.followed).await.expect("pass");
    }

    /// The products nearest to the vector of a text, those at a right angle aside.
    fn near(&self, text: u8) -> BTreeSet<String> {
        let hits = self.follower.memory.nearest(&axis(text), 10);
        let near = hits.expect("all vectors are in memory").into_iter();
        let near = near.filter(|hit| hit.score > 0.5);
        near.map(|hit| hit.product_id.to_string()).collect()
    }

    fn current(&self) -> Option<u64> {
        self.follower.memory.current()
    }

    async fn differing(&self) -> Vec<String> {
        let live = self.follower.live.load_full();
        let differing = self.follower.memory.differing(&live).await;
        let ids = differing.expect("compare").into_iter();
        ids.map(|id| id.to_string()).collect()
    }
}

fn axis(text: u8) -> Vec<f32> {
    let mut vector = vec![0.0; EMBEDDING_DIMENSIONS];
    vector[usize::from(text)] = 1.0;
    vector
}

fn ids<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_what_is_embedded_changed_and_deleted() {
    let mut setup = Setup::new(1_000).await;
    assert!(setup.current().is_none(), "nothing before the first pass");
    for (id, position) in [("a", 1), ("b", 2), ("c", 3)] {
        setup.document(id, position, Some(7)).await;
    }
    setup.embedding("a", 7).await;
    setup.pass().await;
    assert!(setup.follower.memory.has_all_of(setup.generation));
    assert_eq!((setup.near(7), setup.current()), (ids(["a"]), Some(1)));
    let asked = ["a", "b"].map(|id| id.parse().expect("an id"));
    let without = setup.follower.memory.without_vector(&asked).expect("known");
    assert_eq!(without, [asked[1].clone()].into());

    // The vectors come later than their documents, and not in their order.
    setup.embedding("c", 7).await;
    setup.pass().await;
    assert_eq!(setup.near(7), ids(["a", "c"]));
    setup.embedding("b", 7).await;
    setup.pass().await;
    assert_eq!(setup.near(7), ids(["a", "b", "c"]));

    // Another text: the vector of the old one answers until the new one is there.
    setup.document("a", 4, Some(9)).await;
    setup.document("b", 5, None).await;
    setup.pass().await;
    assert_eq!((setup.near(7), setup.current()), (ids(["a", "c"]), Some(1)));
    setup.embedding("a", 9).await;
    setup.pass().await;
    assert_eq!((setup.near(7), setup.near(9)), (ids(["c"]), ids(["a"])));

    // A product takes the row of one that has gone.
    setup.document("d", 6, Some(8)).await;
    setup.embedding("d", 8).await;
    setup.pass().await;
    assert_eq!((setup.near(8), setup.current()), (ids(["d"]), Some(3)));
    assert!(setup.differing().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_what_changed_behind_it_and_what_memory_lost() {
    let mut setup = Setup::new(1_000).await;
    for (id, position) in [("a", 1), ("b", 2), ("c", 3)] {
        setup.document(id, position, Some(7)).await;
        setup.embedding(id, 7).await;
    }
    setup.pass().await;
    assert!(setup.differing().await.is_empty());

    // A repair sets a vector and leaves the position; another one is deleted by hand.
    setup.embedding("a", 9).await;
    let delete = sqlx::query("DELETE FROM embeddings WHERE product_id = 'b'");
    delete.execute(&setup.pool).await.expect("delete");
    setup.pass().await;
    assert_eq!(
        ids(["a", "b"]),
        setup.differing().await.into_iter().collect()
    );
    setup.followed.compare_every = Duration::ZERO;
    setup.pass().await;
    assert_eq!((setup.near(9), setup.near(7)), (ids(["a"]), ids(["c"])));

    // A bit of memory flips: only all bits tell it, and reading the product again mends it.
    let c: ProductId = "c".parse().expect("an id");
    setup
        .follower
        .memory
        .change(|table| table.flip_a_bit_of(&c));
    assert_eq!(setup.differing().await, ["c"]);
    let live = setup.follower.live.load_full();
    assert!(
        setup
            .follower
            .memory
            .outdated(&live)
            .await
            .expect("compare")
            .is_empty()
    );
    setup.follower.read(&live, &[c]).await.expect("read");
    assert!(setup.differing().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_is_too_large_is_left_to_postgres() {
    let mut setup = Setup::new(10).await;
    for number in 1..=11 {
        let id = format!("p{number}");
        setup.document(&id, number, Some(7)).await;
        setup.embedding(&id, 7).await;
    }
    setup.pass().await;
    assert!(!setup.follower.memory.has_all_of(setup.generation));
    // One fewer is not yet small enough: vectors that come and go would be read again and again.
    for (number, is_small) in [(1, false), (2, true)] {
        setup
            .document(&format!("p{number}"), 20 + number, None)
            .await;
        setup.pass().await;
        assert_eq!(
            setup.follower.memory.has_all_of(setup.generation),
            is_small,
            "{number}"
        );
    }
    assert_eq!(setup.current(), Some(9));
    setup.document("p1", 30, Some(8)).await;
    setup.document("p2", 31, Some(8)).await;
    setup.pass().await;
    assert!(setup.current().is_none(), "too large again");
}
