//! What the projections make of events, through restarts, repetition and rubbish.

use catalog_proto::v1::SearchStrategy;

use crate::harness::{World, eventually, folder, ids};

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_replica_goes_on_where_it_was() {
    let mut world = World::new().await;
    let folder = folder();
    for n in 0..50 {
        world
            .put(&format!("p{n}"), &format!("Gaming mouse {n}"))
            .await;
    }
    let mut replica = world.replica(&folder).await;
    let before = replica.caught_up(&world).await;
    replica.stop().await;

    world.delete("p0").await;
    world.put("p1", "Coffee cup").await;
    world.put("p50", "Desk lamp").await;
    let mut replica = world.replica(&folder).await;
    let after = replica.caught_up(&world).await;
    assert_ne!(before.digest, after.digest);
    let (documents, index, embeddings) = (
        &after.projections[0],
        &after.projections[1],
        &after.projections[2],
    );
    assert_eq!(
        (documents.documents, index.documents, embeddings.documents),
        (50, 50, 50)
    );
    assert_eq!(documents.digest, index.digest);
    let found = replica
        .search("cup", SearchStrategy::Keyword)
        .await
        .expect("search");
    assert_eq!(ids(&found.products), ["p1"]);
    let found = replica
        .search("lamp", SearchStrategy::Vector)
        .await
        .expect("search");
    assert_eq!(ids(&found.products)[0], "p50");
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_on_the_stream_is_passed_over() {
    let mut world = World::without_model().await;
    world.put("before", "Gaming mouse").await;
    world
        .publish_raw("catalog.evt.v1.product.created.x", None, "rubbish".into())
        .await;
    world.put("after", "Coffee cup").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.documents, 2);
    replica.get("after").await.expect("served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_and_comes_back_loses_nothing() {
    let mut world = World::without_model().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    world.put("before", "Gaming mouse").await;
    replica.caught_up(&world).await;
    world.nats.kill().await.expect("kill -9");
    replica.get("before").await.expect("reads go on");
    world.nats.restart().await.expect("restart");
    eventually("connected again", async || {
        world.jetstream.get_stream("CATALOG").await.ok()
    })
    .await;
    world.put("after", "Coffee cup").await;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.documents, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_documents_and_own_their_indexes() {
    let mut world = World::without_model().await;
    let (one, two) = (folder(), folder());
    let mut first = world.replica(&one).await;
    let mut second = world.replica(&two).await;
    for n in 0..200 {
        world
            .put(&format!("p{n}"), &format!("Gaming mouse {n}"))
            .await;
    }
    let (a, b) = (
        first.caught_up(&world).await,
        second.caught_up(&world).await,
    );
    assert_eq!(a.projections[0].digest, a.projections[1].digest);
    assert_eq!(a.projections[1].digest, b.projections[1].digest);
    first.stop().await;
    // The other replica takes over applying documents.
    world.put("late", "Coffee cup").await;
    let status = second.caught_up(&world).await;
    assert_eq!(status.documents, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_half_way_leaves_nothing_half_done() {
    let mut world = World::without_model().await;
    let folder = folder();
    for n in 0..500 {
        let id = n % 100;
        world.put(&format!("p{id}"), &format!("Mouse {n}")).await;
    }
    let replica = world.replica(&folder).await;
    eventually("begun", async || {
        let status = replica.status().await;
        (status.projections[0].position > 0).then_some(())
    })
    .await;
    replica.kill().await;
    let second_folder = crate::harness::folder();
    let mut replica = world.replica(&second_folder).await;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.documents, 100);
    assert_eq!(status.projections[0].digest, status.projections[1].digest);
}
