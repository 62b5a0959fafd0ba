//! What each command answers, and what it leaves in the log.

use catalog_events::{Change, ProductEvent};
use catalog_proto::v1;
use prost_types::FieldMask;
use service_kit::{reason, violations};
use tonic::{Code, Status};

use crate::harness::{Catalog, input};

fn mask(paths: &[&str]) -> Option<FieldMask> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Some(FieldMask { paths })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_lives_and_every_change_is_an_event() {
    let mut catalog = Catalog::start().await;
    let created = catalog.create("p1", "Mouse").await;
    assert_eq!(
        (created.version, created.price, created.currency.as_str()),
        (1, 19.99, "USD")
    );
    update_once(&mut catalog).await;
    change_price_twice(&mut catalog).await;
    delete_once(&mut catalog).await;
    assert_eq!(catalog.create("p1", "Mouse again").await.version, 5);
    check_life(&catalog.events(5).await);
}

/// Updates `p1` to version 2; the same request again comes from a stale version.
async fn update_once(catalog: &mut Catalog) {
    let request = v1::UpdateProductRequest {
        product: Some(v1::ProductInput {
            brand: "Acme".into(),
            ..input("p1", "ignored")
        }),
        update_mask: mask(&["brand"]),
        expected_version: Some(1),
        ..Default::default()
    };
    let answer = catalog.commands.update_product(request.clone()).await;
    let updated = answer.expect("update").into_inner();
    let product = updated.product.expect("product");
    assert_eq!((product.version, product.title.as_str()), (2, "Mouse"));

    let again = catalog.commands.update_product(request).await;
    let stale = again.expect_err("stale version");
    assert_eq!(stale.code(), Code::Aborted);
    assert_eq!(reason(&stale).as_deref(), Some("VERSION_MISMATCH"));
}

/// Changes the price of `p1`, which makes version 3; the second time nothing is written.
async fn change_price_twice(catalog: &mut Catalog) {
    let request = v1::ChangePriceRequest {
        id: "p1".into(),
        price_minor: 5,
        ..Default::default()
    };
    for _ in 0..2 {
        let answer = catalog
            .commands
            .change_price(request.clone())
            .await
            .expect("change price");
        assert_eq!(answer.into_inner().product.expect("product").version, 3);
    }
}

/// Deletes `p1`, which makes version 4; then there is nothing left to delete.
async fn delete_once(catalog: &mut Catalog) {
    let request = v1::DeleteProductRequest {
        id: "p1".into(),
        expected_version: None,
        ..Default::default()
    };
    let deleted = catalog
        .commands
        .delete_product(request.clone())
        .await
        .expect("delete");
    assert_eq!(deleted.into_inner().version, 4);
    let again = catalog
        .commands
        .delete_product(request)
        .await
        .expect_err("deleted already");
    assert_eq!(again.code(), Code::NotFound);
}

fn check_life(events: &[ProductEvent]) {
    let kinds: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.version.get(),
                event.change.event_type().expect("known").as_str(),
            )
        })
        .collect();
    let expected = [
        (1, "created"),
        (2, "updated"),
        (3, "price_changed"),
        (4, "deleted"),
        (5, "created"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        events[1].change,
        Change::Updated {
            fields: vec!["brand".to_owned()]
        }
    );
    assert!(events[3].product.is_none());
    assert!(events[0].traceparent.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_which_field_and_why() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;

    let exists = refuse_creation(&mut catalog, input("p1", "Mouse")).await;
    assert_eq!(exists.code(), Code::AlreadyExists);

    let three_mistakes = v1::ProductInput {
        price_minor: -1,
        currency: "EUR".into(),
        ..input("a.b", "")
    };
    let bad = refuse_creation(&mut catalog, three_mistakes).await;
    assert_eq!(bad.code(), Code::InvalidArgument);
    let fields: Vec<_> = violations(&bad)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["id", "title", "price_minor"]);

    let no_mask = v1::UpdateProductRequest {
        product: Some(input("p1", "x")),
        ..Default::default()
    };
    let empty = catalog.commands.update_product(no_mask).await;
    let violation = &violations(&empty.expect_err("no mask"))[0];
    assert_eq!(violation.0, "update_mask");

    let unknown_id = v1::ChangePriceRequest {
        id: "nobody".into(),
        ..Default::default()
    };
    let answer = catalog.commands.change_price(unknown_id).await;
    let unknown = answer.expect_err("unknown id");
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(reason(&unknown).as_deref(), Some("PRODUCT_NOT_FOUND"));

    assert_eq!(catalog.events(1).await.len(), 1, "refusals leave no event");
}

