//! The way from commit to stream: positions have no gap, however many instances write, fail and come
//! back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use catalog_events::STREAM;
use catalog_proto::v1;

use crate::harness::{Catalog, input};

/// The longest that an event waits for its position on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_on_two_instances_leave_no_gap() {
    const WRITERS: usize = 8;
    const WRITES: i64 = 25;
    let catalog = Catalog::start().await;
    let (other, running) = catalog.start_another().await;
    let writers = (0..WRITERS).map(|writer| {
        let mut commands = if writer % 2 == 0 {
            catalog.commands.clone()
        } else {
            other.clone()
        };
        tokio::spawn(async move {
            // All write the same few products: they race for versions.
            for write in 0..WRITES {
                let id = format!("p{}", write % 5);
                let product = Some(input(&id, &format!("by {writer} at {write}")));
                let batch = v1::ImportProductsRequest {
                    products: product.into_iter().collect(),
                    ..Default::default()
                };
                let answers = commands.import_products(tokio_stream::iter([batch])).await;
                let answer = answers.expect("import").into_inner().message().await;
                assert!(answer.expect("answer").expect("one").rejected.is_empty());
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("writer");
    }
    let written: i64 = sqlx::query_scalar("SELECT sum(version)::bigint FROM products")
        .fetch_one(&catalog.pool)
        .await
        .expect("versions");
    let mut versions: HashMap<_, i64> = HashMap::new();
    for event in catalog.events(written as u64).await {
        let last = versions.entry(event.product_id.clone()).or_default();
        assert_eq!(
            event.version.get(),
            *last + 1,
            "{} in order",
            event.product_id
        );
        *last += 1;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_stream_is_filled_again_from_the_log() {
    let mut catalog = Catalog::start().await;
    let rows = (0..700)
        .map(|n| input(&format!("p{n}"), &format!("Mouse {n}")))
        .collect();
    catalog.import(rows).await.expect("import");
    let before = catalog.events(700).await;

    let client = catalog_events::connect("test", &catalog.nats.url())
        .await
        .expect("connect");
    jetstream::new(client)
        .delete_stream(STREAM)
        .await
        .expect("delete the stream");
    // Nobody writes: the relay looks by itself.
    let after = catalog.events(700).await;
    assert_eq!(after, before, "the same events at the same positions");
    catalog
        .status_where("says that it filled a new stream", |status| {
            (status.refilled_events, status.stream_recreations) == (700, 1)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_go_on_while_the_broker_is_down() {
    let mut catalog = Catalog::start().await;
    catalog.create("before", "Mouse").await;
    catalog.events(1).await;
    catalog.nats.kill().await.expect("kill -9");
    catalog.create("meanwhile", "Mouse").await;
    catalog.nats.restart().await.expect("restart");
    catalog.create("after", "Mouse").await;
    let ids: Vec<_> = catalog
        .events(3)
        .await
        .into_iter()
        .map(|event| event.product_id)
        .collect();
    assert_eq!(
        ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        ["before", "meanwhile", "after"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_takes_over_the_log() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    let (mut other, running) = catalog.start_another().await;
    catalog.stop_service().await;
    let product = Some(input("p2", "Mouse"));
    other
        .create_product(v1::CreateProductRequest {
            product,
            ..Default::default()
        })
        .await
        .expect("create");
    assert_eq!(catalog.events(2).await.len(), 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ahead_of_the_log_is_told_of_and_made_anew() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    catalog.stop_service().await;
    // A message that is not in the log stands for what a restored database has lost.
    let client = catalog_events::connect("test", &catalog.nats.url())
        .await
        .expect("connect");
    let jetstream = jetstream::new(client);
    let lost = jetstream
        .publish("catalog.evt.v1.product.created.x", "{}".into())
        .await
        .expect("publish");
    lost.await.expect("stored");

    let (_, running) = catalog.start_another().await;
    catalog.adopt(running);
    catalog
        .status_where("said so", |status| {
            let told =
                "set back to position 1, behind which the stream CATALOG has other events up to 2";
            status.relay_error.contains(told)
        })
        .await;
    // Writes are accepted all the same, and take the place of what was lost.
    let (mut commands, another) = catalog.start_another().await;
    let product = Some(input("p2", "Mouse"));
    commands
        .create_product(v1::CreateProductRequest {
            product,
            ..Default::default()
        })
        .await
        .expect("create");
    another.stop().await;
    catalog
        .status_where("made the stream anew", |status| {
            let is_relayed = status.stream_recreations == 1 && status.stream_sequence == 2;
            is_relayed && status.relay_error.is_empty()
        })
        .await;
    let events = catalog.events(2).await;
    let ids: Vec<_> = events
        .iter()
        .map(|event| event.product_id.as_str())
        .collect();
    assert_eq!(ids, ["p1", "p2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_rewrites_the_log() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    for statement in [
        "UPDATE event_log SET actor = 'nobody'",
        "DELETE FROM event_log",
        "TRUNCATE event_log",
    ] {
        let refused = sqlx::query(statement).execute(&catalog.pool).await;
        let message = refused.expect_err("append-only").to_string();
        assert!(message.contains("event_log is append-only"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_backlog_is_counted_up_to_a_bound() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    catalog.hold_log().await;
    catalog.create("p2", "Mouse").await;
    let status = catalog.status().await;
    assert_eq!(
        (status.outbox_pending, status.products),
        (1, 1),
        "of the log"
    );
    let many = "INSERT INTO outbox
                    (event_id, product_id, version, event_type, occurred_at, actor, change)
                SELECT gen_random_uuid(), 'p' || n, 1, 'created', now(), '', '{}'
                FROM generate_series(1, 100500) AS n";
    sqlx::query(many)
        .execute(&catalog.pool)
        .await
        .expect("insert");
    assert_eq!(catalog.status().await.outbox_pending, 100_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_log_sequences_nothing() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    let digest = catalog.status().await.digest;
    // The instance goes on, with an epoch that is no longer the current one.
    catalog.hold_log().await;
    catalog.create("p2", "Mouse").await;
    let status = catalog.status().await;
    assert_eq!((status.log_position, status.outbox_pending), (1, 1));
    assert_eq!(status.digest, digest);
    catalog.free_log().await;
    assert_eq!(catalog.events(2).await.len(), 2);
    assert_ne!(catalog.status().await.digest, digest);
}

/// Reads of rows in the outbox's index, which counts those too that only an old snapshot sees.
async fn outbox_reads(catalog: &Catalog) -> i64 {
    sqlx::query_scalar(
        "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_pk'",
    )
    .fetch_one(&catalog.pool)
    .await
    .expect("statistics")
}

async fn numbered(catalog: &Catalog) -> i64 {
    sqlx::query_scalar("SELECT position FROM log_head")
        .fetch_one(&catalog.pool)
        .await
        .expect("the head")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_stays_open_makes_no_step_longer() {
    const ROUNDS: i64 = 30;
    const EVENTS: i64 = 1_000;
    let catalog = Catalog::start().await;
    // A dump, or a transaction that somebody forgot.
    let mut old = catalog
        .pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await
        .expect("begin");
    sqlx::query("SELECT FROM outbox")
        .execute(&mut *old)
        .await
        .expect("a snapshot");
    let before = outbox_reads(&catalog).await;
    for round in 0..ROUNDS {
        sqlx::query(
            "INSERT INTO outbox (event_id, product_id, version, event_type, occurred_at, actor, change, hashed)
             SELECT gen_random_uuid(), 'p' || number, $1, 'catalog.product.deleted', now(), 'test', '{}', true
             FROM generate_series(1, $2) AS number",
        )
        .bind(round + 1)
        .bind(EVENTS)
        .execute(&catalog.pool)
        .await
        .expect("write");
        // The status would read the outbox too.
        while numbered(&catalog).await < (round + 1) * EVENTS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    old.rollback().await.expect("rollback");
    // Reads are counted up to a second after them.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let read = outbox_reads(&catalog).await - before;
    // From the beginning each time it would be fifteen times the events, and again as many for every look that finds nothing.
    let most = 8 * ROUNDS * EVENTS;
    assert!(read < most, "{read} reads for {} events", ROUNDS * EVENTS);
}

/// Takes the next place in the outbox for an event of a product.
async fn put(writer: &mut sqlx::PgTransaction<'_>, product_id: &str) {
    sqlx::query(
        "INSERT INTO outbox (event_id, product_id, version, event_type, occurred_at, actor, change, hashed)
         VALUES (gen_random_uuid(), $1, 1, 'catalog.product.deleted', now(), 'test', '{}', true)",
    )
    .bind(product_id)
    .execute(&mut **writer)
    .await
    .expect("write");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_began_last_and_ends_last_is_not_overlooked() {
    // The sequencer must not look in between, which it does every 50 ms: most rounds are of use.
    const ROUNDS: i64 = 10;
    let catalog = Catalog::start().await;
    for round in 0..ROUNDS {
        let mut first = catalog.pool.begin().await.expect("begin");
        let mut last = catalog.pool.begin().await.expect("begin");
        for writer in [&mut first, &mut last] {
            sqlx::query("SELECT pg_current_xact_id()")
                .execute(&mut **writer)
                .await
                .expect("a number");
        }
        put(&mut last, &format!("last{round}")).await;
        put(&mut first, &format!("first{round}")).await;
        first.commit().await.expect("commit");
        numbered_up_to(&catalog, 2 * round + 1).await;
        // Some looks find nothing: whatever is below the first one is taken for gone where nobody seems to write.
        tokio::time::sleep(Duration::from_millis(150)).await;
        last.commit().await.expect("commit");
        numbered_up_to(&catalog, 2 * round + 2).await;
    }
}

async fn numbered_up_to(catalog: &Catalog, position: i64) {
    let started = Instant::now();
    while numbered(catalog).await < position {
        assert!(started.elapsed() < PATIENCE, "{position} is never reached");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
