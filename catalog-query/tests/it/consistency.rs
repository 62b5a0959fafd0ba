//! Reads that carry the tokens of earlier writes are not older than those, or they are marked.

use std::process::Command;

use catalog_proto::v1::{self, SearchStrategy};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};
use tonic::{Code, Status};

use crate::harness::{Replica, World, eventually, folder, ids};

const LONG_MS: i32 = 2_000;

/// Reads by id; returns the title, if there is one, and whether the answer says that it is stale.
async fn get(replica: &Replica, id: &str, token: String, wait_ms: i32) -> (Option<String>, bool) {
    let request = v1::GetProductRequest {
        id: id.to_owned(),
        consistency_tokens: vec![token],
        consistency_wait_ms: wait_ms,
    };
    match replica.catalog.clone().get_product(request).await {
        Ok(answer) => {
            let stale = answer.metadata().get("catalog-stale").is_some();
            (Some(answer.into_inner().title), stale)
        }
        Err(status) => {
            assert_eq!(status.code(), Code::NotFound, "{status}");
            (None, status.metadata().get("catalog-stale").is_some())
        }
    }
}

async fn batch(replica: &Replica, id: &str, token: String) -> v1::BatchGetProductsResponse {
    let request = v1::BatchGetProductsRequest {
        ids: vec![id.to_owned()],
        consistency_tokens: vec![token],
        consistency_wait_ms: LONG_MS,
    };
    let answer = replica.catalog.clone().batch_get_products(request).await;
    answer.expect("batch").into_inner()
}

async fn search(
    replica: &Replica,
    query: &str,
    token: String,
    wait_ms: i32,
) -> v1::SearchProductsResponse {
    let request = v1::SearchProductsRequest {
        query: query.to_owned(),
        strategy: SearchStrategy::Keyword.into(),
        consistency_tokens: vec![token],
        consistency_wait_ms: wait_ms,
        ..Default::default()
    };
    let answer = replica.catalog.clone().search_products(request).await;
    answer.expect("search").into_inner()
}

