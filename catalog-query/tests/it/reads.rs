//! Reads by id, in batches and by search, as readers see them.

use std::time::Duration;

use catalog_events::{READ_SUBJECT, ReadBatch};
use catalog_proto::v1;
use catalog_proto::v1::SearchStrategy;
use futures_util::StreamExt as _;
use tonic::{Code, Status};

use crate::harness::{Replica, World, eventually, folder, ids};

async fn batch(replica: &Replica, ids: Vec<String>) -> Result<Vec<v1::Product>, Status> {
    let request = v1::BatchGetProductsRequest {
        ids,
        ..Default::default()
    };
    let answer = replica.catalog.clone().batch_get_products(request).await?;
    Ok(answer.into_inner().products)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_served_by_id_in_batches_and_by_search() {
    let mut world = World::new().await;
    world.put("mouse", "Gaming mouse with RGB light").await;
    world.put("keyboard", "Mechanical keyboard").await;
    world.put("cup", "Coffee cup").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;

    let mouse = replica.get("mouse").await.expect("get");
    assert_eq!(
        (mouse.title.as_str(), mouse.price),
        ("Gaming mouse with RGB light", 19.99)
    );
    for unknown in ["nobody", "", "a.b", "*"] {
        assert_eq!(
            replica.get(unknown).await.expect_err("unknown").code(),
            Code::NotFound
        );
    }

    let names = ["cup", "nobody", "mouse", "not an id"].map(str::to_owned);
    let products = batch(&replica, names.to_vec()).await.expect("batch");
    assert_eq!(ids(&products), ["cup", "mouse"]);
    let too_many = batch(&replica, vec!["x".to_owned(); 101]).await;
    let refused = too_many.expect_err("over the limit");
    assert_eq!(refused.code(), Code::InvalidArgument);

    for strategy in [
        SearchStrategy::Unspecified,
        SearchStrategy::Keyword,
        SearchStrategy::Vector,
    ] {
        let found = replica
            .search("gaming mouse", strategy)
            .await
            .expect("search");
        assert_eq!(ids(&found.products)[0], "mouse", "{strategy:?}");
        assert!(!found.degraded);
    }
    // No word in common: only the meaning finds it.
    let found = replica
        .search("espresso mug", SearchStrategy::Hybrid)
        .await
        .expect("search");
    assert_eq!(ids(&found.products)[0], "cup");
    assert_eq!(found.strategy(), SearchStrategy::Hybrid);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_searches_are_refused_and_odd_ones_are_harmless() {
    let mut world = World::without_model().await;
    world.put("mouse", "Gaming mouse").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;

    for bad in ["", "   ", &"x".repeat(1_000_000)] {
        let refused = replica
            .search(bad, SearchStrategy::Keyword)
            .await
            .expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(service_kit::violations(&refused)[0].0, "query");
    }
    let open = "(".repeat(900);
    for odd in [
        open.as_str(),
        "AND OR NOT",
        "title:*",
        "\"",
        "-",
        "\u{0}\u{202E}",
        "a^b~2 [x TO y]",
    ] {
        replica
            .search(odd, SearchStrategy::Keyword)
            .await
            .expect("harmless");
    }
    let negative = v1::SearchProductsRequest {
        query: "x".into(),
        limit: -1,
        strategy: 0,
        ..Default::default()
    };
    let refused = replica
        .catalog
        .search_products(negative)
        .await
        .expect_err("negative limit");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_search_is_by_keyword_and_says_so() {
    let mut world = World::without_model().await;
    world.put("mouse", "Gaming mouse").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let found = replica
        .search("mouse", SearchStrategy::Hybrid)
        .await
        .expect("search");
    assert_eq!(ids(&found.products), ["mouse"]);
    assert!(found.degraded);
    assert_eq!(found.strategy(), SearchStrategy::Keyword);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_follows_events_also_for_what_was_not_there() {
    let mut world = World::without_model().await;
    let folder = folder();
    let replica = world.replica(&folder).await;
    for round in 1..=5 {
        assert_eq!(
            replica.get("p").await.expect_err("absent").code(),
            Code::NotFound
        );
        world.put("p", "first").await;
        eventually("served", async || replica.get("p").await.ok()).await;
        world.put("p", "second").await;
        eventually("replaced", async || {
            replica
                .get("p")
                .await
                .ok()
                .filter(|product| product.title == "second")
        })
        .await;
        world.delete("p").await;
        eventually("gone", async || replica.get("p").await.err()).await;
        assert_eq!(world.position(), round * 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_published_and_views_counted() {
    let mut world = World::without_model().await;
    world.put("seen", "Gaming mouse").await;
    world.put("unseen", "Coffee cup").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let client = catalog_events::connect("subscriber", &world.nats.url())
        .await
        .expect("connect");
    let mut reads = client.subscribe(READ_SUBJECT).await.expect("subscribe");
    client.flush().await.expect("subscribed");

    for _ in 0..7 {
        replica.get("seen").await.expect("get");
    }
    let mut received = Vec::new();
    while received.len() < 7 {
        let message = tokio::time::timeout(Duration::from_secs(10), reads.next())
            .await
            .expect("in time")
            .expect("message");
        let batch: ReadBatch = serde_json::from_slice(&message.payload).expect("batch");
        received.extend(batch.reads);
        assert_eq!((batch.sent, batch.dropped), (received.len() as u64, 0));
    }
    assert!(
        received
            .iter()
            .all(|read| read.product_id.as_str() == "seen")
    );
    let views = eventually("counted", async || {
        let counted: Vec<(String, i64)> =
            sqlx::query_as("SELECT product_id, views FROM product_views")
                .fetch_all(&world.pool)
                .await
                .expect("views");
        (!counted.is_empty()).then_some(counted)
    })
    .await;
    assert_eq!(views, [("seen".to_owned(), 7)]);
}
