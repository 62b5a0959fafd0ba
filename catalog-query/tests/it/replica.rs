//! A replica that comes late, falls behind or holds what is no more makes its keyword index of the
//! documents, and answers like one that was made of the events.

use catalog_events::STREAM;
use catalog_proto::v1::SearchStrategy;
use tonic::Code;

use crate::harness::{Replica, World, eventually, folder, ids};

/// Puts products there whose words differ, replaces some and deletes some.
async fn fill(world: &mut World, from: usize, to: usize) {
    for n in from..to {
        world
            .put(&format!("p{n}"), &format!("Gaming mouse {n}"))
            .await;
    }
    for n in (from..to).step_by(7) {
        world
            .put(&format!("p{n}"), &format!("Coffee cup {n}"))
            .await;
    }
    for n in (from..to).step_by(10) {
        world.delete(&format!("p{n}")).await;
    }
}

/// Leaves nothing but the last event on the stream.
async fn forget_events(world: &World) {
    let stream = world.jetstream.get_stream(STREAM).await.expect("stream");
    let keep = world.position() as u64;
    stream.purge().sequence(keep).await.expect("purge");
}

async fn assert_alike(one: &Replica, other: &Replica) {
    for query in ["gaming mouse", "coffee cup 7", "acme", "p1", "nothing"] {
        let one = one.search(query, SearchStrategy::Keyword).await;
        let other = other.search(query, SearchStrategy::Keyword).await;
        let (one, other) = (one.expect("search"), other.expect("search"));
        assert_eq!(ids(&one.products), ids(&other.products), "{query}");
    }
    let (one, other) = (one.status().await, other.status().await);
    let of_index = |status: &catalog_proto::v1::GetReadStatusResponse| {
        let index = &status.projections[1];
        (index.position, index.documents, index.digest.clone())
    };
    assert_eq!(of_index(&one), of_index(&other));
    assert_eq!(one.projections[0].digest, one.projections[1].digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_replica_begins_with_the_documents() {
    let mut world = World::without_model().await;
    let (first_folder, second_folder) = (folder(), folder());
    fill(&mut world, 0, 700).await;
    let mut first = world.replica(&first_folder).await;
    first.caught_up(&world).await;
    // Only the documents can tell the replica what was.
    forget_events(&world).await;
    let mut second = world.replica(&second_folder).await;
    second.caught_up(&world).await;
    assert_alike(&first, &second).await;

    fill(&mut world, 700, 720).await;
    first.caught_up(&world).await;
    second.caught_up(&world).await;
    assert_alike(&first, &second).await;

    // The copy is an index of its own: a restart goes on from there.
    second.stop().await;
    world.put("p1", "Desk lamp").await;
    let mut second = world.replica(&second_folder).await;
    second.caught_up(&world).await;
    first.caught_up(&world).await;
    assert_alike(&first, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_missed_events_for_good_is_made_anew() {
    let mut world = World::without_model().await;
    let (first_folder, second_folder) = (folder(), folder());
    let mut first = world.replica(&first_folder).await;
    let mut second = world.replica(&second_folder).await;
    fill(&mut world, 0, 50).await;
    first.caught_up(&world).await;
    second.caught_up(&world).await;
    second.stop().await;
    fill(&mut world, 30, 80).await;
    first.caught_up(&world).await;
    forget_events(&world).await;
    let mut second = world.replica(&second_folder).await;
    second.caught_up(&world).await;
    assert_alike(&first, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_a_catalog_that_was_restored_is_made_anew() {
    let mut world = World::without_model().await;
    let index_folder = folder();
    fill(&mut world, 0, 60).await;
    let mut replica = world.replica(&index_folder).await;
    replica.caught_up(&world).await;
    replica.stop().await;

    // Stream and documents have another history from now on, which is shorter.
    let mut restored = World::without_model().await;
    restored.put("p1", "Gaming mouse 1").await;
    let other_folder = folder();
    let mut witness = restored.replica(&other_folder).await;
    witness.caught_up(&restored).await;
    let replica = restored.replica(&index_folder).await;
    eventually("made anew", async || {
        let index = replica.status().await.projections.swap_remove(1);
        (index.position == restored.position()).then_some(())
    })
    .await;
    assert_alike(&witness, &replica).await;
}

async fn execute(world: &World, statement: &str) {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&world.pool)
        .await
        .expect(statement);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_is_told_and_tried_again() {
    let mut world = World::without_model().await;
    let (first_folder, second_folder) = (folder(), folder());
    fill(&mut world, 0, 50).await;
    let mut first = world.replica(&first_folder).await;
    first.caught_up(&world).await;
    // The position can be read, the documents cannot.
    let rename = "ALTER TABLE generation_1.documents RENAME COLUMN";
    execute(&world, &format!("{rename} product TO hidden")).await;
    let mut second = world.replica(&second_folder).await;
    eventually("told", async || {
        let index = second.status().await.projections.swap_remove(1);
        index.error.contains("database").then_some(())
    })
    .await;
    execute(&world, &format!("{rename} hidden TO product")).await;
    second.caught_up(&world).await;
    assert_alike(&first, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_read_does_not_keep_the_others_from_a_new_index() {
    let mut world = World::without_model().await;
    let (first_folder, second_folder) = (folder(), folder());
    world.put("bad", "Gaming mouse").await;
    world.put("good", "Coffee cup").await;
    let mut first = world.replica(&first_folder).await;
    first.caught_up(&world).await;
    forget_events(&world).await;
    let spoil = "UPDATE generation_1.documents SET product = '{}' WHERE product_id = 'bad'";
    execute(&world, spoil).await;
    let mut second = world.replica(&second_folder).await;
    let status = second.caught_up(&world).await;
    assert_eq!(status.projections[1].documents, 1);
    let found = second.search("cup", SearchStrategy::Keyword).await;
    assert_eq!(ids(&found.expect("search").products), ["good"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_ready_once_its_index_holds_what_the_documents_hold() {
    let mut world = World::new().await;
    let (first_folder, second_folder) = (folder(), folder());
    let mut first = world.replica(&first_folder).await;
    // A replica of an empty catalog is ready as soon as it knows that there are no rules.
    eventually("ready", async || first.is_ready().await.then_some(())).await;
    let found = first.search("cup", SearchStrategy::Keyword).await;
    assert!(found.expect("search").products.is_empty());
    world.put("mouse", "Gaming mouse").await;
    world.put("cup", "Coffee cup").await;
    first.caught_up(&world).await;

    // A file where the index must be made keeps it from being made.
    let obstacle = second_folder.path().join("index-copy-1");
    std::fs::write(&obstacle, "").expect("write");
    let mut second = world.replica(&second_folder).await;
    assert!(!second.is_ready().await);
    let refused = second.search("cup", SearchStrategy::Keyword).await;
    assert_eq!(refused.expect_err("not yet").code(), Code::Unavailable);
    let found = second
        .search("cup", SearchStrategy::Hybrid)
        .await
        .expect("by meaning");
    assert_eq!(
        (found.strategy(), found.degraded),
        (SearchStrategy::Vector, true)
    );
    assert_eq!(ids(&found.products)[0], "cup");
    second.get("cup").await.expect("documents are served");

    std::fs::remove_file(&obstacle).expect("remove");
    second.caught_up(&world).await;
    let found = second.search("cup", SearchStrategy::Keyword).await;
    assert_eq!(ids(&found.expect("search").products), ["cup"]);
    eventually("ready", async || second.is_ready().await.then_some(())).await;
}
