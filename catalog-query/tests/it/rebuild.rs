//! A rebuild goes unnoticed by readers, gives the same read models, and refuses what differs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catalog_proto::v1;
use catalog_proto::v1::SearchStrategy;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use catalog_proto::v1::rebuild_progress::Phase;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::{Replica, World, folder, ids};

pub(crate) async fn rebuild(replica: &Replica) -> Result<Vec<v1::RebuildProgress>, Status> {
    let request = v1::RebuildRequest {};
    let mut steps = replica
        .operations
        .clone()
        .rebuild(request)
        .await?
        .into_inner();
    let mut seen = Vec::new();
    while let Some(step) = steps.message().await? {
        seen.push(step);
    }
    Ok(seen)
}

/// Searches and reads a product again and again; returns how often, as none may fail.
async fn read_until(done: Arc<AtomicBool>, mut catalog: CatalogServiceClient<Channel>) -> u64 {
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) {
        let search = v1::SearchProductsRequest {
            query: "mouse".into(),
            ..Default::default()
        };
        let answer = catalog.search_products(search).await.expect("never fails");
        assert_eq!(answer.into_inner().products.len(), 20, "never short");
        let get = v1::GetProductRequest {
            id: "p8".into(),
            ..Default::default()
        };
        catalog.get_product(get).await.expect("never fails");
        rounds += 1;
    }
    rounds
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_and_writes_go_on_during_a_rebuild() {
    let mut world = World::new().await;
    let folder = folder();
    for n in 0..300 {
        world
            .put(&format!("p{n}"), &format!("Gaming mouse {n}"))
            .await;
    }
    world.delete("p7").await;
    let mut replica = world.replica(&folder).await;
    let before = replica.caught_up(&world).await;

    let done = Arc::new(AtomicBool::new(false));
    let searcher = tokio::spawn(read_until(done.clone(), replica.catalog.clone()));
    let (steps, ()) = tokio::join!(rebuild(&replica), async {
        for n in 300..350 {
            world
                .put(&format!("p{n}"), &format!("Coffee cup {n}"))
                .await;
        }
    });
    done.store(true, Ordering::Relaxed);
    let rounds = searcher.await.expect("no search failed");
    assert!(rounds > 0);
    let steps = steps.expect("rebuilt");
    let last = steps.last().expect("progress");
    assert_eq!(last.phase(), Phase::Switched);
    assert!(
        steps
            .iter()
            .any(|step| step.phase() == Phase::Replay && step.done > 0)
    );

    let after = replica.caught_up(&world).await;
    assert_eq!(
        (before.generation + 1, after.generation),
        (last.generation, last.generation)
    );
    assert_eq!(after.documents, 349);
    assert_eq!(after.projections[0].digest, after.projections[1].digest);
    let found = replica
        .search("cup", SearchStrategy::Keyword)
        .await
        .expect("search");
    assert_eq!(found.products.len(), 20);

    // A restart opens what was switched to.
    replica.stop().await;
    let mut replica = world.replica(&folder).await;
    let restarted = replica.caught_up(&world).await;
    assert_eq!(
        (restarted.generation, restarted.digest),
        (after.generation, after.digest)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_differs_is_refused_and_nothing_changes() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("p1", "Gaming mouse").await;
    world.put("p2", "Coffee cup").await;
    let mut replica = world.replica(&folder).await;
    let before = replica.caught_up(&world).await;
    let digest = format!(
        "UPDATE generation_{}.checkpoint SET digest = decode(repeat('01', 1024), 'hex')",
        before.generation
    );
    sqlx::query(sqlx::AssertSqlSafe(digest))
        .execute(&world.pool)
        .await
        .expect("tamper");

    let refused = rebuild(&replica).await.expect_err("differs");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("not switched"),
        "{}",
        refused.message()
    );
    let after = replica.status().await;
    assert_eq!(after.generation, before.generation);
    let found = replica
        .search("cup", SearchStrategy::Keyword)
        .await
        .expect("search");
    assert_eq!(ids(&found.products), ["p2"]);
    let schemas: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'generation_%'",
    )
    .fetch_one(&world.pool)
    .await
    .expect("schemas");
    assert_eq!(schemas, 1, "the refused generation is dropped");
}
