//! What readers do: searches and clicks as events, their statistics, popular queries, and views that
//! count less the older they are.

use std::time::Duration;

use async_nats::Subscriber;
use catalog_events::{
    CLICK_SUBJECT, ClickBatch, Clicked, SEARCH_SUBJECT, SearchBatch, Searched, SearchedBy,
};
use catalog_proto::v1;
use catalog_proto::v1::SearchStrategy;
use catalog_proto::v1::usage_service_client::UsageServiceClient;
use futures_util::StreamExt as _;
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::harness::{Replica, World, eventually, folder, ids};

fn usage(replica: &Replica) -> UsageServiceClient<Channel> {
    let channel = Channel::from_shared(replica.target.clone()).expect("uri");
    UsageServiceClient::new(channel.connect_lazy())
}

async fn click(
    replica: &Replica,
    search: &str,
    product: &str,
    position: i32,
) -> Result<(), Status> {
    let request = v1::RecordClickRequest {
        search_id: search.to_owned(),
        product_id: product.to_owned(),
        position,
    };
    usage(replica).record_click(request).await.map(|_| ())
}

async fn analytics(replica: &Replica) -> v1::GetSearchAnalyticsResponse {
    let request = v1::GetSearchAnalyticsRequest::default();
    let answer = usage(replica).get_search_analytics(request).await;
    answer.expect("analytics").into_inner()
}

/// Searches by words and returns the answer.
async fn ask(replica: &Replica, request: v1::SearchProductsRequest) -> v1::SearchProductsResponse {
    let request = v1::SearchProductsRequest {
        strategy: SearchStrategy::Keyword.into(),
        ..request
    };
    let answer = replica.catalog.clone().search_products(request).await;
    answer.expect("search").into_inner()
}

fn query(text: &str) -> v1::SearchProductsRequest {
    v1::SearchProductsRequest {
        query: text.to_owned(),
        ..Default::default()
    }
}

async fn shop() -> World {
    let mut world = World::without_model().await;
    for number in 0..4 {
        let id = format!("m{number}");
        world.put(&id, &format!("Gaming mouse {number}")).await;
    }
    world.put("cup", "Coffee cup").await;
    world
}

async fn subscribe(world: &World, subject: &'static str) -> Subscriber {
    let client = catalog_events::connect("subscriber", &world.nats.url()).await;
    let client = client.expect("connect");
    let subscriber = client.subscribe(subject).await.expect("subscribe");
    client.flush().await.expect("subscribed");
    subscriber
}

async fn payload(subscriber: &mut Subscriber) -> bytes::Bytes {
    let next = tokio::time::timeout(Duration::from_secs(20), subscriber.next());
    next.await.expect("in time").expect("message").payload
}

/// The next `count` searches; fails where the counters of a batch are wrong.
async fn searched(subscriber: &mut Subscriber, count: usize) -> Vec<Searched> {
    let mut searches = Vec::new();
    let mut sequence = 0;
    while searches.len() < count {
        let payload = payload(subscriber).await;
        let batch: SearchBatch = serde_json::from_slice(&payload).expect("batch");
        searches.extend(batch.searches);
        sequence += 1;
        let figures = (batch.sequence, batch.sent, batch.dropped);
        assert_eq!(figures, (sequence, searches.len() as u64, 0));
    }
    searches
}

