//! Events read from the log are the messages of the stream, to the byte.

use async_nats::jetstream::message::StreamMessage;
use catalog_events::STREAM;
use catalog_proto::v1;
use futures_util::TryStreamExt as _;
use tonic::Code;

use crate::harness::{Catalog, input};

async fn messages(catalog: &Catalog, count: u64) -> Vec<StreamMessage> {
    catalog.events(count).await;
    let jetstream = catalog.jetstream().await;
    let stream = jetstream.get_stream(STREAM).await.expect("stream");
    let mut messages = Vec::new();
    for sequence in 1..=count {
        messages.push(stream.get_raw_message(sequence).await.expect("no hole"));
    }
    messages
}

fn assert_equal(event: &v1::LoggedEvent, message: &StreamMessage) {
    let header = |name| message.headers.get(name).map_or("", |value| value.as_str());
    assert_eq!(event.position as u64, message.sequence);
    assert_eq!(event.event_id, header("ce-id"));
    assert_eq!(event.traceparent, header("traceparent"));
    assert_eq!(event.body, message.payload);
}

async fn read(
    catalog: &Catalog,
    after: i64,
    up_to: i64,
) -> Result<Vec<v1::ReadEventsResponse>, tonic::Status> {
    let request = v1::ReadEventsRequest {
        after_position: after,
        up_to_position: up_to,
    };
    let answers = catalog.operations().read_events(request).await?;
    answers.into_inner().try_collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_as_they_were_published() {
    let mut catalog = Catalog::start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut request = tonic::Request::new(v1::CreateProductRequest {
        product: Some(input("traced", "Maus, schön \u{1F5B1}")),
        ..Default::default()
    });
    let metadata = traceparent.parse().expect("metadata");
    request.metadata_mut().insert("traceparent", metadata);
    catalog
        .commands
        .create_product(request)
        .await
        .expect("create");
    // More than one page, and more bytes than one answer takes.
    let rows = (0..600).map(|n| v1::ProductInput {
        description: "long ".repeat(if n % 4 == 0 { 4_000 } else { 1 }),
        ..input(&format!("p{n}"), "Mouse")
    });
    catalog.import(rows.collect()).await.expect("import");
    let delete = v1::DeleteProductRequest {
        id: "p7".to_owned(),
        ..Default::default()
    };
    catalog
        .commands
        .delete_product(delete)
        .await
        .expect("delete");
    let messages = messages(&catalog, 602).await;

    let answers = read(&catalog, 0, 0).await.expect("events");
    let bytes = |answer: &v1::ReadEventsResponse| -> usize {
        answer.events.iter().map(|event| event.body.len()).sum()
    };
    assert!(answers.len() > 2, "one answer holds it all");
    assert!(answers.iter().all(|answer| bytes(answer) <= 1024 * 1024));
    let events: Vec<_> = answers.into_iter().flat_map(|one| one.events).collect();
    assert_eq!(events.len(), messages.len());
    for (event, message) in events.iter().zip(&messages) {
        assert_equal(event, message);
    }
    assert!(!events[0].traceparent.is_empty());

    for (after, up_to) in [(0, 1), (10, 13), (600, 602), (601, 0), (602, 602), (9, 5)] {
        let answers = read(&catalog, after, up_to).await.expect("events");
        let part: Vec<_> = answers.into_iter().flat_map(|one| one.events).collect();
        let end = if up_to == 0 { 602 } else { up_to.max(after) };
        assert_eq!(part, events[after as usize..end as usize]);
    }
    for (after, up_to, code) in [
        (0, 603, Code::OutOfRange),
        (603, 0, Code::OutOfRange),
        (-1, 0, Code::InvalidArgument),
        (0, -1, Code::InvalidArgument),
    ] {
        let refused = read(&catalog, after, up_to).await.expect_err("refused");
        assert_eq!(refused.code(), code, "after {after} up to {up_to}");
    }
}

async fn last_events(
    catalog: &Catalog,
    ids: Vec<String>,
    position: i64,
) -> Result<Vec<v1::LoggedEvent>, tonic::Status> {
    let request = v1::ReadProductEventsRequest { ids, position };
    let stream = catalog.operations().read_product_events(request).await?;
    let answers: Vec<_> = stream.into_inner().try_collect().await?;
    Ok(answers.into_iter().flat_map(|one| one.events).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_event_of_a_product_is_found_at_any_position() {
    let mut catalog = Catalog::start().await;
    for title in ["One", "Two", "Three"] {
        let rows = (0..60).map(|n| input(&format!("p{n}"), title)).collect();
        catalog.import(rows).await.expect("import");
    }
    let messages = messages(&catalog, 180).await;
    for position in [0, 1, 61, 150, 180] {
        let ids = (0..61).map(|n| format!("p{n}")).collect();
        let found = last_events(&catalog, ids, position).await.expect("events");
        let end = if position == 0 { 180 } else { position as u64 };
        // Each import left one event a product, in the order of the rows.
        assert_eq!(found.len(), end.min(60) as usize);
        for event in found {
            let message = &messages[event.position as usize - 1];
            assert_equal(&event, message);
            let position = event.position as u64;
            assert!(
                position <= end && position + 60 > end,
                "{position} of {end}"
            );
        }
    }
    let many = (0..1_001).map(|n| format!("p{n}")).collect();
    for ids in [many, vec!["no id".to_owned()]] {
        let refused = last_events(&catalog, ids, 0).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let beyond = last_events(&catalog, vec!["p1".to_owned()], 181).await;
    assert_eq!(beyond.expect_err("beyond").code(), Code::OutOfRange);
}
