//! The content hashes that the digest of the log is a sum of, in every path that writes.

use std::collections::HashMap;

use catalog_events::{ContentHash, Product, ProductId, Version};
use catalog_proto::v1;
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use sqlx::types::Json;

use crate::harness::{Catalog, input};

type Row = (
    String,
    i64,
    Option<Json<Product>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    bool,
);

/// Checks that every event in the outbox has the hash of its product and of the version before.
async fn check(catalog: &Catalog, events: usize) {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT product_id, version, product, content_hash, previous_hash, hashed
         FROM outbox ORDER BY id",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("outbox");
    assert_eq!(rows.len(), events);
    let mut hashes: HashMap<String, Option<Vec<u8>>> = HashMap::new();
    for (id, version, product, content, previous, hashed) in rows {
        let expected = product.map(|Json(product)| {
            let id: ProductId = id.parse().expect("id");
            let version = Version::new(version).expect("version");
            ContentHash::of(&id, version, &product).to_bytes().to_vec()
        });
        assert_eq!(content, expected, "{id} {version}");
        assert_eq!(
            previous,
            hashes.get(&id).cloned().flatten(),
            "{id} {version}"
        );
        assert!(hashed);
        hashes.insert(id, content);
    }
}

async fn change_price(catalog: &mut Catalog, id: &str, price_minor: i64) {
    let request = v1::ChangePriceRequest {
        id: id.to_owned(),
        price_minor,
        ..Default::default()
    };
    catalog
        .commands
        .change_price(request)
        .await
        .expect("change price");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_keeps_the_hash_and_the_one_before() {
    let mut catalog = Catalog::start().await;
    let held = catalog.hold_sequencer().await;
    let mut odd = input("odd", "Numbers that JSON and Postgres write differently");
    let numbers = [0.1 + 0.2, 1e21, 1e-7, -0.0, 1e16, 5e-324, f64::MAX];
    for (n, number) in numbers.into_iter().enumerate() {
        let value = v1::AttributeValue {
            kind: Some(Kind::Number(number)),
        };
        odd.attributes.insert(format!("n{n}"), value);
    }
    // Of which the write service keeps each once, and the two zeros as one.
    let listed = numbers.into_iter().chain([0.0, 1e21]);
    let values = listed.map(|number| v1::AttributeScalar {
        kind: Some(ScalarKind::Number(number)),
    });
    let list = Kind::List(v1::AttributeList {
        values: values.collect(),
    });
    let list = v1::AttributeValue { kind: Some(list) };
    odd.attributes.insert("list".to_owned(), list);
    catalog
        .import(vec![odd.clone(), input("p1", "Mouse"), input("p2", "Rat")])
        .await
        .expect("import");
    check(&catalog, 3).await;

    change_price(&mut catalog, "odd", 5).await;
    change_price(&mut catalog, "p1", 5).await;
    change_price(&mut catalog, "p2", 5).await;
    change_price(&mut catalog, "p2", 5).await;
    check(&catalog, 6).await;

    let delete = v1::DeleteProductRequest {
        id: "p1".to_owned(),
        ..Default::default()
    };
    catalog
        .commands
        .delete_product(delete)
        .await
        .expect("delete");
    check(&catalog, 7).await;
    catalog.create("p1", "Mouse again").await;
    odd.price_minor = 6;
    catalog
        .import(vec![odd, input("p2", "Rat"), input("p3", "New")])
        .await
        .expect("import");
    check(&catalog, 11).await;
    held.rollback().await.expect("let the sequencer go");
    assert_eq!(catalog.events(11).await.len(), 11);
}
