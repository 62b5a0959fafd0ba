//! Parked events that the log has whole are tried again, and made up for wherever a rebuild or a
//! rollback meets them again.

use catalog_proto::v1;

use crate::harness::{World, eventually};
use crate::rebuild::rebuild;
use crate::rollback::rollback;
use crate::verify::{Findings, filled, findings, named};

#[tokio::test(flavor = "multi_thread")]
async fn parked_events_are_listed_and_tried_again() {
    let (mut world, mut replica, _folder) = filled(World::without_model().await).await;
    world.put_damaged("p2", "as it was written").await;
    let damaged = world.position();
    let poison = "{\"product_id\": \"p4\"}";
    world
        .publish_raw("catalog.evt.v1.product.updated.p4", None, poison.into())
        .await;
    let poisoned = world.position();
    replica.caught_up(&world).await;
    let mut operations = replica.operations.clone();
    let listed = operations
        .list_parked_events(v1::ListParkedEventsRequest {})
        .await
        .expect("list")
        .into_inner();
    let shown = |event: &v1::ParkedEvent| (event.position, event.product_id.clone(), event.retries);
    assert_eq!(
        listed.events.iter().map(shown).collect::<Vec<_>>(),
        [
            (damaged, "p2".to_owned(), 0),
            (poisoned, "p4".to_owned(), 0)
        ]
    );
    assert_eq!(
        findings(&world, &replica).await,
        named(&[("documents", &["p2"]), ("index", &["p2"])])
    );

    let retried = operations
        .retry_parked_events(v1::RetryParkedEventsRequest { positions: vec![] })
        .await
        .expect("retry")
        .into_inner();
    assert_eq!(retried.applied, [damaged]);
    assert_eq!(
        retried.failed.iter().map(shown).collect::<Vec<_>>(),
        [(poisoned, "p4".to_owned(), 1)]
    );
    assert!(!retried.failed[0].error.is_empty());
    assert_eq!(findings(&world, &replica).await, Findings::new());
    let p2 = replica.get("p2").await.expect("served");
    assert_eq!(p2.title, "as it was written");
    assert_eq!(replica.status().await.parked_events, 1);
    // A product whose last event cannot be read is left as it is.
    let p4 = replica.get("p4").await.expect("served");
    assert_eq!(p4.title, "Gaming mouse 4");
    world.put("p4", "Desk lamp").await;
    eventually("healed", async || {
        let status = replica.status().await;
        (status.parked_events == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_and_a_rollback_after_a_retry_hold_what_was_mended() {
    let (mut world, mut replica, _folder) = filled(World::without_model().await).await;
    world.put_damaged("p2", "as it was written").await;
    let subject = "catalog.evt.v1.product.updated.p4";
    let poison = "{\"product_id\": \"p4\"}";
    world.publish_raw(subject, None, poison.into()).await;
    let first = replica.caught_up(&world).await;
    let retry = v1::RetryParkedEventsRequest { positions: vec![] };
    let retried = replica.operations.retry_parked_events(retry).await;
    assert_eq!(retried.expect("retry").into_inner().applied.len(), 1);
    let mended = replica.caught_up(&world).await;
    assert_ne!(mended.digest, first.digest);

    // The stream still has the damaged event.
    rebuild(&replica).await.expect("rebuilt");
    let second = replica.caught_up(&world).await;
    assert_eq!(
        (second.generation, &second.digest, second.parked_events),
        (first.generation + 1, &mended.digest, 1)
    );
    assert_eq!(second.projections[1].digest, mended.digest);
    assert_eq!(findings(&world, &replica).await, Findings::new());

    // This event is parked after the rebuild, so that the generation before has it parked as well.
    world.put_damaged("p3", "as it was written").await;
    replica.caught_up(&world).await;
    let retry = v1::RetryParkedEventsRequest { positions: vec![] };
    let retried = replica.operations.retry_parked_events(retry).await;
    assert_eq!(retried.expect("retry").into_inner().applied.len(), 1);
    rollback(&replica).await.expect("rolled back");
    let back = replica.caught_up(&world).await;
    assert_eq!(back.generation, first.generation);
    assert_eq!(findings(&world, &replica).await, Findings::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_gets_past_any_number_of_events_that_fail_again() {
    let (mut world, mut replica, _folder) = filled(World::without_model().await).await;
    for n in 0..1_001 {
        let subject = format!("catalog.evt.v1.product.updated.lost{n}");
        world.publish_raw(&subject, None, "rubbish".into()).await;
    }
    world.put_damaged("p2", "as it was written").await;
    world.put_damaged("p3", "as it was written").await;
    let damaged = world.position() - 1;
    let status = replica.caught_up(&world).await;
    assert_eq!(status.parked_events, 1_003);
    let mut operations = replica.operations.clone();
    let mut retry = async |positions: &[i64]| {
        let positions = positions.to_vec();
        let request = v1::RetryParkedEventsRequest { positions };
        let retried = operations.retry_parked_events(request).await;
        retried.expect("retry").into_inner()
    };
    let named = retry(&[damaged]).await;
    assert_eq!((named.applied, named.failed.len()), (vec![damaged], 0));
    let all = retry(&[]).await;
    assert_eq!((all.applied, all.failed.len()), (vec![damaged + 1], 1_001));
    assert_eq!(findings(&world, &replica).await, Findings::new());
}
