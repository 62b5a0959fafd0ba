//! Prices that are stated as a decimal text: the write service turns them into minor units of the
//! currency that the product has when it is written.

use catalog_events::{Currency, Money};
use catalog_proto::v1;
use prost_types::FieldMask;
use service_kit::{reason, violations};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::harness::{Catalog, input};

const IN_USD: &str = "in-usd";
const IN_JPY: &str = "in-jpy";

fn new_price(id: &str, price: &str) -> v1::ChangePriceRequest {
    v1::ChangePriceRequest {
        id: id.to_owned(),
        price: price.to_owned(),
        ..Default::default()
    }
}

fn patch(id: &str, price: &str, paths: &[&str]) -> v1::UpdateProductRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    v1::UpdateProductRequest {
        product: Some(v1::ProductInput {
            price: price.to_owned(),
            currency: "JPY".to_owned(),
            ..input(id, "Rat")
        }),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}

/// One product in dollars, one in yen. No read side runs beside the write service.
async fn start() -> Catalog {
    let mut catalog = Catalog::start().await;
    for (id, currency) in [(IN_USD, "USD"), (IN_JPY, "JPY")] {
        let product = v1::ProductInput {
            currency: currency.to_owned(),
            ..input(id, "Mouse")
        };
        let request = v1::CreateProductRequest {
            product: Some(product),
            ..Default::default()
        };
        catalog
            .commands
            .create_product(request)
            .await
            .expect("create");
    }
    catalog
}

/// Minor units and currency, or field and reason of the only violation.
fn outcome(answer: Result<Option<v1::Product>, Status>) -> String {
    match answer {
        Ok(product) => {
            let product = product.expect("product");
            format!("{} {}", product.price_minor, product.currency)
        }
        Err(status) => {
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            let violations = violations(&status);
            assert_eq!(violations.len(), 1, "{violations:?}");
            format!("{}: {}", violations[0].0, violations[0].1)
        }
    }
}

async fn change_price(catalog: &Catalog, request: v1::ChangePriceRequest) -> String {
    let answer = catalog.commands.clone().change_price(request).await;
    outcome(answer.map(|answer| answer.into_inner().product))
}

