//! The consistency token of a write names the product and the version that the write left.

use catalog_events::TokenKey;
use catalog_proto::v1;
use prost_types::FieldMask;

use crate::harness::{Catalog, TOKEN_SECRET, input};

fn check(token: &str, id: &str, version: i64) {
    let token = TokenKey::new(TOKEN_SECRET).open(token).expect("a token");
    assert_eq!(
        (token.product_id.as_str(), token.version.get()),
        (id, version)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_returns_its_token() {
    let mut catalog = Catalog::start().await;
    let create = v1::CreateProductRequest {
        product: Some(input("p1", "Mouse")),
        ..Default::default()
    };
    let created = catalog.commands.create_product(create).await;
    check(
        &created.expect("create").into_inner().consistency_token,
        "p1",
        1,
    );

    let update = v1::UpdateProductRequest {
        product: Some(input("p1", "Rat")),
        update_mask: Some(FieldMask {
            paths: vec!["title".to_owned()],
        }),
        ..Default::default()
    };
    for _ in 0..2 {
        // The second one changes nothing: the token is of the version there is.
        let answer = catalog.commands.update_product(update.clone()).await;
        let updated = answer.expect("update").into_inner();
        check(&updated.consistency_token, "p1", 2);
    }
    let change = v1::ChangePriceRequest {
        id: "p1".to_owned(),
        price_minor: 7,
        ..Default::default()
    };
    let changed = catalog.commands.change_price(change).await;
    check(
        &changed
            .expect("change price")
            .into_inner()
            .consistency_token,
        "p1",
        3,
    );
    let delete = v1::DeleteProductRequest {
        id: "p1".to_owned(),
        ..Default::default()
    };
    let deleted = catalog.commands.delete_product(delete).await;
    check(
        &deleted.expect("delete").into_inner().consistency_token,
        "p1",
        4,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_batch_is_of_its_last_change() {
    let mut catalog = Catalog::start().await;
    // Not in the order of the ids; the last rows change nothing.
    let mut rows = vec![input("z", "Z"), input("m", "M"), input("a", "A")];
    rows.push(input("z", "again"));
    rows.push(input("bad", ""));
    let answer = catalog.import(rows.clone()).await.expect("import");
    check(&answer.consistency_token, "a", 1);
    let last = catalog.events(3).await.pop().expect("three events");
    assert_eq!(last.product_id.as_str(), "a", "the highest position");

    rows[1].price_minor = 1;
    let answer = catalog.import(rows.clone()).await.expect("import");
    check(&answer.consistency_token, "m", 2);
    let answer = catalog.import(rows).await.expect("import");
    assert_eq!(
        (answer.unchanged, answer.consistency_token.as_str()),
        (3, "")
    );
}
