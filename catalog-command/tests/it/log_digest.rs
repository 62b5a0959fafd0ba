//! The digest of the log: at every position of a history it is what a fold of the events says,
//! however the log came to hold them.

use std::collections::BTreeMap;

use catalog_events::{BucketedDigest, ContentHash, ProductEvent};
use catalog_proto::v1;
use fastrand::Rng;
use futures_util::TryStreamExt as _;
use prost_types::FieldMask;
use tonic::Code;

use crate::harness::{Catalog, input};

/// The products that the events up to a position leave: version and hash by id.
type Live = BTreeMap<String, (i64, ContentHash)>;

fn fold(events: &[ProductEvent]) -> Live {
    let mut live = Live::new();
    for event in events {
        let id = event.product_id.to_string();
        match &event.product {
            None => live.remove(&id),
            Some(product) => {
                let hash = ContentHash::of(&event.product_id, event.version, product);
                live.insert(id, (event.version.get(), hash))
            }
        };
    }
    live
}

fn expected(live: &Live, position: usize) -> v1::LogDigest {
    let buckets: BucketedDigest = live.values().map(|(_, hash)| *hash).collect();
    v1::LogDigest {
        position: position as i64,
        documents: live.len() as i64,
        buckets: buckets.to_message(),
    }
}

async fn digest_at(catalog: &Catalog, position: usize, recompute: bool) -> v1::LogDigest {
    let request = v1::GetLogDigestRequest {
        position: position as i64,
        recompute,
    };
    let answer = catalog.operations().get_log_digest(request).await;
    answer.expect("digest").into_inner()
}

async fn list(catalog: &Catalog, position: usize, buckets: Vec<i32>) -> Vec<v1::ProductState> {
    let request = v1::ListLogProductsRequest {
        position: position as i64,
        buckets,
    };
    let stream = catalog.operations().list_log_products(request).await;
    let answers: Vec<_> = stream
        .expect("products")
        .into_inner()
        .try_collect()
        .await
        .expect("products");
    assert!(answers.iter().all(|answer| answer.products.len() <= 1_000));
    answers.into_iter().flat_map(|one| one.products).collect()
}

fn states(live: &Live, wanted: impl Fn(ContentHash) -> bool) -> Vec<v1::ProductState> {
    let listed = live.iter().filter(|(_, (_, hash))| wanted(*hash));
    let states = listed.map(|(id, (version, hash))| v1::ProductState {
        id: id.clone(),
        version: *version,
        content_hash: hash.to_bytes().to_vec(),
    });
    states.collect()
}

/// Compares every position, unwound and folded anew.
async fn check_every_position(catalog: &mut Catalog, events: &[ProductEvent]) {
    for position in 1..=events.len() {
        let expected = expected(&fold(&events[..position]), position);
        let unwound = digest_at(catalog, position, false).await;
        assert_eq!(unwound, expected, "unwound to {position}");
        let recomputed = digest_at(catalog, position, true).await;
        assert_eq!(recomputed, expected, "recomputed at {position}");
    }
    let head = digest_at(catalog, 0, false).await;
    assert_eq!(head.position, events.len() as i64);
    let total = BucketedDigest::from_message(&head.buckets).expect("buckets");
    let status = catalog.status().await;
    assert_eq!(status.digest, total.total().to_string());
    assert_eq!(status.products, head.documents);
}

/// Sends a command of any kind about one of a few products, valid or not.
async fn write_something(catalog: &mut Catalog, rng: &mut Rng) {
    let id = format!("p{}", rng.u8(..9));
    let title = format!("Mouse {}", rng.u8(..4));
    let price_minor = rng.i64(1..500);
    let product = Some(v1::ProductInput {
        price_minor,
        ..input(&id, &title)
    });
    let commands = &mut catalog.commands;
    let outcome = match rng.u8(..6) {
        0 => commands
            .create_product(v1::CreateProductRequest {
                product,
                ..Default::default()
            })
            .await
            .map(drop),
        1 => commands
            .update_product(v1::UpdateProductRequest {
                product,
                update_mask: Some(FieldMask {
                    paths: vec!["title".to_owned()],
                }),
                ..Default::default()
            })
            .await
            .map(drop),
        2 => commands
            .change_price(v1::ChangePriceRequest {
                id,
                price_minor,
                ..Default::default()
            })
            .await
            .map(drop),
        3 => commands
            .delete_product(v1::DeleteProductRequest {
                id,
                ..Default::default()
            })
            .await
            .map(drop),
        _ => {
            let rows = (0..rng.usize(1..6)).map(|_| {
                let title = format!("Mouse {}", rng.u8(..4));
                input(&format!("p{}", rng.u8(..9)), &title)
            });
            catalog.import(rows.collect()).await.map(drop)
        }
    };
    if let Err(refused) = outcome {
        let code = refused.code();
        assert!(
            matches!(code, Code::NotFound | Code::AlreadyExists),
            "{refused}"
        );
    }
}

