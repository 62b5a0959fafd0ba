//! Pages of products: all by id, those that changed since, and those with some identifiers.

use std::collections::HashMap;
use std::time::Duration;

use catalog_events::{Product, TokenKey};
use catalog_proto::v1;
use prost_types::Timestamp;
use service_kit::violations;
use sqlx::AssertSqlSafe;
use time::OffsetDateTime;
use tonic::{Code, Status};

use crate::harness::{Replica, World, eventually, folder, ids, product};
use crate::rebuild::rebuild;

async fn list(
    replica: &Replica,
    request: v1::ListProductsRequest,
) -> Result<v1::ListProductsResponse, Status> {
    let answer = replica.catalog.clone().list_products(request).await?;
    Ok(answer.into_inner())
}

fn all(page_size: i32) -> v1::ListProductsRequest {
    v1::ListProductsRequest {
        page_size,
        ..Default::default()
    }
}

fn since(seconds: i64, page_size: i32) -> v1::ListProductsRequest {
    v1::ListProductsRequest {
        updated_since: Some(Timestamp { seconds, nanos: 0 }),
        ..all(page_size)
    }
}

/// The rest of the pages, from this request on.
async fn pages(replica: &Replica, mut request: v1::ListProductsRequest) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = list(replica, request.clone()).await.expect("a page");
        pages.push(page.products.into_iter().map(|it| it.id).collect());
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return pages;
        }
    }
}

