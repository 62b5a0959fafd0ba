//! A write that is sent again under its request id is answered the same and done once.

use std::time::Instant;

use catalog_proto::v1;
use service_kit::{reason, violations};
use tonic::{Code, Request, Status};

use crate::harness::{Catalog, DEADLINE, input};

fn create(id: &str, title: &str, request_id: &str) -> v1::CreateProductRequest {
    v1::CreateProductRequest {
        product: Some(input(id, title)),
        request_id: request_id.to_owned(),
    }
}

fn price(id: &str, price_minor: i64, request_id: &str) -> v1::ChangePriceRequest {
    v1::ChangePriceRequest {
        id: id.to_owned(),
        price_minor,
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

async fn change_price(
    catalog: &mut Catalog,
    request: v1::ChangePriceRequest,
) -> Result<v1::ChangePriceResponse, Status> {
    let answer = catalog.commands.change_price(request).await;
    answer.map(tonic::Response::into_inner)
}

fn assert_reused(status: &Status) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(reason(status).as_deref(), Some("REQUEST_ID_REUSED"));
    assert_eq!(violations(status)[0].0, "request_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_fifty_times_at_once_is_one_write() {
    let mut catalog = Catalog::start().await;
    let (other, running) = catalog.start_another().await;
    let calls = (0..50).map(|n| {
        let mut commands = match n % 2 {
            0 => catalog.commands.clone(),
            _ => other.clone(),
        };
        // No id: the service makes one up, and it must be the same one for all.
        let request = create("", "Mouse", "r1");
        tokio::spawn(async move { commands.create_product(request).await })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.expect("no panic").expect("an answer");
        answers.push(answer.into_inner());
    }
    assert_eq!(answers.len(), 50);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(!answers[0].consistency_token.is_empty());
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM products")
        .fetch_all(&catalog.pool)
        .await
        .expect("products");
    assert_eq!(versions, [1]);
    assert_eq!(catalog.events(1).await.len(), 1);
    assert_eq!(catalog.status().await.outbox_pending, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_for_one_id_leave_one_of_them() {
    let catalog = Catalog::start().await;
    let calls = (0..50).map(|n| {
        let mut commands = catalog.commands.clone();
        let request = create("", &format!("Mouse {n}"), "r1");
        tokio::spawn(async move { commands.create_product(request).await })
    });
    let mut written = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.expect("no panic") {
            Ok(_) => written += 1,
            Err(status) => assert_reused(&status),
        }
    }
    assert_eq!(written, 1);
    assert_eq!(catalog.events(1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_the_same_id_is_refused() {
    let mut catalog = Catalog::start().await;
    let first = create("p1", "Mouse", "r1");
    let created = catalog.commands.create_product(first).await;
    created.expect("create");

    let rat = create("p1", "Rat", "r1");
    let other = catalog.commands.create_product(rat).await;
    assert_reused(&other.expect_err("another title"));
    let delete = v1::DeleteProductRequest {
        id: "p1".to_owned(),
        request_id: "r1".to_owned(),
        ..Default::default()
    };
    let other = catalog.commands.delete_product(delete).await;
    assert_reused(&other.expect_err("another operation"));

    change_price(&mut catalog, price("p1", 5, "r2"))
        .await
        .expect("change price");
    let expecting = v1::ChangePriceRequest {
        expected_version: Some(2),
        ..price("p1", 5, "r2")
    };
    let other = change_price(&mut catalog, expecting).await;
    assert_reused(&other.expect_err("another expected version"));
    assert_eq!(catalog.events(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_outlives_the_product_and_the_service() {
    let mut catalog = Catalog::start().await;
    let request = create("", "Mouse", "r1");
    let created = catalog.commands.create_product(request.clone()).await;
    let first = created.expect("create").into_inner();
    let id = first.product.clone().expect("product").id;
    let changed = change_price(&mut catalog, price(&id, 5, "r2")).await;
    let delete = v1::DeleteProductRequest {
        id: id.clone(),
        expected_version: Some(2),
        request_id: "r3".to_owned(),
    };
    let gone = catalog.commands.delete_product(delete.clone()).await;
    let deleted = gone.expect("delete").into_inner();

    catalog.stop_service().await;
    let (commands, running) = catalog.start_another().await;
    catalog.commands = commands;
    let again = catalog.commands.create_product(request).await;
    assert_eq!(again.expect("create again").into_inner(), first);
    let again = change_price(&mut catalog, price(&id, 5, "r2")).await;
    assert_eq!(again.expect("again"), changed.expect("change price"));
    let again = catalog.commands.delete_product(delete).await;
    assert_eq!(again.expect("delete again").into_inner(), deleted);
    assert_eq!(catalog.events(3).await.len(), 3);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_remembered_and_no_change_is() {
    let mut catalog = Catalog::start().await;
    let missing = change_price(&mut catalog, price("p1", 5, "r1")).await;
    assert_eq!(missing.expect_err("unknown").code(), Code::NotFound);
    catalog.create("p1", "Mouse").await;
    let decided = change_price(&mut catalog, price("p1", 5, "r1")).await;
    assert_eq!(version(decided), 2, "decided anew");

    let same = change_price(&mut catalog, price("p1", 5, "r2")).await;
    assert_eq!(version(same), 2, "changes nothing");
    let other = change_price(&mut catalog, price("p1", 6, "r3")).await;
    assert_eq!(version(other), 3);
    let again = change_price(&mut catalog, price("p1", 5, "r2")).await;
    assert_eq!(version(again), 2, "must not take the later price back");
    assert_eq!(catalog.events(3).await.len(), 3);
}

fn version(answer: Result<v1::ChangePriceResponse, Status>) -> i64 {
    let product = answer.expect("an answer").product;
    product.expect("product").version
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_batch_is_answered_again_row_by_row() {
    let mut catalog = Catalog::start().await;
    let batch = v1::ImportProductsRequest {
        products: vec![
            input("p1", "Mouse"),
            // Two mistakes, of which the first is answered.
            v1::ProductInput {
                price_minor: -1,
                ..input("p2", "")
            },
            input("p3", "Rat"),
        ],
        request_id: "r1".to_owned(),
        ..Default::default()
    };
    let first = catalog.import_batch(batch.clone()).await.expect("import");
    assert_eq!((first.created, first.rejected.len()), (2, 1));
    assert_eq!(first.rejected[0].field, "title");
    let kept: String = sqlx::query_scalar("SELECT outcome::text FROM idempotency")
        .fetch_one(&catalog.pool)
        .await
        .expect("outcome");
    assert!(kept.contains("title") && !kept.contains("price"), "{kept}");
    change_price(&mut catalog, price("p1", 5, ""))
        .await
        .expect("change price");
    let again = catalog.import_batch(batch.clone()).await.expect("again");
    assert_eq!(again, first);
    assert_eq!(catalog.events(3).await.len(), 3, "the price was kept");

    let mut shorter = batch;
    shorter.products.pop();
    let other = catalog.import_batch(shorter).await;
    assert_reused(&other.expect_err("another batch"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_derived_from_the_same_statement_is_the_same() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    let request = |expected, statement: &'static str| {
        let mut request = Request::new(v1::ChangePriceRequest {
            expected_version: Some(expected),
            ..price("p1", 5, "r1")
        });
        let metadata = request.metadata_mut();
        metadata.insert("catalog-derived-from", statement.parse().expect("ASCII"));
        request
    };
    let changed = catalog.commands.change_price(request(1, "0.05")).await;
    let first = changed.expect("change price").into_inner();
    // Derived anew from the version that the write itself has left.
    let again = catalog.commands.change_price(request(2, "0.05")).await;
    assert_eq!(again.expect("again").into_inner(), first);
    let other = catalog.commands.change_price(request(1, "0.5")).await;
    assert_reused(&other.expect_err("another statement"));
}

/// A caller that must read before it can write first asks for an earlier answer: no product is ever at
/// the version that it expects.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_at_no_version_only_asks_for_an_earlier_answer() {
    let mut catalog = Catalog::start().await;
    let update = |price_minor, expected| {
        let mut request = Request::new(v1::UpdateProductRequest {
            product: Some(v1::ProductInput {
                currency: "USD".to_owned(),
                price_minor,
                ..input("p1", "Rat")
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: ["title", "price_minor", "currency"]
                    .map(String::from)
                    .into(),
            }),
            expected_version: Some(expected),
            request_id: "r1".to_owned(),
        });
        let metadata = request.metadata_mut();
        metadata.insert("catalog-derived-from", "0.05".parse().expect("ASCII"));
        request
    };
    let code = |status: Status| status.code();
    let probe = catalog.commands.update_product(update(0, i64::MAX)).await;
    assert_eq!(probe.map_err(code).err(), Some(Code::NotFound));
    catalog.create("p1", "Mouse").await;
    let probe = catalog.commands.update_product(update(0, i64::MAX)).await;
    assert_eq!(probe.map_err(code).err(), Some(Code::Aborted));

    let updated = catalog.commands.update_product(update(5, 1)).await;
    let first = updated.expect("update").into_inner();
    assert_eq!(first.product.as_ref().expect("product").price_minor, 5);
    let probe = catalog.commands.update_product(update(0, i64::MAX)).await;
    assert_eq!(probe.expect("an earlier answer").into_inner(), first);
    assert_eq!(catalog.events(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_counts_for_a_day_and_is_then_forgotten() {
    let mut catalog = Catalog::start().await;
    catalog
        .commands
        .create_product(create("p1", "Mouse", "r1"))
        .await
        .expect("create");
    let hours: f64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM expires_at - now())::float8 / 3600 FROM idempotency",
    )
    .fetch_one(&catalog.pool)
    .await
    .expect("expiry");
    assert!((23.0..=24.0).contains(&hours), "{hours}");
    expire(&catalog).await;
    let other = create("p2", "Rat", "r1");
    let reborn = catalog.commands.create_product(other.clone()).await;
    let created = reborn.expect("the id is free").into_inner();
    let again = catalog.commands.create_product(other).await;
    assert_eq!(again.expect("again").into_inner(), created);

    // More than one batch of expired ones, and one that still counts.
    catalog.stop_service().await;
    sqlx::query(
        "INSERT INTO idempotency SELECT 'old-' || n, '', 'null', now() - interval '1 hour'
         FROM generate_series(1, 2500) AS n",
    )
    .execute(&catalog.pool)
    .await
    .expect("insert");
    let (_, running) = catalog.start_another().await;
    let started = Instant::now();
    loop {
        let left: Vec<String> = sqlx::query_scalar("SELECT request_id FROM idempotency")
            .fetch_all(&catalog.pool)
            .await
            .expect("idempotency");
        if left == ["r1"] {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "{} are left", left.len());
    }
    running.stop().await;
}

async fn expire(catalog: &Catalog) {
    sqlx::query("UPDATE idempotency SET expires_at = now() - interval '1 second'")
        .execute(&catalog.pool)
        .await
        .expect("expire");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_bounded_and_visible() {
    let mut catalog = Catalog::start().await;
    for bad in ["two words", "caf\u{e9}", "\n", &"x".repeat(256)] {
        let refused = catalog
            .commands
            .create_product(create("p1", "Mouse", bad))
            .await
            .expect_err("a bad request id");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(violations(&refused)[0].0, "request_id");
        let batch = v1::ImportProductsRequest {
            products: vec![input("p1", "Mouse")],
            request_id: bad.to_owned(),
            ..Default::default()
        };
        let refused = catalog.import_batch(batch).await.expect_err("a bad one");
        assert_eq!(violations(&refused)[0].0, "request_id");
    }
    let longest = "~".repeat(255);
    let created = catalog
        .commands
        .create_product(create("p1", "Mouse", &longest))
        .await;
    created.expect("a good request id");
}
