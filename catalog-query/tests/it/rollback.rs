//! Rollbacks to the generation before, and rebuilds that the event log proves right.

use catalog_proto::v1;
use catalog_proto::v1::SearchStrategy;
use tonic::{Code, Status};

use crate::harness::{Replica, World, folder, ids};
use crate::rebuild::rebuild;

pub(crate) async fn rollback(replica: &Replica) -> Result<Vec<v1::RebuildProgress>, Status> {
    let mut operations = replica.operations.clone();
    let mut steps = operations
        .rollback(v1::RollbackRequest {})
        .await?
        .into_inner();
    let mut seen = Vec::new();
    while let Some(step) = steps.message().await? {
        seen.push(step);
    }
    Ok(seen)
}

async fn execute(world: &World, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&world.pool)
        .await
        .expect("execute");
}

/// Corrupts the read model as a bug or a hand in the database would: a document is gone, and the
/// digest says so.
async fn corrupt(world: &World, generation: i64) {
    let set = "digest = decode(repeat('07', 1024), 'hex'), documents = documents - 1";
    execute(
        world,
        format!("DELETE FROM generation_{generation}.documents WHERE product_id = 'p1'"),
    )
    .await;
    execute(
        world,
        format!("UPDATE generation_{generation}.checkpoint SET {set}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_catches_up_and_answers() {
    let mut world = World::new().await;
    let folder = folder();
    world.put("p1", "Gaming mouse").await;
    world.put("p2", "Coffee cup").await;
    let mut replica = world.replica(&folder).await;
    let first = replica.caught_up(&world).await;
    let refused = rollback(&replica).await.expect_err("nothing before");
    assert_eq!(refused.code(), Code::FailedPrecondition);

    rebuild(&replica).await.expect("rebuilt");
    world.put("p1", "Trackball").await;
    world.put("p3", "Desk lamp").await;
    let second = replica.caught_up(&world).await;
    assert_ne!(second.generation, first.generation);

    let steps = rollback(&replica).await.expect("rolled back");
    let last = steps.last().expect("a step");
    assert_eq!(
        (last.generation, &last.digest),
        (first.generation, &second.digest)
    );
    let back = replica.caught_up(&world).await;
    assert_eq!(
        (back.generation, &back.digest, back.documents),
        (first.generation, &second.digest, 3)
    );
    let embeddings = &back.projections[2];
    assert_eq!((embeddings.documents, embeddings.lag), (3, 0));
    for (strategy, query, id) in [
        (SearchStrategy::Keyword, "trackball", "p1"),
        (SearchStrategy::Vector, "lamp", "p3"),
    ] {
        let found = replica.search(query, strategy).await.expect("search");
        assert_eq!(ids(&found.products)[0], id);
    }
    // A second rollback leads to the newer generation again.
    rollback(&replica).await.expect("rolled back");
    let forth = replica.caught_up(&world).await;
    assert_eq!(forth.generation, second.generation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_what_differs_is_refused() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("p1", "Gaming mouse").await;
    world.put("p2", "Coffee cup").await;
    let mut replica = world.replica(&folder).await;
    let first = replica.caught_up(&world).await;
    rebuild(&replica).await.expect("rebuilt");
    let second = replica.caught_up(&world).await;
    corrupt(&world, first.generation).await;
    let refused = rollback(&replica).await.expect_err("differs");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("not switched"), "{refused}");
    let after = replica.status().await;
    assert_eq!(
        (after.generation, after.digest),
        (second.generation, second.digest)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_read_model_is_healed_by_what_equals_the_log() {
    let mut world = World::without_model().await;
    world.log_target = Some(world.log.serve().await);
    let folder = folder();
    world.put("p1", "Gaming mouse").await;
    world.put("p2", "Coffee cup").await;
    let mut replica = world.replica(&folder).await;
    let right = replica.caught_up(&world).await;

    corrupt(&world, right.generation).await;
    let gone = replica.get("p1").await.expect_err("gone");
    assert_eq!(gone.code(), Code::NotFound);
    rebuild(&replica).await.expect("healed by a rebuild");
    // Answers that were cached from the generation before are gone at once.
    replica.get("p1").await.expect("there again");
    let healed = replica.caught_up(&world).await;
    assert_eq!(
        (healed.generation, &healed.digest, healed.documents),
        (right.generation + 1, &right.digest, 2)
    );

    // The generation before is corrupt, and the log knows.
    let refused = rollback(&replica).await.expect_err("differs");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("the event log"), "{refused}");

    rebuild(&replica).await.expect("rebuilt");
    let third = replica.caught_up(&world).await;
    corrupt(&world, third.generation).await;
    rollback(&replica).await.expect("healed by a rollback");
    let back = replica.caught_up(&world).await;
    assert_eq!(
        (back.generation, back.digest),
        (healed.generation, right.digest)
    );
}

/// Leaves a generation as a rollback does whose replica is killed on the way.
async fn leave_lease(world: &World, generation: i64, seconds: u32) {
    let statement = format!(
        "UPDATE generation_{generation}.checkpoint SET holder = gen_random_uuid(),
             lease_until = clock_timestamp() + interval '{seconds} seconds'"
    );
    execute(world, statement).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_rollback_holds_up_the_next_one_only_for_a_moment() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("p1", "Gaming mouse").await;
    let mut replica = world.replica(&folder).await;
    let first = replica.caught_up(&world).await;
    rebuild(&replica).await.expect("rebuilt");
    // So that there is something to replay.
    world.put("p2", "Coffee cup").await;
    let second = replica.caught_up(&world).await;

    leave_lease(&world, first.generation, 3).await;
    rollback(&replica).await.expect("rolled back");
    world.put("p3", "Desk lamp").await;
    let back = replica.caught_up(&world).await;
    assert_eq!((back.generation, back.documents), (first.generation, 3));

    // A lease that somebody holds for long is left alone: its holder would not let a projector in.
    leave_lease(&world, second.generation, 600).await;
    let refused = rollback(&replica).await.expect_err("contended");
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("another replica"), "{refused}");
    assert_eq!(replica.status().await.generation, first.generation);
}