fn changed_at(id: &str, title: &str, seconds: i64) -> Product {
    Product {
        updated_at: OffsetDateTime::from_unix_timestamp(seconds).expect("time"),
        ..product(id, title)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_stays_is_listed_once_by_id_whatever_is_written() {
    let mut world = World::without_model().await;
    for n in 0..25 {
        world.put(&format!("p{n:02}"), "Lamp").await;
    }
    world.delete("p07").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let whole = list(&replica, all(0)).await.expect("list");
    assert_eq!((whole.products.len(), whole.total), (24, Some(24)));
    assert_eq!(
        whole.next_page_token, "",
        "a page that holds all is the last"
    );
    assert!(!whole.stale);

    let mut request = all(4);
    let mut seen: HashMap<String, usize> = HashMap::new();
    for page in 0.. {
        let listed = list(&replica, request.clone()).await.expect("a page");
        for product in &listed.products {
            *seen.entry(product.id.clone()).or_default() += 1;
        }
        if listed.next_page_token.is_empty() {
            break;
        }
        request.page_token = listed.next_page_token;
        // What is listed already changes, something comes before the place and something behind it.
        world.put("p01", &format!("Lamp {page}")).await;
        world.put(&format!("p00-{page}"), "New").await;
        world.delete(&format!("p2{page}")).await;
        replica.caught_up(&world).await;
        if page == 2 {
            rebuild(&replica).await.expect("rebuilt");
        }
    }
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    let stayed = (0..20).filter(|n| *n != 7).map(|n| format!("p{n:02}"));
    for id in stayed {
        assert!(seen.contains_key(&id), "{id} is missing in {seen:?}");
    }
    let exact = pages(&replica, all(1)).await;
    assert!(exact.iter().all(|page| page.len() == 1), "no empty page");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_since_a_time_is_missed() {
    let mut world = World::without_model().await;
    for n in 0..10 {
        let id = format!("p{n}");
        world.put_product(changed_at(&id, "Lamp", 1_000 + n)).await;
    }
    world.delete("p8").await;
    // The clock of this writer is behind.
    world.put_product(changed_at("late", "Lamp", 1_006)).await;
    world.put_product(changed_at("early", "Lamp", 1_001)).await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let every = list(&replica, since(0, 0)).await.expect("list");
    assert_eq!((every.products.len(), every.total), (11, None));
    let none = list(&replica, since(1_000_000, 0)).await.expect("list");
    assert_eq!(
        (none.products.len(), none.next_page_token.as_str()),
        (0, "")
    );

    let request = since(1_005, 2);
    let first = list(&replica, request.clone()).await.expect("list");
    assert_eq!(ids(&first.products), ["p5", "p6"]);
    // One that was listed, one that would be, one that is older than asked for until now; and a time
    // that lies before the place that the pages have come to.
    world.put_product(changed_at("p5", "Again", 1_020)).await;
    world.put_product(changed_at("p7", "Again", 1_021)).await;
    world.put_product(changed_at("p1", "Again", 1_005)).await;
    replica.caught_up(&world).await;
    let rest = v1::ListProductsRequest {
        page_token: first.next_page_token,
        ..request
    };
    let rest = pages(&replica, rest).await;
    let expected = [vec!["p9", "late"], vec!["p5", "p7"], vec!["p1"]];
    assert_eq!(rest, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_are_equal_however_they_are_written() {
    let mut world = World::without_model().await;
    let identified = |id: &str, sku: &str, gtins: &[&str]| Product {
        sku: Some(sku.to_owned()),
        gtins: gtins.iter().map(|gtin| (*gtin).to_owned()).collect(),
        updated_at: OffsetDateTime::from_unix_timestamp(1_000).expect("time"),
        ..product(id, "Headphones")
    };
    world
        .put_product(identified("a", "WH-1000 XM4", &["4006381333931"]))
        .await;
    world.put_product(identified("b", "wh1000xm4", &[])).await;
    world
        .put_product(identified("c", "4006381333931", &["0012345678905"]))
        .await;
    world.put("d", "WH-1000 XM4").await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let found = async |replica: &Replica, skus: &[&str], gtins: &[&str], size| {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        let request = v1::ListProductsRequest {
            skus: texts(skus),
            gtins: texts(gtins),
            ..all(size)
        };
        pages(replica, request).await
    };
    let none = Vec::<Vec<String>>::from([vec![]]);
    assert_eq!(
        found(&replica, &["WH 1000-XM4"], &[], 0).await,
        [["a", "b"]]
    );
    assert_eq!(
        found(&replica, &["wh1000xm4"], &[], 1).await,
        [["a"], ["b"]]
    );
    assert_eq!(found(&replica, &[], &["12345678905"], 0).await, [["c"]]);
    assert_eq!(found(&replica, &[], &["4006381333931"], 0).await, [["a"]]);
    assert_eq!(found(&replica, &["4006381333931"], &[], 0).await, [["c"]]);
    let either = found(&replica, &["WH1000XM4"], &["12345678905"], 0).await;
    assert_eq!(either, [["a", "b", "c"]]);
    assert_eq!(found(&replica, &["WH-1000"], &["99"], 0).await, none);

    world.delete("a").await;
    let reader = v1::ListProductsRequest {
        skus: vec!["WH1000XM4".to_owned()],
        updated_since: Some(Timestamp::default()),
        consistency_tokens: vec![world.token("a")],
        consistency_wait_ms: 2_000,
        ..Default::default()
    };
    let fresh = list(&replica, reader).await.expect("list");
    assert_eq!((ids(&fresh.products), fresh.stale), (vec!["b"], false));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_named_and_no_forged_token_is_taken() {
    let mut world = World::without_model().await;
    for id in ["a", "b", "c"] {
        world.put(id, "Lamp").await;
    }
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let first = list(&replica, all(1)).await.expect("list");
    let token = first.next_page_token;
    let forged = TokenKey::new("another secret").seal_bytes("page of products 1", &[0; 10]);
    let with = |page_token: &str, request: v1::ListProductsRequest| v1::ListProductsRequest {
        page_token: page_token.to_owned(),
        ..request
    };
    let mut changed = token.clone();
    changed.replace_range(
        3..4,
        if changed[3..].starts_with('A') {
            "B"
        } else {
            "A"
        },
    );
    let skus = |skus: Vec<String>| v1::ListProductsRequest { skus, ..all(0) };
    let bad = [
        ("page_size", all(-1)),
        ("page_token", with("x", all(1))),
        ("page_token", with(&"x".repeat(100_000), all(1))),
        ("page_token", with(&forged, all(1))),
        ("page_token", with(&changed, all(1))),
        ("page_token", with(&world.token("a"), all(1))),
        ("page_token", with(&token, since(0, 1))),
        ("page_token", with(&token, skus(vec!["a".to_owned()]))),
        ("skus", skus(vec!["--".to_owned()])),
        ("skus", skus(vec!["a1".to_owned(); 101])),
        ("updated_since", since(i64::MAX, 1)),
        (
            "consistency_tokens",
            v1::ListProductsRequest {
                consistency_tokens: vec![token.clone()],
                ..all(1)
            },
        ),
    ];
    for (field, request) in bad {
        let refused = list(&replica, request.clone()).await.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument, "{request:?}");
        assert_eq!(violations(&refused)[0].0, field, "{refused:?}");
    }
    let other_size = list(&replica, with(&token, all(500))).await.expect("list");
    assert_eq!(ids(&other_size.products), ["b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_products_is_shorter() {
    let mut world = World::without_model().await;
    for n in 0..8 {
        let large = Product {
            description: "x".repeat(600_000),
            ..product(&format!("p{n}"), "Large")
        };
        world.put_product(large).await;
    }
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let pages = pages(&replica, all(0)).await;
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(
        sizes,
        [3, 3, 2],
        "all of them, in answers that clients take"
    );
}

/// The names of the whole indexes of lists on a generation.
async fn indexes(world: &World, generation: i64) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         JOIN pg_index ON indexrelid = pg_class.oid
         WHERE indrelid = to_regclass($1) AND indisvalid AND relname <> 'documents_pk'
         ORDER BY relname",
    )
    .bind(format!("generation_{generation}.documents"))
    .fetch_all(&world.pool)
    .await
    .expect("indexes")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_of_an_older_release_gets_its_indexes_without_a_rebuild() {
    let both = ["documents_by_position", "documents_by_update"];
    let mut world = World::without_model().await;
    world.put_product(changed_at("a", "Lamp", 1_000)).await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    assert_eq!(indexes(&world, 1).await, both, "a new one has them");
    replica.stop().await;

    // What the release before has left, and an index whose making was broken off.
    for statement in [
        "DROP INDEX generation_1.documents_by_update",
        "UPDATE pg_index SET indisvalid = false
         WHERE indexrelid = 'generation_1.documents_by_position'::regclass",
    ] {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&world.pool)
            .await
            .expect(statement);
    }
    assert!(indexes(&world, 1).await.is_empty());
    // Readers of the table keep the indexes from being made.
    let mut reader = world.pool.begin().await.expect("begin");
    sqlx::query("LOCK TABLE generation_1.documents IN ROW EXCLUSIVE MODE")
        .execute(&mut *reader)
        .await
        .expect("lock");
    let replica = world.replica(&folder).await;
    let second_folder = crate::harness::folder();
    let second = world.replica(&second_folder).await;
    let slower = eventually("answered", async || list(&replica, since(0, 0)).await.ok()).await;
    assert_eq!(ids(&slower.products), ["a"], "answered without them too");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(indexes(&world, 1).await.is_empty());
    reader.commit().await.expect("commit");
    eventually("indexed", async || {
        (indexes(&world, 1).await == both).then_some(())
    })
    .await;
    world.put_product(changed_at("b", "Lamp", 1_001)).await;
    let mut replica = replica;
    replica.caught_up(&world).await;
    assert_eq!(pages(&replica, since(1_001, 0)).await, [["b"]]);
    second.stop().await;
}
