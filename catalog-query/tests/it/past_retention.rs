//! Events that the stream does not hold, or not any more, are read from the event log.

use async_nats::jetstream::stream::Config;
use catalog_events::{Position, STREAM, stream_config};

use crate::harness::{Replica, World, eventually, folder};
use crate::rebuild::rebuild;

const TARGET: &str = "CATALOG_QUERY_COMMAND_GRPC_TARGET";

async fn world_of(events: u64) -> World {
    let mut world = World::without_model().await;
    put(&mut world, events).await;
    world
}

async fn put(world: &mut World, events: u64) {
    for n in 0..events {
        world.put(&format!("p{n}"), &format!("Mouse {n}")).await;
    }
}

async fn ask_the_log(world: &mut World) {
    world.log_target = Some(world.log.serve().await);
}

/// Waits until the documents are where the world is, and counts them.
async fn documents(replica: &Replica, world: &World) -> i64 {
    eventually("applied", async || {
        let status = replica.status().await;
        (status.projections[0].position == world.position()).then_some(status.documents)
    })
    .await
}

async fn error_of(replica: &Replica, about: &str) {
    eventually("told why it stands still", async || {
        let status = replica.status().await;
        status.projections[0].error.contains(about).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_has_dropped_comes_from_the_log() {
    let mut world = world_of(50).await;
    let stream = world.jetstream.get_stream(STREAM).await.expect("stream");
    stream.purge().sequence(31).await.expect("purge");

    let first_folder = folder();
    let replica = world.replica(&first_folder).await;
    error_of(&replica, TARGET).await;
    assert_eq!(replica.status().await.documents, 0);
    replica.stop().await;

    ask_the_log(&mut world).await;
    let replica = world.replica(&first_folder).await;
    assert_eq!(documents(&replica, &world).await, 50);
    world.put("late", "Coffee cup").await;
    assert_eq!(documents(&replica, &world).await, 51);
    replica.get("late").await.expect("by the stream again");

    let digest = replica.status().await.digest;
    let steps = rebuild(&replica).await.expect("from the log as well");
    assert_eq!(steps.last().expect("a step").digest, digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_stream_is_read_over_from_the_log() {
    let mut world = World::without_model().await;
    world.jetstream.delete_stream(STREAM).await.expect("delete");
    let config = Config {
        deny_delete: false,
        ..stream_config(Position(1))
    };
    let stream = world.jetstream.create_stream(config).await.expect("stream");
    put(&mut world, 40).await;
    for position in 11..=13 {
        stream.delete_message(position).await.expect("delete");
    }

    let folder = folder();
    let replica = world.replica(&folder).await;
    error_of(&replica, "events are missing").await;
    replica.stop().await;
    ask_the_log(&mut world).await;
    let replica = world.replica(&folder).await;
    assert_eq!(documents(&replica, &world).await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stream_the_log_is_read_to_its_head() {
    let mut world = world_of(20).await;
    world.jetstream.delete_stream(STREAM).await.expect("delete");
    ask_the_log(&mut world).await;
    let folder = folder();
    let replica = world.replica(&folder).await;
    assert_eq!(documents(&replica, &world).await, 20);

    let config = stream_config(Position(21));
    world.jetstream.create_stream(config).await.expect("stream");
    world.put("late", "Coffee cup").await;
    assert_eq!(documents(&replica, &world).await, 21);
}
