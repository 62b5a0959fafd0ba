//! Several writes in one call: each answers for itself, in their order, and the call as a whole can be
//! sent again.

use catalog_events::TokenKey;
use catalog_proto::v1;
use catalog_proto::v1::product_write::Write;
use catalog_proto::v1::product_write_result::Result as Outcome;
use prost_types::FieldMask;
use service_kit::{reason, violations};
use tonic::{Code, Status};

use crate::harness::{Catalog, TOKEN_SECRET, input};

fn create(id: &str, title: &str) -> v1::ProductWrite {
    at(None, Write::Create(input(id, title)))
}

fn put(id: &str, title: &str) -> v1::ProductWrite {
    at(None, Write::Put(input(id, title)))
}

fn rename(id: &str, title: &str) -> v1::ProductWrite {
    let update = v1::ProductUpdate {
        product: Some(input(id, title)),
        update_mask: Some(FieldMask {
            paths: vec!["title".to_owned()],
        }),
    };
    at(None, Write::Update(update))
}

fn delete(id: &str) -> v1::ProductWrite {
    at(None, Write::Delete(id.to_owned()))
}

fn at(expected_version: Option<i64>, write: Write) -> v1::ProductWrite {
    v1::ProductWrite {
        write: Some(write),
        expected_version,
    }
}

async fn write(
    catalog: &mut Catalog,
    writes: Vec<v1::ProductWrite>,
    request_id: &str,
) -> Result<v1::WriteProductsResponse, Status> {
    let request = v1::WriteProductsRequest {
        writes,
        request_id: request_id.to_owned(),
    };
    let mut commands = catalog.commands.clone().max_decoding_message_size(16 << 20);
    Ok(commands.write_products(request).await?.into_inner())
}

