//! Single writes that come at the same time: saved together, each with its own answer.

use std::collections::BTreeSet;

use catalog_proto::v1;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::{Catalog, input};

type Commands = CatalogCommandServiceClient<Channel>;

async fn create(mut commands: Commands, id: String) -> Result<v1::Product, Status> {
    let request = v1::CreateProductRequest {
        product: Some(input(&id, "Mouse")),
        ..Default::default()
    };
    let answer = commands.create_product(request).await?.into_inner();
    Ok(answer.product.expect("product"))
}

async fn change_price(
    mut commands: Commands,
    id: &str,
    price_minor: i64,
    expected_version: Option<i64>,
) -> Result<v1::Product, Status> {
    let request = v1::ChangePriceRequest {
        id: id.to_owned(),
        price_minor,
        expected_version,
        ..Default::default()
    };
    let answer = commands.change_price(request).await?.into_inner();
    Ok(answer.product.expect("product"))
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_share_statements_and_get_their_own_answers() {
    const WRITERS: usize = 300;
    let catalog = Catalog::start().await;
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        // Every third id is one that another writer takes as well.
        let id = format!("p{}", number - number % 3 / 2);
        writers.spawn(create(catalog.commands.clone(), id));
    }
    let (mut created, mut taken) = (BTreeSet::new(), 0);
    while let Some(written) = writers.join_next().await {
        match written.expect("no panic") {
            Ok(product) => {
                assert_eq!(product.version, 1);
                assert!(created.insert(product.id), "created twice");
            }
            Err(refused) => {
                assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
                taken += 1;
            }
        }
    }
    assert_eq!((created.len(), taken), (200, 100));
    let events = catalog.events(200).await;
    let ids: BTreeSet<String> = events
        .iter()
        .map(|one| one.product_id.to_string())
        .collect();
    assert_eq!(ids, created, "one event for each, and for nothing else");

    // One transaction saves what waits: far fewer than one a write.
    let count = "SELECT count(DISTINCT xmin::text) FROM products";
    let transactions: i64 = sqlx::query_scalar(count)
        .fetch_one(&catalog.pool)
        .await
        .expect("count");
    assert!(transactions < 200, "{transactions} transactions");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_product_take_turns() {
    const WRITERS: i64 = 50;
    let mut catalog = Catalog::start().await;
    catalog.create("p", "Mouse").await;
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let commands = catalog.commands.clone();
        writers.spawn(async move { change_price(commands, "p", 10_000 + number, None).await });
    }
    let mut versions = BTreeSet::new();
    while let Some(written) = writers.join_next().await {
        let product = written.expect("no panic").expect("written");
        assert!(
            versions.insert(product.version),
            "a version was given twice"
        );
    }
    assert_eq!(versions, (2..=WRITERS + 1).collect());
    let stale = change_price(catalog.commands.clone(), "p", 1, Some(7)).await;
    assert_eq!(stale.expect_err("stale").code(), Code::Aborted);
    let unknown = change_price(catalog.commands.clone(), "q", 1, None).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);
    let versions: Vec<i64> = catalog
        .events(51)
        .await
        .iter()
        .map(|one| one.version.get())
        .collect();
    assert_eq!(versions, (1..=WRITERS + 1).collect::<Vec<_>>());
}

/// While a transaction holds a product, only writers of that product wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_product_holds_up_only_its_own_writer() {
    let mut catalog = Catalog::start().await;
    catalog.create("held", "Mouse").await;
    let mut held = catalog.pool.begin().await.expect("transaction");
    sqlx::query("SELECT FROM products WHERE id = 'held' FOR UPDATE")
        .execute(&mut *held)
        .await
        .expect("lock");

    let commands = catalog.commands.clone();
    let waiter = tokio::spawn(async move {
        loop {
            match change_price(commands.clone(), "held", 5, None).await {
                // Waited for the lock for as long as one may.
                Err(late) if late.code() == Code::Unavailable => {}
                answer => return answer,
            }
        }
    });
    let mut others = JoinSet::new();
    for number in 0..40 {
        others.spawn(create(catalog.commands.clone(), format!("p{number}")));
    }
    while let Some(written) = others.join_next().await {
        written.expect("no panic").expect("nobody holds it");
    }
    assert!(!waiter.is_finished(), "its product is still held");
    held.commit().await.expect("commit");
    let changed = waiter.await.expect("no panic").expect("written");
    assert_eq!((changed.version, changed.price_minor), (2, 5));
}

/// A write that was handed in before the service was told to stop is saved and answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loses_no_write_that_was_accepted() {
    let mut catalog = Catalog::start().await;
    let mut writers = JoinSet::new();
    for number in 0..200 {
        writers.spawn(create(catalog.commands.clone(), format!("p{number}")));
    }
    let first = writers.join_next().await.expect("a writer");
    let mut acknowledged = BTreeSet::from([first.expect("no panic").expect("written").id]);
    catalog.stop_service().await;
    while let Some(written) = writers.join_next().await {
        acknowledged.extend(written.expect("no panic").map(|product| product.id));
    }
    let stored: Vec<String> = sqlx::query_scalar("SELECT id FROM products")
        .fetch_all(&catalog.pool)
        .await
        .expect("products");
    assert!(acknowledged.is_subset(&stored.into_iter().collect()));
}
