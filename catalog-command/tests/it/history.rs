//! The past of a product, whether its events have their positions yet or not.

use catalog_proto::v1;
use catalog_proto::v1::get_product_as_of_request::AsOf;
use prost_types::{FieldMask, Timestamp};
use service_kit::{reason, violations};
use tonic::{Code, Status};

use crate::harness::{Catalog, input};

async fn history(
    catalog: &mut Catalog,
    id: &str,
    limit: i32,
    before_version: i64,
) -> Result<v1::GetProductHistoryResponse, Status> {
    let request = v1::GetProductHistoryRequest {
        id: id.to_owned(),
        limit,
        before_version,
    };
    let answer = catalog.commands.get_product_history(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn as_of(catalog: &mut Catalog, as_of: AsOf) -> Result<v1::Product, Status> {
    let request = v1::GetProductAsOfRequest {
        id: "p1".to_owned(),
        as_of: Some(as_of),
    };
    let answer = catalog.commands.get_product_as_of(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn change_price(catalog: &mut Catalog, price_minor: i64) {
    let request = v1::ChangePriceRequest {
        id: "p1".to_owned(),
        price_minor,
        ..Default::default()
    };
    catalog
        .commands
        .change_price(request)
        .await
        .expect("change price");
}

/// Creates a product, renames it, makes it cheaper, deletes it and creates it again: versions 1 to 5.
async fn live_a_life(catalog: &mut Catalog) {
    catalog.create("p1", "Mouse").await;
    let rename = v1::UpdateProductRequest {
        product: Some(v1::ProductInput {
            brand: "Acme".to_owned(),
            ..input("p1", "Rat")
        }),
        update_mask: Some(FieldMask {
            paths: vec!["title".to_owned(), "brand".to_owned()],
        }),
        ..Default::default()
    };
    catalog
        .commands
        .update_product(rename)
        .await
        .expect("update");
    change_price(catalog, 5).await;
    let delete = v1::DeleteProductRequest {
        id: "p1".to_owned(),
        ..Default::default()
    };
    catalog
        .commands
        .delete_product(delete)
        .await
        .expect("delete");
    catalog.create("p1", "Mouse again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_what_happened_before_and_after_the_events_have_positions() {
    let mut catalog = Catalog::start().await;
    let held = catalog.hold_sequencer().await;
    live_a_life(&mut catalog).await;
    let pending = history(&mut catalog, "p1", 0, 0).await.expect("history");
    let positions = pending.changes.iter().map(|change| change.position);
    assert_eq!(positions.collect::<Vec<_>>(), [0; 5]);

    held.rollback().await.expect("let the sequencer go");
    catalog.events(5).await;
    let logged = history(&mut catalog, "p1", 0, 0).await.expect("history");
    let positions = logged.changes.iter().map(|change| change.position);
    assert_eq!(positions.collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    let without_position = |mut change: v1::ProductChange| {
        change.position = 0;
        change
    };
    let same: Vec<_> = logged
        .changes
        .iter()
        .cloned()
        .map(without_position)
        .collect();
    assert_eq!(same, pending.changes, "nothing else differs");

    let kinds: Vec<_> = logged
        .changes
        .iter()
        .map(|change| change.r#type())
        .collect();
    use v1::ChangeType::{Created, Deleted, PriceChanged, Updated};
    assert_eq!(kinds, [Created, Deleted, PriceChanged, Updated, Created]);
    let [_, deleted, cheaper, renamed, first] = &logged.changes[..] else {
        panic!("five changes: {logged:?}");
    };
    assert_eq!(deleted.product, None);
    assert_eq!(cheaper.previous_price_minor, Some(1999));
    assert_eq!(cheaper.previous_currency, "USD");
    assert_eq!(renamed.changed_fields, ["title", "brand"]);
    let product = first.product.as_ref().expect("product");
    assert_eq!((product.version, product.title.as_str()), (1, "Mouse"));
    assert_eq!(first.actor, "anonymous");
    assert_eq!(first.occurred_at, product.updated_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn comes_in_pages() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    for price in 1..=119 {
        change_price(&mut catalog, price).await;
    }
    let versions = |page: &v1::GetProductHistoryResponse| {
        let versions = page.changes.iter().map(|change| change.version);
        versions.collect::<Vec<_>>()
    };
    let page = history(&mut catalog, "p1", 0, 0).await.expect("a page");
    assert_eq!(versions(&page), (101..=120).rev().collect::<Vec<_>>());
    assert_eq!(page.next_before_version, 101);
    let next = page.next_before_version;
    let page = history(&mut catalog, "p1", 1_000, next).await.expect("100");
    assert_eq!(versions(&page), (1..=100).rev().collect::<Vec<_>>());
    assert_eq!(page.next_before_version, 0);
    let page = history(&mut catalog, "p1", 5, 1).await.expect("none");
    assert_eq!((versions(&page), page.next_before_version), (vec![], 0));
    let page = history(&mut catalog, "p1", 1, i64::MAX).await.expect("one");
    assert_eq!(
        (versions(&page), page.next_before_version),
        (vec![120], 120)
    );

    for (limit, before, field) in [(-1, 0, "limit"), (1, -1, "before_version")] {
        let refused = history(&mut catalog, "p1", limit, before)
            .await
            .expect_err("negative");
        assert_eq!(violations(&refused)[0].0, field);
    }
    let unknown = history(&mut catalog, "nobody", 0, 0).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_large_products_are_shorter() {
    let mut catalog = Catalog::start().await;
    let text = v1::AttributeValue {
        kind: Some(v1::attribute_value::Kind::Text("x".repeat(10_000))),
    };
    let mut large = input("p1", "Mouse");
    large.attributes = (0..45).map(|n| (format!("a{n}"), text.clone())).collect();
    for price in 0..12 {
        large.price_minor = price;
        let answer = catalog.import(vec![large.clone()]).await.expect("import");
        assert!(answer.rejected.is_empty(), "{answer:?}");
    }
    let (mut next, mut versions, mut pages) = (0, Vec::new(), 0);
    loop {
        // With gRPC's usual bound of 4 MiB on an answer.
        let page = history(&mut catalog, "p1", 100, next).await.expect("page");
        versions.extend(page.changes.iter().map(|change| change.version));
        pages += 1;
        next = page.next_before_version;
        if next == 0 {
            break;
        }
    }
    assert_eq!(versions, (1..=12).rev().collect::<Vec<_>>());
    assert!(pages > 1, "all at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_the_product_as_it_was() {
    let mut catalog = Catalog::start().await;
    let held = catalog.hold_sequencer().await;
    live_a_life(&mut catalog).await;
    check_as_of(&mut catalog).await;
    held.rollback().await.expect("let the sequencer go");
    catalog.events(5).await;
    check_as_of(&mut catalog).await;
}

async fn check_as_of(catalog: &mut Catalog) {
    let changes = history(catalog, "p1", 0, 0).await.expect("history").changes;
    for change in &changes {
        let by_version = as_of(catalog, AsOf::Version(change.version)).await;
        let at = change.occurred_at.expect("time");
        let by_time = as_of(catalog, AsOf::Time(at)).await;
        match &change.product {
            Some(product) => {
                assert_eq!(by_version.as_ref().expect("by version"), product);
                assert_eq!(by_time.as_ref().expect("by time"), product);
            }
            None => {
                assert_eq!(by_version.expect_err("deleted").code(), Code::NotFound);
                assert_eq!(by_time.expect_err("deleted").code(), Code::NotFound);
            }
        }
    }
    let first = changes
        .last()
        .and_then(|change| change.occurred_at)
        .expect("time");
    let before = AsOf::Time(Timestamp {
        seconds: first.seconds - 1,
        ..first
    });
    let missing = [before, AsOf::Version(6), AsOf::Version(i64::MAX)];
    for missing in missing {
        let found = as_of(catalog, missing).await;
        assert_eq!(found.expect_err("not then").code(), Code::NotFound);
    }
    let late = AsOf::Time(Timestamp {
        seconds: first.seconds + 3_600,
        nanos: 0,
    });
    assert_eq!(as_of(catalog, late).await.expect("newest").version, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_none_is_refused() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    let time = |seconds, nanos| AsOf::Time(Timestamp { seconds, nanos });
    for (bad, field) in [
        (AsOf::Version(0), "version"),
        (AsOf::Version(-1), "version"),
        (time(i64::MAX, 0), "time"),
        // The last second before the year 0, and the first after 9999.
        (time(-62_167_219_201, 0), "time"),
        (time(253_402_300_800, 0), "time"),
        (time(0, -1), "time"),
        (time(0, 1_000_000_000), "time"),
    ] {
        let refused = as_of(&mut catalog, bad).await.expect_err("no moment");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(violations(&refused)[0].0, field);
    }
    let nothing = v1::GetProductAsOfRequest {
        id: "p1".to_owned(),
        as_of: None,
    };
    let refused = catalog
        .commands
        .get_product_as_of(nothing)
        .await
        .expect_err("neither");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violations(&refused)[0].0, "as_of");
}

/// Only a part of the outbox is looked into: an answer that may lack events is refused.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_long_outbox_it_is_unavailable_and_never_wrong() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    let held = catalog.hold_sequencer().await;
    sqlx::query(
        "INSERT INTO outbox (event_id, product_id, version, event_type, occurred_at, actor, change)
         SELECT gen_random_uuid(), 'other', n, 'deleted', now(), 'test', '{\"type\":\"deleted\"}'
         FROM generate_series(1, 50000) AS n",
    )
    .execute(&catalog.pool)
    .await
    .expect("fill the outbox");
    change_price(&mut catalog, 5).await;

    let pending = history(&mut catalog, "p1", 0, 0).await.expect_err("hidden");
    assert_eq!(pending.code(), Code::Unavailable);
    assert_eq!(reason(&pending).as_deref(), Some("EVENTS_PENDING"));
    let tomorrow = Timestamp {
        seconds: 4_000_000_000,
        nanos: 0,
    };
    for hidden in [AsOf::Version(2), AsOf::Time(tomorrow)] {
        let hidden = as_of(&mut catalog, hidden).await;
        assert_eq!(hidden.expect_err("hidden").code(), Code::Unavailable);
    }
    let first = as_of(&mut catalog, AsOf::Version(1)).await;
    assert_eq!(first.expect("in the log").version, 1);
    let page = history(&mut catalog, "p1", 0, 2).await;
    assert_eq!(page.expect("in the log").changes.len(), 1);

    sqlx::query("DELETE FROM outbox WHERE product_id = 'other'")
        .execute(&catalog.pool)
        .await
        .expect("empty the outbox");
    let page = history(&mut catalog, "p1", 0, 0).await;
    assert_eq!(page.expect("all of it").changes.len(), 2);
    held.rollback().await.expect("let the sequencer go");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_missed_on_its_way_from_the_outbox_to_the_log() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    for version in 2..=200 {
        change_price(&mut catalog, version).await;
        let page = history(&mut catalog, "p1", 3, 0).await.expect("history");
        let versions: Vec<_> = page.changes.iter().map(|change| change.version).collect();
        let expected: Vec<_> = (1..=version).rev().take(3).collect();
        assert_eq!(versions, expected);
    }
}
