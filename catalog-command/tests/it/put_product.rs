//! A product that is put is what the request says, whatever was there before.

use catalog_events::Change;
use catalog_proto::v1;
use catalog_proto::v1::catalog_command_service_client::CatalogCommandServiceClient;
use service_kit::{reason, violations};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::{Catalog, input};

type Client = CatalogCommandServiceClient<Channel>;

fn request(title: &str, expected_version: Option<i64>) -> v1::PutProductRequest {
    v1::PutProductRequest {
        product: Some(input("p1", title)),
        expected_version,
        ..Default::default()
    }
}

async fn put(
    commands: &mut Client,
    request: v1::PutProductRequest,
) -> Result<v1::PutProductResponse, Status> {
    Ok(commands.put_product(request).await?.into_inner())
}

/// The version that a put left, and whether it created the product.
async fn outcome(commands: &mut Client, request: v1::PutProductRequest) -> (i64, bool) {
    let answer = put(commands, request).await.expect("put");
    assert!(!answer.consistency_token.is_empty());
    (answer.product.expect("product").version, answer.created)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_creates_replaces_and_leaves_alone_what_is_the_same() {
    let mut catalog = Catalog::start().await;
    let commands = &mut catalog.commands;
    let branded = v1::PutProductRequest {
        product: Some(v1::ProductInput {
            brand: "Acme".to_owned(),
            ..input("p1", "Mouse")
        }),
        ..Default::default()
    };
    assert_eq!(outcome(commands, branded.clone()).await, (1, true));
    assert_eq!(outcome(commands, branded).await, (1, false), "the same");
    let plain = put(commands, request("Mouse", None)).await.expect("put");
    let product = plain.product.expect("product");
    assert_eq!((product.version, product.brand.as_str()), (2, ""));

    let delete = v1::DeleteProductRequest {
        id: "p1".to_owned(),
        ..Default::default()
    };
    commands.delete_product(delete).await.expect("delete");
    assert_eq!(outcome(commands, request("Rat", None)).await, (4, true));
    let events = catalog.events(4).await;
    assert_eq!(events.len(), 4, "the same content is no event");
    let fields = vec!["brand".to_owned()];
    assert_eq!(events[1].change, Change::Updated { fields });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_is_refused_at_another_version_than_it_expects() {
    let mut catalog = Catalog::start().await;
    let commands = &mut catalog.commands;
    let refused = async |commands: &mut Client, expected| {
        let status = put(commands, request("Rat", Some(expected))).await;
        let status = status.expect_err("another version");
        (status.code(), reason(&status).expect("reason"))
    };
    let mismatch = (Code::Aborted, "VERSION_MISMATCH".to_owned());
    assert_eq!(refused(commands, 1).await, mismatch, "there is none");
    assert_eq!(
        outcome(commands, request("Mouse", Some(0))).await,
        (1, true)
    );
    let exists = (Code::Aborted, "PRODUCT_EXISTS".to_owned());
    assert_eq!(refused(commands, 0).await, exists);
    assert_eq!(refused(commands, 2).await, mismatch);
    assert_eq!(outcome(commands, request("Rat", Some(1))).await, (2, false));

    let bad = v1::PutProductRequest {
        product: Some(input("no id", "")),
        ..Default::default()
    };
    let invalid = put(commands, bad).await.expect_err("invalid");
    assert_eq!(invalid.code(), Code::InvalidArgument);
    let fields: Vec<_> = violations(&invalid).into_iter().map(|it| it.0).collect();
    assert_eq!(fields, ["id", "title"]);
    let negative = put(commands, request("Rat", Some(-1))).await;
    let negative = negative.expect_err("a negative version");
    assert_eq!(violations(&negative)[0].0, "expected_version");
    assert_eq!(catalog.events(2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_puts_at_once_one_wins() {
    let mut catalog = Catalog::start().await;
    let (other, running) = catalog.start_another().await;
    for round in 0..20 {
        let race = |mut commands: Client, title: String| {
            let request = v1::PutProductRequest {
                product: Some(input(&format!("p{round}"), &title)),
                expected_version: Some(0),
                ..Default::default()
            };
            tokio::spawn(async move { commands.put_product(request).await })
        };
        let ours = race(catalog.commands.clone(), "ours".to_owned());
        let theirs = race(other.clone(), "theirs".to_owned());
        let answers = [
            ours.await.expect("no panic"),
            theirs.await.expect("no panic"),
        ];
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(won, 1, "{answers:?}");
        let lost = answers.into_iter().find_map(Result::err).expect("a loser");
        assert_eq!(reason(&lost).as_deref(), Some("PRODUCT_EXISTS"), "{lost}");
    }
    assert_eq!(catalog.events(20).await.len(), 20);
    assert_eq!(catalog.status().await.outbox_pending, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_is_sent_again_is_answered_as_the_first_time() {
    let mut catalog = Catalog::start().await;
    let once = v1::PutProductRequest {
        request_id: "r1".to_owned(),
        ..request("Mouse", Some(0))
    };
    let first = put(&mut catalog.commands, once.clone()).await.expect("put");
    put(&mut catalog.commands, request("Rat", Some(1)))
        .await
        .expect("put");
    let again = put(&mut catalog.commands, once.clone()).await;
    assert_eq!(again.expect("again"), first);
    let other = v1::PutProductRequest {
        request_id: "r1".to_owned(),
        ..request("Cat", Some(0))
    };
    let reused = put(&mut catalog.commands, other).await;
    let reused = reused.expect_err("another product");
    assert_eq!(reason(&reused).as_deref(), Some("REQUEST_ID_REUSED"));
    assert_eq!(catalog.events(2).await.len(), 2);
}