async fn refuse_creation(catalog: &mut Catalog, product: v1::ProductInput) -> Status {
    let request = v1::CreateProductRequest {
        product: Some(product),
        ..Default::default()
    };
    let answer = catalog.commands.create_product(request).await;
    answer.expect_err("not to be created")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_safe_to_repeat_and_rejects_rows_on_their_own() {
    let mut catalog = Catalog::start().await;
    let mut rows: Vec<_> = (0..300)
        .map(|n| input(&format!("p{n}"), &format!("Mouse {n}")))
        .collect();
    let answer = catalog.import(rows.clone()).await.expect("import");
    assert_eq!((answer.created, answer.rejected.len()), (300, 0));

    let answer = catalog.import(rows.clone()).await.expect("import again");
    assert_eq!(
        (answer.unchanged, answer.created, answer.updated),
        (300, 0, 0)
    );

    rows[7].price_minor = 1;
    rows[8].title = String::new();
    rows[9].id = "p0".to_owned();
    let answer = catalog.import(rows).await.expect("import with mistakes");
    assert_eq!((answer.unchanged, answer.updated), (297, 1));
    let rejected: Vec<_> = answer
        .rejected
        .iter()
        .map(|row| (row.index, row.field.as_str()))
        .collect();
    assert_eq!(rejected, [(8, "title"), (9, "id")]);

    let too_many = (0..1001).map(|n| input(&format!("q{n}"), "x")).collect();
    let refused = catalog.import(too_many).await.expect_err("over the limit");
    assert_eq!(refused.code(), Code::InvalidArgument);

    assert_eq!(catalog.events(301).await.len(), 301);
    let status = catalog.status().await;
    assert_eq!(
        (status.log_position, status.outbox_pending, status.products),
        (301, 0, 300)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn time_never_goes_back_for_a_product() {
    let mut catalog = Catalog::start().await;
    let created = catalog.create("p1", "Mouse").await;
    // The clock of the instance that wrote last is ahead of this one's.
    sqlx::query("UPDATE products SET updated_at = updated_at + interval '1 hour'")
        .execute(&catalog.pool)
        .await
        .expect("set the clock ahead");
    let request = v1::ChangePriceRequest {
        id: "p1".into(),
        price_minor: 5,
        ..Default::default()
    };
    let changed = catalog.commands.change_price(request).await;
    changed.expect("change price");
    let request = v1::DeleteProductRequest {
        id: "p1".into(),
        ..Default::default()
    };
    let deleted = catalog.commands.delete_product(request).await;
    deleted.expect("delete");
    let again = catalog.create("p1", "Mouse again").await;
    let ahead = created.created_at.expect("time").seconds + 3_600;
    assert_eq!(again.created_at.expect("time").seconds, ahead);
    let events = catalog.events(4).await;
    let times: Vec<_> = events.iter().map(|event| event.occurred_at).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(times[1], times[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_release_starts_on_a_newer_schema() {
    let mut catalog = Catalog::start().await;
    catalog.stop_service().await;
    let newer = "INSERT INTO _sqlx_migrations
                     (version, description, success, checksum, execution_time)
                 VALUES (9999, 'of a later release', true, '', 0)";
    sqlx::query(newer)
        .execute(&catalog.pool)
        .await
        .expect("a later migration");
    catalog.restart_service(0).await;
    catalog.create("p1", "Mouse").await;
    assert_eq!(catalog.events(1).await.len(), 1);
}

/// A row of an import that states nothing but the id.
fn row(id: &str, product: v1::ProductInput) -> v1::ImportRow {
    v1::ImportRow {
        product: Some(v1::ProductInput {
            id: id.to_owned(),
            ..product
        }),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_leaves_what_its_rows_do_not_state() {
    let mut catalog = Catalog::start().await;
    let full = v1::ProductInput {
        brand: "Fjell".to_owned(),
        description: "Boils water".to_owned(),
        currency: "EUR".to_owned(),
        ..input("p1", "Kettle")
    };
    catalog.import(vec![full]).await.expect("import");
    let price = |price: &str| v1::ProductInput {
        price: price.to_owned(),
        ..Default::default()
    };
    let batch = v1::ImportProductsRequest {
        rows: vec![
            row("p1", price("18")),
            row("p2", price("18")),
            v1::ImportRow {
                expected_version: Some(7),
                ..row("p1x", price("18"))
            },
        ],
        columns: vec!["brand".to_owned()],
        validate_only: true,
        ..Default::default()
    };
    let told = catalog
        .import_batch(batch.clone())
        .await
        .expect("validated");
    let preview = &told.previews[0];
    assert_eq!((told.updated, told.previews.len()), (1, 1));
    assert_eq!(preview.changed_fields, ["price", "brand"]);
    let prices = [&preview.before, &preview.after];
    let prices = prices.map(|product| product.as_ref().expect("product").price_minor);
    assert_eq!(prices, [1999, 1800]);

    let answer = catalog
        .import_batch(v1::ImportProductsRequest {
            validate_only: false,
            ..batch
        })
        .await
        .expect("import");
    assert_eq!(
        (answer.created, answer.updated),
        (0, 1),
        "validated, not written"
    );
    let rejected: Vec<_> = answer
        .rejected
        .iter()
        .map(|one| (one.index, one.field.as_str(), one.reason.as_str()))
        .collect();
    assert_eq!(
        rejected,
        [
            (1, "title", "is missing, and the product is new"),
            (2, "", "no such product")
        ]
    );
    let events = catalog.events(2).await;
    let kept = events[1].product.as_ref().expect("product");
    assert_eq!(
        (
            kept.title.as_str(),
            kept.price.minor(),
            kept.brand.as_deref()
        ),
        ("Kettle", 1800, None)
    );
    assert_eq!(kept.price.currency().to_string(), "EUR");
    assert_eq!(kept.description, "Boils water");
}