async fn clicked(subscriber: &mut Subscriber) -> Vec<Clicked> {
    let payload = payload(subscriber).await;
    let batch: ClickBatch = serde_json::from_slice(&payload).expect("batch");
    batch.clicks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_told_once_and_without_personal_data() {
    let world = shop().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let mut events = subscribe(&world, SEARCH_SUBJECT).await;

    // Whatever is not to be told comes first, so that its event would be found before the others.
    let untracked = v1::SearchProductsRequest {
        untracked: true,
        ..query("mouse")
    };
    assert_eq!(ask(&replica, untracked).await.search_id, "");
    let list = v1::SearchProductsRequest {
        sort: v1::SortOrder::Newest.into(),
        ..query(" ")
    };
    assert_eq!(ask(&replica, list).await.search_id, "");
    let first_page = v1::SearchProductsRequest {
        limit: 1,
        ..query("  Gaming\tMOUSE ")
    };
    let first = ask(&replica, first_page.clone()).await;
    let second_page = v1::SearchProductsRequest {
        page_token: first.next_page_token.clone(),
        ..first_page
    };
    let second = ask(&replica, second_page).await;
    assert_eq!((second.products.len(), second.search_id.as_str()), (1, ""));
    let private = ask(&replica, query("mouse of jane.doe@example.org")).await;

    let told = searched(&mut events, 2).await;
    assert!(told[0].ms > 0.0);
    let expected = Searched {
        search_id: Uuid::try_parse(&first.search_id).expect("an id"),
        query: "  Gaming\tMOUSE ".to_owned(),
        normalized: "gaming mouse".to_owned(),
        strategy: SearchedBy::Keyword,
        total: 4,
        shown: 1,
        ms: told[0].ms,
        corrected: false,
        relaxed: false,
        degraded: false,
        filtered: false,
        at: told[0].at,
    };
    assert_eq!(told[0], expected);
    assert_eq!(told[1].search_id.to_string(), private.search_id);
    assert_eq!(
        (told[1].query.as_str(), told[1].normalized.as_str()),
        ("", "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_is_told_with_its_query_by_whatever_replica() {
    let world = shop().await;
    let (folder, other_folder) = (folder(), folder());
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let mut other = world.replica(&other_folder).await;
    other.caught_up(&world).await;
    let mut searches = subscribe(&world, SEARCH_SUBJECT).await;
    let mut clicks = subscribe(&world, CLICK_SUBJECT).await;

    let found = ask(&replica, query("Mouse")).await;
    let search = found.search_id.as_str();
    click(&replica, search, "m1", 2).await.expect("taken in");
    click(&replica, search, "m1", 2)
        .await
        .expect("taken in, and left out");
    let told = clicked(&mut clicks).await;
    assert_eq!(told.len(), 1);
    let expected = Clicked {
        search_id: Uuid::try_parse(search).expect("an id"),
        product_id: "m1".parse().expect("an id"),
        position: 2,
        query: Some("mouse".to_owned()),
        at: told[0].at,
    };
    assert_eq!(told[0], expected);

    // The other replica has heard of the search once its event is on the broker.
    searched(&mut searches, 1).await;
    eventually("known to the other replica", async || {
        let product = Uuid::new_v4().to_string();
        click(&other, search, &product, 1).await.expect("taken in");
        let told = clicked(&mut clicks).await;
        (told[0].query.as_deref() == Some("mouse")).then_some(())
    })
    .await;
    // A search that nobody remembers has no query.
    let forgotten = Uuid::new_v4().to_string();
    click(&replica, &forgotten, "m1", 1)
        .await
        .expect("taken in");
    assert_eq!(clicked(&mut clicks).await[0].query, None);

    let refused = click(&replica, "x", "not an id", 0).await;
    let refused = refused.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let violations = service_kit::violations(&refused);
    let fields: Vec<&str> = violations.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["search_id", "product_id", "position"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_are_counted_once_by_all_replicas_together() {
    let world = shop().await;
    let (folder, other_folder) = (folder(), folder());
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let mut other = world.replica(&other_folder).await;
    other.caught_up(&world).await;

    for replica in [&replica, &other, &replica] {
        let found = ask(replica, query("Mouse")).await;
        assert_eq!(found.products.len(), 4);
    }
    let found = ask(&replica, query("coffee")).await;
    click(&replica, &found.search_id, "cup", 1)
        .await
        .expect("taken in");
    ask(&other, query("zzzqqq")).await;
    let filter = v1::Filter {
        kind: Some(v1::filter::Kind::Terms(v1::TermsFilter {
            field: "brand".to_owned(),
            values: vec!["Nobody".to_owned()],
        })),
    };
    let nothing_left = v1::SearchProductsRequest {
        filter: Some(filter),
        ..query("mouse")
    };
    assert_eq!(ask(&replica, nothing_left).await.total, 0);

    let answer = eventually("counted", async || {
        let answer = analytics(&replica).await;
        let totals = answer.totals.unwrap_or_default();
        // Whatever is counted by now: one answer is of one instant.
        let of_queries: i64 = answer.popular.iter().map(|query| query.searches).sum();
        assert_eq!(of_queries, totals.searches, "{answer:?}");
        (totals.searches >= 6 && totals.clicks >= 1).then_some(answer)
    })
    .await;
    let totals = answer.totals.expect("totals");
    assert_eq!((answer.days, totals.searches, totals.clicks), (7, 6, 1));
    assert_eq!(totals.without_result, 2);
    let told = |one: &v1::QueryCount| (one.query.clone(), one.searches, one.total, one.clicks);
    let popular: Vec<_> = answer.popular.iter().map(told).collect();
    let expected = [("mouse", 4, 4, 0), ("coffee", 1, 1, 1), ("zzzqqq", 1, 0, 0)];
    assert_eq!(
        popular,
        expected.map(|(query, n, total, clicks)| (query.to_owned(), n, total, clicks))
    );
    // That a filter leaves nothing says nothing of the query.
    let without: Vec<_> = answer.without_result.iter().map(told).collect();
    assert_eq!(without, [("zzzqqq".to_owned(), 1, 0, 0)]);
    let places = answer
        .positions
        .iter()
        .map(|one| (one.position, one.shown, one.clicks));
    let expected = [(1, 4, 1), (2, 3, 0), (3, 3, 0), (4, 3, 0)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    let strategies: Vec<_> = answer
        .latency
        .iter()
        .map(|one| (one.strategy(), one.searches))
        .collect();
    let expected = [
        (SearchStrategy::Unspecified, 6),
        (SearchStrategy::Keyword, 6),
    ];
    assert_eq!(strategies, expected);
    let all = &answer.latency[0];
    assert!(0.0 < all.p50_ms && all.p50_ms <= all.p95_ms, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_many_searches_asked_completes_what_others_type() {
    let world = shop().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    for (text, times) in [
        ("Gaming MOUSE 2", 6),
        ("gaming mouse 3", 4),
        ("gaming jane@example.org", 9),
        ("gaming nothing zzzqqq", 9),
    ] {
        for _ in 0..times {
            ask(&replica, query(text)).await;
        }
    }
    let suggestions = async |prefix: &str| {
        let request = v1::AutocompleteRequest {
            prefix: prefix.to_owned(),
            limit: 0,
            ..Default::default()
        };
        let answer = replica.catalog.clone().autocomplete(request).await;
        answer.expect("completions").into_inner().suggestions
    };
    let is_expected =
        |one: &v1::Suggestion| (one.text.as_str(), one.searches) == ("gaming mouse 2", 6);
    let completions = eventually("popular", async || {
        let found = suggestions("GAM").await;
        found.iter().any(is_expected).then_some(found)
    })
    .await;
    assert!(is_expected(&completions[0]), "{completions:?}");
    assert!(completions[0].popular && completions[0].documents > 0);
    let popular = completions.iter().filter(|one| one.popular);
    let texts: Vec<&str> = popular.map(|one| one.text.as_str()).collect();
    assert!(!texts.iter().any(|text| text.contains('@')), "{texts:?}");
    assert!(!texts.contains(&"gaming mouse 3"), "{texts:?}");
    assert!(!texts.contains(&"gaming nothing zzzqqq"), "{texts:?}");
    // Words of the catalog are there too, and are not marked.
    let mut plain = completions.iter().filter(|one| !one.popular);
    assert!(plain.any(|one| one.text == "gaming"), "{completions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_views_count_less_and_those_of_an_older_release_count_on() {
    let world = shop().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    // As the release before writes them: without a weight.
    let written_before = "INSERT INTO product_views VALUES
        ('m0', 500, now() - interval '600 days'), ('m1', 40, now() - interval '30 days'),
        ('m2', 30, now()), ('m3', 8, now() - interval '30 days'), ('x', 1, now() - interval '400 days')";
    sqlx::query(written_before)
        .execute(&world.pool)
        .await
        .expect("views");
    replica.get("m3").await.expect("get");
    let (views, weight) = eventually("weighed", async || {
        let row: (i64, Option<f64>) =
            sqlx::query_as("SELECT views, weight FROM product_views WHERE product_id = 'm3'")
                .fetch_one(&world.pool)
                .await
                .expect("row");
        Some((row.0, row.1?))
    })
    .await;
    assert_eq!(views, 9);
    assert!((weight - 5.0).abs() < 0.01, "half of 8 and 1: {weight}");
    replica.stop().await;

    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let popular = v1::SearchProductsRequest {
        sort: v1::SortOrder::Popularity.into(),
        ..query("mouse")
    };
    // 30, 20 (half of 40), 5, and none of 500 after twenty half-lives.
    eventually("by popularity", async || {
        let found = ask(&replica, popular.clone()).await;
        (ids(&found.products) == ["m2", "m1", "m3", "m0"]).then_some(())
    })
    .await;
    eventually("forgotten", async || {
        let known: Vec<String> =
            sqlx::query_scalar("SELECT product_id FROM product_views ORDER BY 1")
                .fetch_all(&world.pool)
                .await
                .expect("rows");
        (known == ["m1", "m2", "m3"]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_bounded() {
    let world = shop().await;
    let (first_folder, folder) = (folder(), folder());
    let mut first = world.replica(&first_folder).await;
    first.caught_up(&world).await;
    let rows = "INSERT INTO search_queries
        SELECT (now() AT TIME ZONE 'UTC')::date - age, 'query ' || number, number, 0, 0, 0, 1, now()
        FROM generate_series(1, 1500) AS number, unnest(ARRAY[1, 200]) AS age";
    sqlx::query(rows).execute(&world.pool).await.expect("rows");
    let totals = "INSERT INTO search_totals VALUES (now()::date - 200, 'keyword', 1, 1, 1, 1)";
    sqlx::query(totals)
        .execute(&world.pool)
        .await
        .expect("rows");
    // The upkeep runs at every start.
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let kept = eventually("cut", async || {
        let kept: (i64, i64) = sqlx::query_as("SELECT count(*), min(searches) FROM search_queries")
            .fetch_one(&world.pool)
            .await
            .expect("count");
        (kept.0 <= 1_000).then_some(kept)
    })
    .await;
    assert_eq!(kept, (1_000, 501), "the most frequent of yesterday");
    let totals: i64 = sqlx::query_scalar("SELECT count(*) FROM search_totals")
        .fetch_one(&world.pool)
        .await
        .expect("count");
    assert_eq!(totals, 0);
}
