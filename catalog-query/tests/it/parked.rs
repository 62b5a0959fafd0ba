//! Events that cannot be applied are set aside with their error, while everything else goes on.

use catalog_proto::v1::SearchStrategy;
use tonic::Code;

use crate::harness::{Replica, World, folder, ids};
use crate::rebuild::rebuild;

/// The positions, products and payloads of the events parked in the live generation.
async fn parked(world: &World, replica: &Replica) -> Vec<(i64, Option<String>, Vec<u8>)> {
    let generation = replica.status().await.generation;
    let select = format!(
        "SELECT position, product_id, payload FROM generation_{generation}.parked_events
         WHERE error <> '' ORDER BY position"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(select))
        .fetch_all(&world.pool)
        .await
        .expect("parked events")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_message_is_parked_and_healed_by_the_next_event() {
    let mut world = World::without_model().await;
    let folder = folder();
    world.put("before", "Gaming mouse").await;
    world.put("x", "Old lamp").await;
    let rubbish = |subject: &'static str| (subject, None, "rubbish".into());
    for (subject, headers, payload) in [
        rubbish("catalog.evt.v1.product.updated.x"),
        rubbish("catalog.evt.v1.product.updated.y"),
        rubbish("catalog.evt.v1.product.updated.no-id!"),
    ] {
        world.publish_raw(subject, headers, payload).await;
    }
    world.put("after", "Coffee cup").await;
    let mut replica = world.replica(&folder).await;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.documents, 3);
    assert_eq!(replica.get("x").await.expect("served").title, "Old lamp");
    let aside = |position, id: Option<&str>| (position, id.map(str::to_owned), b"rubbish".to_vec());
    let unnamed = aside(5, None);
    assert_eq!(
        parked(&world, &replica).await,
        [aside(3, Some("x")), aside(4, Some("y")), unnamed.clone()]
    );

    // The next event of a product carries all of it; a product's first may be a deletion.
    world.put("x", "New lamp").await;
    world.delete("y").await;
    replica.caught_up(&world).await;
    assert_eq!(replica.get("x").await.expect("served").title, "New lamp");
    assert_eq!(
        parked(&world, &replica).await,
        std::slice::from_ref(&unnamed)
    );

    // A rebuild meets the same events.
    let before = replica.status().await;
    rebuild(&replica).await.expect("rebuilt");
    let after = replica.caught_up(&world).await;
    assert_eq!(
        (after.generation, after.digest),
        (before.generation + 1, before.digest)
    );
    assert_eq!(parked(&world, &replica).await, [unnamed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_event_that_postgres_refuses_is_parked() {
    let mut world = World::without_model().await;
    let folder = folder();
    // All on the stream before anybody reads: they come in one batch.
    for n in 0..20 {
        let title = match n {
            13 => "A title with \0 in it".to_owned(),
            _ => format!("Gaming mouse {n}"),
        };
        world.put(&format!("p{n}"), &title).await;
    }
    let mut replica = world.replica(&folder).await;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.documents, 19);
    let refused = replica.get("p13").await.expect_err("parked");
    assert_eq!(refused.code(), Code::NotFound);
    let events = parked(&world, &replica).await;
    let [(14, Some(id), payload)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(id, "p13");
    assert!(String::from_utf8_lossy(payload).contains(r"\u0000"));

    rebuild(&replica).await.expect("both generations lack it");
    assert_eq!(parked(&world, &replica).await, events);

    world.put("p13", "Coffee cup").await;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.documents, 20);
    assert_eq!(status.projections[0].digest, status.projections[1].digest);
    let found = replica.search("cup", SearchStrategy::Keyword).await;
    assert_eq!(ids(&found.expect("search").products), ["p13"]);
    assert_eq!(parked(&world, &replica).await, []);
}