/// Keeps everybody from applying documents until the transaction ends.
async fn hold_documents(world: &World, generation: i64) -> Transaction<'static, Postgres> {
    let mut tx = world.pool.begin().await.expect("begin");
    let lock = format!("SELECT 1 FROM generation_{generation}.checkpoint FOR UPDATE");
    let db: &mut PgConnection = &mut tx;
    sqlx::query(AssertSqlSafe(lock))
        .execute(db)
        .await
        .expect("lock");
    tx
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_sees_the_write_on_every_replica_whatever_is_cached() {
    let mut world = World::without_model().await;
    let (one, two) = (folder(), folder());
    // One of them applies the documents; the other one hears of them later.
    let replicas = [world.replica(&one).await, world.replica(&two).await];
    for round in 0..30 {
        let title = format!("lamp{round}");
        world.put("p", &title).await;
        let token = world.token("p");
        for replica in &replicas {
            let read = get(replica, "p", token.clone(), LONG_MS).await;
            assert_eq!(read, (Some(title.clone()), false));
            let read = batch(replica, "p", token.clone()).await;
            assert_eq!((&read.products[0].title, read.stale), (&title, false));
        }
        let found = search(&replicas[round % 2], &title, token, LONG_MS).await;
        assert_eq!((ids(&found.products), found.stale), (vec!["p"], false));
        assert_eq!(found.products[0].title, title);
    }
    world.delete("p").await;
    for replica in &replicas {
        let read = get(replica, "p", world.token("p"), LONG_MS).await;
        assert_eq!(read, (None, false));
        let found = search(replica, "lamp29", world.token("p"), LONG_MS).await;
        assert_eq!((found.products.len(), found.stale), (0, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_too_early_says_so_and_a_later_one_is_fresh() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("old", "Gaming mouse").await;
    let mut replica = world.replica(&folder).await;
    let generation = replica.caught_up(&world).await.generation;

    let held = hold_documents(&world, generation).await;
    world.put("old", "Coffee cup").await;
    world.put("new", "Desk lamp").await;
    let read = get(&replica, "old", world.token("old"), 50).await;
    assert_eq!(read, (Some("Gaming mouse".to_owned()), true));
    let read = get(&replica, "new", world.token("new"), 50).await;
    assert_eq!(read, (None, true));
    // A token of another product counts as well.
    let read = get(&replica, "old", world.token("new"), 50).await;
    assert_eq!(read, (Some("Gaming mouse".to_owned()), true));
    assert!(batch(&replica, "new", world.token("new")).await.stale);
    assert!(search(&replica, "lamp", world.token("new"), 50).await.stale);
    // A read without a token does not wait and is not marked.
    replica.get("old").await.expect("served");

    // A read that waits is answered as soon as the documents are there.
    let (read, ()) = tokio::join!(get(&replica, "new", world.token("new"), LONG_MS), async {
        held.rollback().await.expect("release");
    });
    assert_eq!(read, (Some("Desk lamp".to_owned()), false));
    let read = get(&replica, "old", world.token("old"), LONG_MS).await;
    assert_eq!(read, (Some("Coffee cup".to_owned()), false));
    let found = search(&replica, "lamp", world.token("new"), LONG_MS).await;
    assert_eq!((ids(&found.products), found.stale), (vec!["new"], false));
}

/// Server processes that stand still until this is dropped.
struct Stopped(Vec<i32>);

impl Stopped {
    fn new(pids: Vec<i32>) -> Self {
        signal("-STOP", &pids);
        Self(pids)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(signal: &str, pids: &[i32]) {
    let pids = pids.iter().map(ToString::to_string);
    let sent = Command::new("kill").arg(signal).args(pids).status();
    assert!(sent.expect("kill").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_hangs_keeps_nobody_else_waiting() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("p", "Gaming mouse").await;
    let mut replica = world.replica(&folder).await;
    let generation = replica.caught_up(&world).await.generation;

    let mut locked = world.pool.begin().await.expect("begin");
    let lock = format!("LOCK TABLE generation_{generation}.documents IN ACCESS EXCLUSIVE MODE");
    sqlx::query(AssertSqlSafe(lock))
        .execute(&mut *locked)
        .await
        .expect("lock");
    world.put("first", "Coffee cup").await;
    let (token, mut catalog) = (world.token("first"), replica.catalog.clone());
    let first = tokio::spawn(async move {
        let request = v1::GetProductRequest {
            id: "first".to_owned(),
            consistency_tokens: vec![token],
            consistency_wait_ms: LONG_MS,
        };
        let _ = catalog.get_product(request).await;
    });
    // Whatever looks now waits for the lock, and then for ever.
    let looks = eventually("looked", async || {
        let looks: Vec<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'
               AND query LIKE 'SELECT product_id, version, position FROM documents%'",
        )
        .fetch_all(&world.pool)
        .await
        .expect("activity");
        (!looks.is_empty()).then_some(looks)
    });
    let _stopped = Stopped::new(looks.await);
    locked.rollback().await.expect("unlock");
    first.await.expect("answered");
    world.put("late", "Desk lamp").await;
    let read = get(&replica, "late", world.token("late"), LONG_MS).await;
    assert_eq!(read, (Some("Desk lamp".to_owned()), false));
}

/// How all reads refuse these consistency fields, each in the same way.
async fn refused(replica: &Replica, tokens: Vec<String>, wait_ms: i32) -> Status {
    let request = v1::GetProductRequest {
        id: "p".to_owned(),
        consistency_tokens: tokens.clone(),
        consistency_wait_ms: wait_ms,
    };
    let mut catalog = replica.catalog.clone();
    let status = catalog.get_product(request).await.expect_err("refused");
    let request = v1::BatchGetProductsRequest {
        consistency_tokens: tokens.clone(),
        consistency_wait_ms: wait_ms,
        ..Default::default()
    };
    let batch = catalog.batch_get_products(request).await;
    let request = v1::SearchProductsRequest {
        query: "mouse".to_owned(),
        consistency_tokens: tokens,
        consistency_wait_ms: wait_ms,
        ..Default::default()
    };
    let search = catalog.search_products(request).await;
    for same in [batch.expect_err("batch"), search.expect_err("search")] {
        assert_eq!(
            (same.code(), same.message()),
            (status.code(), status.message())
        );
    }
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_of_this_catalog_is_refused() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("p", "Gaming mouse").await;
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let good = world.token("p");
    let mut bytes = good.clone().into_bytes();
    bytes[3] ^= 1;
    let changed = String::from_utf8(bytes).expect("text");

    for (tokens, wait_ms, field, says) in [
        (
            vec![good.clone(), changed],
            0,
            "consistency_tokens",
            "entry 1",
        ),
        (
            vec!["rubbish".to_owned()],
            0,
            "consistency_tokens",
            "entry 0",
        ),
        (
            vec![good.clone(); 101],
            0,
            "consistency_tokens",
            "more than 100",
        ),
        (vec![good.clone()], -1, "consistency_wait_ms", "negative"),
    ] {
        let status = refused(&replica, tokens, wait_ms).await;
        assert_eq!(status.code(), Code::InvalidArgument);
        let violations = service_kit::violations(&status);
        assert_eq!(violations[0].0, field);
        assert!(violations[0].1.contains(says), "{violations:?}");
    }
    // A hundred are fine, and a wait beyond the most is cut.
    let request = v1::GetProductRequest {
        id: "p".to_owned(),
        consistency_tokens: vec![good; 100],
        consistency_wait_ms: i32::MAX,
    };
    let answer = replica.catalog.get_product(request).await.expect("served");
    assert!(answer.metadata().get("catalog-stale").is_none());
}