async fn write_history(catalog: &mut Catalog, rng: &mut Rng, commands: usize) {
    for _ in 0..commands {
        write_something(catalog, rng).await;
    }
}

/// How many events the writes came to, sequenced or not.
async fn count_events(catalog: &Catalog) -> u64 {
    let query = sqlx::query_scalar("SELECT coalesce(sum(version), 0)::bigint FROM products");
    let versions: i64 = query.fetch_one(&catalog.pool).await.expect("versions");
    versions as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_at_every_position_is_what_the_events_say() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let mut catalog = Catalog::start().await;
    let empty = digest_at(&catalog, 0, true).await;
    assert_eq!(empty, expected(&Live::new(), 0));
    write_history(&mut catalog, &mut rng, 80).await;
    let events = catalog.events(count_events(&catalog).await).await;
    check_every_position(&mut catalog, &events).await;

    let position = rng.usize(1..=events.len());
    let live = fold(&events[..position]);
    assert_eq!(
        list(&catalog, position, vec![]).await,
        states(&live, |_| true)
    );
    let some: Vec<i32> = (0..64).filter(|_| rng.bool()).chain([63]).collect();
    let wanted = states(&live, |hash| some.contains(&(hash.bucket() as i32)));
    assert_eq!(list(&catalog, position, some).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_from_before_digests_gets_one() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let mut catalog = Catalog::start().await;
    // A log without hashes and a head without a digest …
    catalog.hold_log().await;
    write_history(&mut catalog, &mut rng, 25).await;
    forget_hashes(&catalog).await;
    catalog.free_log().await;
    catalog.events(count_events(&catalog).await).await;
    catalog.hold_log().await;
    sqlx::query("UPDATE log_head SET digest = NULL, documents = 0")
        .execute(&catalog.pool)
        .await
        .expect("forget the digest");
    let request = v1::GetLogDigestRequest::default();
    let pending = catalog.operations().get_log_digest(request).await;
    assert_eq!(pending.expect_err("none yet").code(), Code::Unavailable);
    // … events that waited for their positions during the upgrade …
    write_history(&mut catalog, &mut rng, 25).await;
    forget_hashes(&catalog).await;
    catalog.free_log().await;
    catalog.events(count_events(&catalog).await).await;
    // … and life afterwards.
    write_history(&mut catalog, &mut rng, 25).await;
    let events = catalog.events(count_events(&catalog).await).await;
    check_every_position(&mut catalog, &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_an_older_release_leaves_no_wrong_digest() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let mut catalog = Catalog::start().await;
    write_history(&mut catalog, &mut rng, 20).await;
    catalog.events(count_events(&catalog).await).await;
    // The release before digests knows neither hashes nor a digest; one that keeps hashes only is as
    // wrong about the digest, and nothing in its events tells.
    for hashes in ["NULL, NULL, false", "content_hash, previous_hash, hashed"] {
        catalog.hold_log().await;
        write_history(&mut catalog, &mut rng, 20).await;
        sequence_without_digest(&catalog, hashes).await;
        catalog.free_log().await;
        write_history(&mut catalog, &mut rng, 5).await;
        catalog.events(count_events(&catalog).await).await;
    }
    write_history(&mut catalog, &mut rng, 20).await;
    let events = catalog.events(count_events(&catalog).await).await;
    check_every_position(&mut catalog, &events).await;
}

async fn sequence_without_digest(catalog: &Catalog, hashes: &str) {
    let sequence = format!(
        "INSERT INTO event_log (position, event_id, product_id, version, event_type, occurred_at,
                                actor, traceparent, change, product, content_hash, previous_hash,
                                hashed)
         SELECT (SELECT position FROM log_head) + row_number() OVER (ORDER BY id), event_id,
                product_id, version, event_type, occurred_at, actor, traceparent, change, product,
                {hashes}
         FROM outbox"
    );
    for statement in [
        &sequence,
        "UPDATE log_head SET position = (SELECT max(position) FROM event_log)",
        "DELETE FROM outbox",
    ] {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&catalog.pool)
            .await;
        done.expect("sequence");
    }
}

