//! Releases with another format of the read model, and replicas with another embedding model.

use std::fs;
use std::path::Path;

use catalog_proto::v1::SearchStrategy;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tonic::Code;

use crate::harness::{World, eventually, folder, ids};
use crate::rebuild::rebuild;

async fn execute(world: &World, statement: &str) {
    for statement in statement.split(';') {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&world.pool)
            .await
            .expect("execute");
    }
}

/// Turns generation 1 into what an older release has left, at `position`.
async fn downgrade(world: &World, position: i64) {
    let to_format_1 = format!(
        "ALTER SCHEMA generation_1 RENAME TO newer;
         SELECT create_generation(1);
         INSERT INTO generation_1.documents
             SELECT product_id, version, product, coalesce(content_hash, ''), text_hash
             FROM newer.documents;
         INSERT INTO generation_1.embeddings SELECT product_id, text_hash, embedding
             FROM newer.embeddings;
         UPDATE generation_1.checkpoint SET position = {position};
         DROP SCHEMA newer CASCADE;
         UPDATE generations SET format = 1, model = NULL"
    );
    execute(world, &to_format_1).await;
}

async fn make_all_vectors_the_cups(world: &World, generation: i64) {
    let update = format!(
        "UPDATE generation_{generation}.embeddings SET embedding =
             (SELECT embedding FROM generation_{generation}.embeddings WHERE product_id = 'cup')"
    );
    execute(world, &update).await;
}

/// Checks that generation 2 has the vectors of generation 1, which are all the same, and sound hashes.
async fn check_taken_over(world: &World) {
    let (same, hashed): (bool, bool) = sqlx::query_as(
        "SELECT (SELECT count(DISTINCT embedding::text) = 1 FROM generation_2.embeddings
                 WHERE product_id <> 'late'),
                (SELECT bool_and(vector_hash = substring(sha256(
                     convert_to(product_id, 'UTF8') || '\\x00'::bytea || text_hash
                     || substring(halfvec_send(embedding) FROM 5)) FOR 16))
                 FROM generation_2.embeddings)",
    )
    .fetch_one(&world.pool)
    .await
    .expect("vectors");
    assert!(same, "vectors are taken over");
    // Two hashes are made by the statement that takes over, one by the code that saves new vectors.
    assert!(hashed, "all hashes of vectors are made alike");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_format_answers_nobody_until_a_new_one_is_filled() {
    let mut world = World::new().await;
    let folder = folder();
    world.put("mouse", "Gaming mouse").await;
    world.put("cup", "Coffee cup").await;
    world.put("gone", "Desk lamp").await;
    world.delete("gone").await;
    let mut replica = world.replica(&folder).await;
    let before = replica.caught_up(&world).await;
    replica.stop().await;
    // The other release is one event further than the stream has got.
    downgrade(&world, world.position() + 1).await;
    // So that one sees whether vectors are taken over.
    make_all_vectors_the_cups(&world, 1).await;

    let replica = world.replica(&folder).await;
    let refused = replica.get("cup").await.expect_err("not yet");
    assert_eq!(refused.code(), Code::Unavailable);
    let second_folder = crate::harness::folder();
    let mut second = world.replica(&second_folder).await;
    world.put("late", "Teapot").await;
    eventually("served", async || replica.get("late").await.ok()).await;
    eventually("served", async || second.get("late").await.ok()).await;
    let after = second.caught_up(&world).await;
    assert_eq!((before.generation, after.generation), (1, 2));
    assert_eq!(after.documents, 3);

    assert_eq!(
        generations(&world).await,
        "1live 2live",
        "the older release goes on with its own"
    );
    check_taken_over(&world).await;

    replica.stop().await;
    second.stop().await;
    let mut replica = world.replica(&folder).await;
    assert_eq!(replica.caught_up(&world).await.digest, after.digest);

    // A vector that contradicts its hash is not taken over, but computed anew.
    make_all_vectors_the_cups(&world, 2).await;
    rebuild(&replica).await.expect("rebuilt");
    let vectors: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT embedding::text) FROM generation_3.embeddings")
            .fetch_one(&world.pool)
            .await
            .expect("vectors");
    assert_eq!(vectors, 2);
    assert_eq!(generations(&world).await, "1live 2retired 3live");
    // Nobody has held the old generation for long: it is cleaned up with the rest.
    execute(
        &world,
        "UPDATE generations SET created_at = created_at - interval '2 hours'",
    )
    .await;
    rebuild(&replica).await.expect("rebuilt");
    assert_eq!(generations(&world).await, "3retired 4live");
}

/// The number and the state of each generation.
async fn generations(world: &World) -> String {
    sqlx::query_scalar("SELECT string_agg(id || state, ' ' ORDER BY id) FROM generations")
        .fetch_one(&world.pool)
        .await
        .expect("generations")
}

/// Copies the network with another name in it: another model, as far as anybody can tell.
fn another_model(original: &Path) -> TempDir {
    let folder = folder();
    let mut onnx = fs::read(original.join("model.onnx")).expect("model");
    // Field 2 of an ONNX model is the name of the program that wrote it; the last one counts.
    onnx.extend(*b"\x12\x05other");
    fs::write(folder.path().join("model.onnx"), onnx).expect("write");
    let tokenizer = "tokenizer.json";
    fs::copy(original.join(tokenizer), folder.path().join(tokenizer)).expect("copy");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn another_embedding_model_is_changed_to_in_the_background() {
    const REBUILD_LOCK: i64 = 0x6361_7461_6c6f_6701;
    let mut world = World::new().await;
    let original = world.model_dir.clone().expect("model");
    let (one, two, three) = (folder(), folder(), folder());
    world.put("mouse", "Gaming mouse").await;
    world.put("cup", "Coffee cup").await;
    let mut first = world.replica(&one).await;
    let before = first.caught_up(&world).await;

    // Somebody holds the lock, so that the rebuild waits.
    let mut lock = world.pool.acquire().await.expect("connection");
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(REBUILD_LOCK)
        .execute(&mut *lock)
        .await
        .expect("lock");
    let other = another_model(&original);
    world.model_dir = Some(other.path().to_owned());
    let second = world.replica(&two).await;
    let third = world.replica(&three).await;
    let found = eventually("indexed", async || {
        let found = second.search("cup", SearchStrategy::Hybrid).await.ok()?;
        (!found.products.is_empty()).then_some(found)
    })
    .await;
    assert!(found.degraded, "the vectors are of another model");
    assert_eq!(found.strategy(), SearchStrategy::Keyword);
    let status = second.status().await;
    assert_eq!(status.generation, before.generation);

    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(REBUILD_LOCK)
        .execute(&mut *lock)
        .await
        .expect("unlock");
    for replica in [&second, &third] {
        let found = eventually("changed", async || {
            let answer = replica.search("cup", SearchStrategy::Hybrid).await.ok()?;
            (!answer.degraded).then_some(answer)
        })
        .await;
        assert_eq!(ids(&found.products)[0], "cup");
    }
    // The replica of the old model serves what is live, by keyword, and does not turn it back. A
    // change that any replica applies is embedded by one with the right model.
    eventually("followed", async || {
        let status = first.status().await;
        (status.generation > before.generation).then_some(())
    })
    .await;
    let found = first.search("cup", SearchStrategy::Hybrid).await;
    assert!(found.expect("search").degraded);
    world.put("late", "Teapot").await;
    let after = first.caught_up(&world).await;
    assert_eq!((after.documents, after.projections[2].documents), (3, 3));
    assert_eq!(after.generation, second.status().await.generation);
    assert_eq!(generations(&world).await, "1retired 2live", "built once");
}