async fn update(catalog: &Catalog, request: v1::UpdateProductRequest) -> String {
    let answer = catalog.commands.clone().update_product(request).await;
    outcome(answer.map(|answer| answer.into_inner().product))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_without_a_currency_is_in_that_of_the_product() {
    let catalog = start().await;
    let to_5 = change_price(&catalog, new_price(IN_JPY, "5")).await;
    assert_eq!(to_5, "5 JPY");
    let to_5 = change_price(&catalog, new_price(IN_USD, "5")).await;
    assert_eq!(to_5, "500 USD");
    let cheaper = change_price(&catalog, new_price(IN_USD, "19.99")).await;
    assert_eq!(cheaper, "1999 USD");
    let guarded = v1::ChangePriceRequest {
        price_minor: -1,
        ..new_price(IN_USD, "7")
    };
    assert_eq!(change_price(&catalog, guarded).await, "700 USD");
    let in_dinars = v1::ChangePriceRequest {
        currency: "KWD".to_owned(),
        ..new_price(IN_USD, "1.234")
    };
    assert_eq!(change_price(&catalog, in_dinars).await, "1234 KWD");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_takes_a_price_in_the_currency_that_it_leaves() {
    let catalog = start().await;
    let priced = update(&catalog, patch(IN_USD, "19.99", &["price"])).await;
    assert_eq!(priced, "1999 USD");
    let priced = update(&catalog, patch(IN_JPY, "5", &["title", "price"])).await;
    assert_eq!(priced, "5 JPY");
    let priced = update(&catalog, patch(IN_USD, "5", &["price", "currency"])).await;
    assert_eq!(priced, "5 JPY");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_currency_needs_a_price_in_it() {
    let catalog = start().await;
    let refused = update(&catalog, patch(IN_USD, "", &["currency"])).await;
    assert_eq!(
        refused,
        "currency: is another one than before: state the price too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_does_not_fit_is_refused_with_its_field() {
    let catalog = start().await;
    let too_precise = "price: a price in USD has at most 2 decimals";
    let refused = change_price(&catalog, new_price(IN_USD, "19.999")).await;
    assert_eq!(refused, too_precise);
    let refused = update(&catalog, patch(IN_USD, "19.999", &["price"])).await;
    assert_eq!(refused, too_precise);
    let refused = change_price(&catalog, new_price(IN_JPY, "0.5")).await;
    assert_eq!(refused, "price: a price in JPY has at most 0 decimals");
    let refused = change_price(&catalog, new_price(IN_USD, "five")).await;
    let no_number = "price: \"five\" is not a decimal number such as 19.99";
    assert_eq!(refused, no_number);

    let both = "price_minor: excludes `price`: state one of them";
    let request = v1::ChangePriceRequest {
        price_minor: 5,
        ..new_price(IN_USD, "5")
    };
    assert_eq!(change_price(&catalog, request).await, both);
    for paths in [["price", "price_minor"], ["price_minor", "price"]] {
        assert_eq!(update(&catalog, patch(IN_USD, "5", &paths)).await, both);
    }
    let nothing = update(&catalog, patch(IN_USD, "", &["price"])).await;
    let no_number = "price: \"\" is not a decimal number such as 19.99";
    assert_eq!(nothing, no_number);
    assert_eq!(catalog.events(2).await.len(), 2, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_product_may_state_a_decimal_price() {
    let mut catalog = Catalog::start().await;
    let lamp = v1::ProductInput {
        price: "19.99".to_owned(),
        price_minor: 0,
        ..input("lamp", "Lamp")
    };
    let both = v1::ProductInput {
        price: "19.99".to_owned(),
        ..input("both", "Lamp")
    };
    let answer = catalog.import(vec![lamp, both]).await.expect("import");
    assert_eq!((answer.created, answer.rejected.len()), (1, 1));
    assert_eq!(answer.rejected[0].field, "price_minor");
    let events = catalog.events(1).await;
    let lamp = events[0].product.as_ref().expect("product");
    assert_eq!(
        lamp.price,
        Money::from_minor(1999, Currency::USD).expect("price")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_is_known_by_the_text_that_was_stated() {
    let catalog = start().await;
    let request = v1::ChangePriceRequest {
        request_id: "r1".to_owned(),
        ..new_price(IN_USD, "5")
    };
    assert_eq!(change_price(&catalog, request.clone()).await, "500 USD");
    let in_yen = v1::ChangePriceRequest {
        currency: "JPY".to_owned(),
        ..new_price(IN_USD, "700")
    };
    assert_eq!(change_price(&catalog, in_yen).await, "700 JPY");
    // The text means another amount by now; the request is the same.
    assert_eq!(change_price(&catalog, request.clone()).await, "500 USD");
    let other = v1::ChangePriceRequest {
        price: "6".to_owned(),
        ..request
    };
    let refused = catalog.commands.clone().change_price(other).await;
    let refused = refused.expect_err("another price");
    assert_eq!(reason(&refused).as_deref(), Some("REQUEST_ID_REUSED"));
    assert_eq!(catalog.events(4).await.len(), 4, "two products, two prices");
}

/// A repetition that arrives while the first is on its way must not be held against the version that
/// the first leaves behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_that_overtakes_the_first_gets_its_answer() {
    let catalog = start().await;
    let mut repetitions = JoinSet::new();
    for _ in 0..20 {
        let mut commands = catalog.commands.clone();
        let request = v1::ChangePriceRequest {
            expected_version: Some(1),
            request_id: "r1".to_owned(),
            ..new_price(IN_USD, "5")
        };
        repetitions.spawn(async move { commands.change_price(request).await });
    }
    while let Some(answer) = repetitions.join_next().await {
        let answer = answer.expect("no panic").expect("an answer").into_inner();
        let product = answer.product.expect("product");
        assert_eq!((product.version, product.price_minor), (2, 500));
    }
    let fresh = v1::ChangePriceRequest {
        expected_version: Some(1),
        request_id: "r2".to_owned(),
        ..new_price(IN_USD, "5")
    };
    let refused = catalog.commands.clone().change_price(fresh).await;
    assert_eq!(refused.expect_err("a stale version").code(), Code::Aborted);
    assert_eq!(catalog.events(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_update_that_overtakes_the_first_gets_its_answer() {
    let catalog = start().await;
    let update = |request_id: &str| v1::UpdateProductRequest {
        expected_version: Some(1),
        request_id: request_id.to_owned(),
        ..patch(IN_JPY, "5", &["price"])
    };
    let mut repetitions = JoinSet::new();
    for _ in 0..20 {
        let (mut commands, request) = (catalog.commands.clone(), update("r1"));
        repetitions.spawn(async move { commands.update_product(request).await });
    }
    while let Some(answer) = repetitions.join_next().await {
        let answer = answer.expect("no panic").expect("an answer").into_inner();
        let product = answer.product.expect("product");
        assert_eq!((product.version, product.price_minor), (2, 5));
    }
    let refused = catalog.commands.clone().update_product(update("r2")).await;
    assert_eq!(refused.expect_err("a stale version").code(), Code::Aborted);
    assert_eq!(catalog.events(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_that_changes_at_the_same_time_makes_no_wrong_price() {
    const WRITERS: usize = 60;
    let catalog = start().await;
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let mut commands = catalog.commands.clone();
        // Writers with a request id lock the product; those without share a statement.
        let request_id = match number % 2 {
            0 => format!("r{number}"),
            _ => String::new(),
        };
        let changes_currency = number % 3 == 0;
        let currency = match number % 4 {
            0 => "JPY",
            _ => "USD",
        };
        let request = v1::ChangePriceRequest {
            currency: if changes_currency { currency } else { "" }.to_owned(),
            request_id,
            ..new_price(IN_USD, "5")
        };
        writers.spawn(async move { commands.change_price(request).await });
    }
    while let Some(answer) = writers.join_next().await {
        let answer = answer.expect("no panic");
        let found = outcome(answer.map(|answer| answer.into_inner().product));
        assert!(["500 USD", "5 JPY"].contains(&found.as_str()), "{found}");
    }
}