/// Makes the events in the outbox look like those of an older release.
async fn forget_hashes(catalog: &Catalog) {
    let done =
        sqlx::query("UPDATE outbox SET content_hash = NULL, previous_hash = NULL, hashed = false")
            .execute(&catalog.pool)
            .await;
    done.expect("forget the hashes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_stops_the_sequencer_and_says_so() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    catalog.hold_log().await;
    // As an older release leaves the head, and a broken disk the event.
    for statement in [
        "ALTER TABLE event_log DISABLE TRIGGER event_log_append_only",
        "UPDATE event_log SET product = '{}'",
        "UPDATE log_head SET digest_position = NULL",
    ] {
        let done = sqlx::query(statement).execute(&catalog.pool).await;
        done.expect(statement);
    }
    catalog.free_log().await;
    let error = "sequencer: the event at position 1 of the log cannot be read";
    catalog
        .status_where("says so", |status| status.relay_error.contains(error))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_take_turns_until_they_are_read() {
    let mut catalog = Catalog::start().await;
    for batch in 0..5 {
        let rows = (0..1_000).map(|n| input(&format!("p{batch}-{n}"), "Mouse"));
        catalog.import(rows.collect()).await.expect("import");
    }
    catalog.events(5_000).await;
    let mut unread = Vec::new();
    for _ in 0..2 {
        let request = v1::ListLogProductsRequest::default();
        let mut slow = catalog.slow_operations(32 * 1024);
        let answers = slow.list_log_products(request).await;
        unread.push(answers.expect("products").into_inner());
    }
    let mut operations = catalog.operations();
    let request = v1::GetLogDigestRequest {
        position: 4_000,
        recompute: false,
    };
    let waits = tokio::spawn(async move { operations.get_log_digest(request).await });
    for _ in 0..20 {
        catalog.status().await;
        assert!(!waits.is_finished(), "two lists are in memory");
    }
    // The head's needs no turn.
    assert_eq!(digest_at(&catalog, 0, false).await.documents, 5_000);
    unread.clear();
    let digest = waits.await.expect("no panic").expect("digest").into_inner();
    assert_eq!(digest.documents, 4_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_products_and_more_are_listed_in_parts() {
    let mut catalog = Catalog::start().await;
    for batch in 0..3 {
        let rows = (0..500).map(|n| input(&format!("p{batch}-{n}"), "Mouse"));
        catalog.import(rows.collect()).await.expect("import");
    }
    let events = catalog.events(1_500).await;
    let live = fold(&events);
    assert_eq!(list(&catalog, 0, vec![]).await, states(&live, |_| true));
    // Further back than one query sums up.
    let unwound = digest_at(&catalog, 1, false).await;
    assert_eq!(unwound, expected(&fold(&events[..1]), 1));
    assert_eq!(
        digest_at(&catalog, 0, false).await,
        expected(&live, events.len())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_cannot_answer_is_refused() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    let mut operations = catalog.operations();
    for (position, code) in [(2, Code::OutOfRange), (-1, Code::InvalidArgument)] {
        for recompute in [false, true] {
            let request = v1::GetLogDigestRequest {
                position,
                recompute,
            };
            let refused = operations.get_log_digest(request).await;
            assert_eq!(refused.expect_err("refused").code(), code);
        }
        let buckets = vec![];
        let request = v1::ListLogProductsRequest { position, buckets };
        let refused = operations.list_log_products(request).await;
        assert_eq!(refused.expect_err("refused").code(), code);
    }
    let request = v1::ListLogProductsRequest {
        position: 1,
        buckets: vec![64],
    };
    let refused = operations.list_log_products(request).await;
    assert_eq!(
        refused.expect_err("no such bucket").code(),
        Code::InvalidArgument
    );
}