/// The results as short texts.
fn told(answer: &v1::WriteProductsResponse) -> Vec<String> {
    let results = answer.results.iter();
    let told = results.map(|result| {
        let created = if result.created { " created" } else { "" };
        match result.result.as_ref().expect("an outcome") {
            Outcome::Product(it) => format!("{}@{} {}{created}", it.id, it.version, it.title),
            Outcome::Deleted(it) => format!("{}@{} deleted{created}", it.id, it.version),
            Outcome::Error(it) => {
                let fields: Vec<_> = it.violations.iter().map(|it| it.field.as_str()).collect();
                let code = Code::from(it.code);
                format!("{code:?} {} {}{created}", it.reason, fields.join(","))
            }
        }
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_answers_for_itself_and_sees_those_before_it() {
    let mut catalog = Catalog::start().await;
    catalog.create("old", "Old").await;
    let invalid = v1::ProductInput {
        price_minor: -1,
        ..input("bad", "")
    };
    let writes = vec![
        create("p1", "Mouse"),
        create("p1", "Rat"),
        rename("p1", "Rat"),
        at(Some(2), Write::Put(input("p1", "Cat"))),
        at(Some(2), Write::Put(input("p1", "Dog"))),
        create("p2", "Lamp"),
        put("old", "Old"),
        at(None, Write::Create(invalid)),
        at(Some(0), Write::Put(input("old", "New"))),
        at(Some(3), Write::Delete("p1".to_owned())),
        create("p1", "Mouse again"),
        delete("never"),
        v1::ProductWrite::default(),
        at(Some(4), Write::Create(input("p3", "Desk"))),
        put("old", "New"),
    ];
    let answer = write(&mut catalog, writes, "").await.expect("write");
    let expected = [
        "p1@1 Mouse created",
        "AlreadyExists PRODUCT_EXISTS ",
        "p1@2 Rat",
        "p1@3 Cat",
        "Aborted VERSION_MISMATCH ",
        "p2@1 Lamp created",
        "old@1 Old",
        "InvalidArgument INVALID_PRODUCT title,price_minor",
        "Aborted PRODUCT_EXISTS ",
        "p1@4 deleted",
        "p1@5 Mouse again created",
        "NotFound PRODUCT_NOT_FOUND ",
        "InvalidArgument INVALID_PRODUCT write",
        "InvalidArgument INVALID_PRODUCT expected_version",
        "old@2 New",
    ];
    assert_eq!(told(&answer), expected);
    let token = TokenKey::new(TOKEN_SECRET).open(&answer.consistency_token);
    let token = token.expect("token");
    assert_eq!((token.product_id.as_str(), token.version.get()), ("old", 2));
    let events: Vec<_> = catalog.events(8).await;
    let events: Vec<_> = events
        .iter()
        .map(|event| format!("{}@{}", event.product_id, event.version))
        .collect();
    let in_order = [
        "old@1", "p1@1", "p1@2", "p1@3", "p2@1", "p1@4", "p1@5", "old@2",
    ];
    assert_eq!(events, in_order, "as they were written, and nothing else");
    assert_eq!(catalog.status().await.outbox_pending, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_sent_again_is_answered_as_the_first_time() {
    let mut catalog = Catalog::start().await;
    let writes = || vec![create("", "Mouse"), create("p1", "Lamp"), delete("never")];
    let first = write(&mut catalog, writes(), "r1").await.expect("write");
    assert_eq!(first.results.len(), 3);
    let between = vec![delete("p1"), create("never", "Now it is there")];
    write(&mut catalog, between, "").await.expect("write");
    let again = write(&mut catalog, writes(), "r1").await.expect("again");
    assert_eq!(again, first, "the made-up id and the refusal included");

    catalog.stop_service().await;
    let (commands, running) = catalog.start_another().await;
    catalog.commands = commands;
    let again = write(&mut catalog, writes(), "r1").await.expect("again");
    assert_eq!(again, first);
    let other = write(&mut catalog, vec![create("p9", "Desk")], "r1").await;
    let other = other.expect_err("other writes");
    assert_eq!(reason(&other).as_deref(), Some("REQUEST_ID_REUSED"));
    assert_eq!(catalog.events(4).await.len(), 4);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_ten_times_at_once_is_done_once() {
    let catalog = Catalog::start().await;
    let (other, running) = catalog.start_another().await;
    let request = v1::WriteProductsRequest {
        writes: (0..50).map(|n| create("", &format!("Mouse {n}"))).collect(),
        request_id: "r1".to_owned(),
    };
    let calls = (0..10).map(|n| {
        let mut commands = [&catalog.commands, &other][n % 2].clone();
        let request = request.clone();
        tokio::spawn(async move { commands.write_products(request).await })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.expect("no panic").expect("an answer");
        answers.push(answer.into_inner());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(catalog.events(50).await.len(), 50);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_a_call_is_bounded() {
    let mut catalog = Catalog::start().await;
    let large = |id: usize| v1::ProductInput {
        description: "x".repeat(19_999),
        ..input(&format!("p{id}"), "Mouse")
    };
    let too_large = (0..450).map(|id| at(None, Write::Put(large(id))));
    let too_many = (0..501).map(|id| delete(&format!("p{id}")));
    for bad in [vec![], too_many.collect(), too_large.collect()] {
        let refused = write(&mut catalog, bad, "").await.expect_err("too much");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(violations(&refused)[0].0, "writes");
    }
    let most = (0..500).map(|id| put(&format!("p{id}"), "Mouse"));
    let answer = write(&mut catalog, most.collect(), "r1").await;
    let answer = answer.expect("500 writes");
    assert!(answer.results.iter().all(|result| result.created));
    let statements: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT (xmin::text, cmin::text)) FROM products")
            .fetch_one(&catalog.pool)
            .await
            .expect("statements");
    assert_eq!(statements, 1, "one transaction and one statement");
    let none = write(&mut catalog, vec![put("p1", "Mouse")], "").await;
    assert_eq!(none.expect("the same").consistency_token, "");
    assert_eq!(catalog.events(500).await.len(), 500);
}

/// Small updates of large products: the answer would be far larger than the call.
#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_fit_into_the_answer_is_not_applied() {
    let mut catalog = Catalog::start().await;
    let text = |n: usize| v1::AttributeValue {
        kind: Some(v1::attribute_value::Kind::Text(format!(
            "{n}{}",
            "y".repeat(9_000)
        ))),
    };
    let large = v1::ProductInput {
        attributes: (0..50).map(|n| (format!("a{n}"), text(n))).collect(),
        ..input("large", "Large")
    };
    let created = write(&mut catalog, vec![at(None, Write::Put(large))], "");
    created.await.expect("put");
    let renames = (0..30).map(|n| rename("large", &format!("Large {n}")));
    let mut writes: Vec<_> = renames.collect();
    writes.push(create("p1", "Mouse"));
    let told = told(&write(&mut catalog, writes, "").await.expect("write"));
    let full = "ResourceExhausted BATCH_FULL ";
    let applied = told.iter().filter(|text| *text != full).count();
    assert!((10..25).contains(&applied), "{told:?}");
    assert!(told[applied..].iter().all(|text| text == full), "{told:?}");
    assert_eq!(catalog.events(applied as u64 + 1).await.len(), applied + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_on_the_same_products_in_another_order_all_come_through() {
    let mut catalog = Catalog::start().await;
    let (other, running) = catalog.start_another().await;
    let calls = (0..20).map(|n| {
        let mut commands = [&catalog.commands, &other][n % 2].clone();
        let mut writes: Vec<_> = (0..20)
            .map(|id| put(&format!("p{id}"), &format!("Mouse {n}")))
            .collect();
        if n % 3 == 0 {
            writes.reverse();
        }
        let request = v1::WriteProductsRequest {
            writes,
            ..Default::default()
        };
        tokio::spawn(async move { commands.write_products(request).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.expect("no panic").expect("an answer");
        let told = told(answer.get_ref());
        assert!(told.iter().all(|text| text.starts_with('p')), "{told:?}");
    }
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM products")
        .fetch_all(&catalog.pool)
        .await
        .expect("products");
    assert_eq!(versions, [20; 20], "none was lost");
    assert_eq!(catalog.events(400).await.len(), 400);
    assert_eq!(catalog.status().await.outbox_pending, 0);
    running.stop().await;
}
