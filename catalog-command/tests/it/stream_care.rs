//! A stream that lost events, holds others, is full or is to forget old ones: the log brings it
//! back, or the relay says what a person must do.

use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::stream::{Config, Stream};
use catalog_events::{Position, STREAM, stream_config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Catalog, DEADLINE, input};

async fn import(catalog: &mut Catalog, name: &str, count: usize) {
    let rows = (0..count).map(|n| input(&format!("{name}{n}"), "Mouse"));
    catalog.import(rows.collect()).await.expect("import");
}

/// Puts another stream in the place of ours while nobody leads.
async fn replace_stream(catalog: &mut Catalog, config: Config) -> Stream {
    catalog.stop_service().await;
    let jetstream = catalog.jetstream().await;
    jetstream.delete_stream(STREAM).await.expect("delete");
    jetstream.create_stream(config).await.expect("create")
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("create folder");
    for entry in std::fs::read_dir(from).expect("read folder") {
        let entry = entry.expect("entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("type").is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copy");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tail_is_filled_again_and_counted() {
    let mut catalog = Catalog::start().await;
    import(&mut catalog, "early", 5).await;
    catalog.events(5).await;
    catalog.nats.kill().await.expect("kill -9");
    let backup = tempfile::tempdir().expect("folder");
    copy_folder(&catalog.streams_folder(), backup.path());
    catalog.nats.restart().await.expect("restart");
    import(&mut catalog, "late", 4).await;
    let before = catalog.events(9).await;

    // The disk forgets what came after the copy.
    catalog.nats.kill().await.expect("kill -9");
    std::fs::remove_dir_all(catalog.streams_folder()).expect("remove");
    copy_folder(backup.path(), &catalog.streams_folder());
    catalog.nats.restart().await.expect("restart");
    let status = catalog
        .status_where("filled the stream again", |status| {
            status.stream_sequence == 9 && status.refilled_events > 0
        })
        .await;
    assert_eq!((status.refilled_events, status.stream_recreations), (4, 0));
    assert_eq!(catalog.events(9).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_a_hole_is_created_anew() {
    let mut catalog = Catalog::start().await;
    import(&mut catalog, "p", 6).await;
    let before = catalog.events(6).await;
    // Ours refuses to delete single messages, and cannot be talked into it.
    let weak = Config {
        deny_delete: false,
        ..stream_config(Position(1))
    };
    let stream = replace_stream(&mut catalog, weak).await;
    catalog.restart_service(0).await;
    catalog.events(6).await;
    stream.delete_message(3).await.expect("delete one");

    let status = catalog
        .status_where("filled a new stream", |status| {
            status.refilled_events > 0 && status.stream_sequence == 6
        })
        .await;
    assert_eq!((status.refilled_events, status.stream_recreations), (6, 1));
    assert_eq!(status.stream_first_sequence, 1);
    assert_eq!(catalog.events(6).await, before);
    let stream = catalog.jetstream().await.get_stream(STREAM).await;
    assert!(stream.expect("stream").cached_info().config.deny_delete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_catalog_is_refused() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    replace_stream(&mut catalog, stream_config(Position(1))).await;
    let mut headers = HeaderMap::new();
    headers.insert("ce-id", "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    let jetstream = catalog.jetstream().await;
    let subject = "catalog.evt.v1.product.created.x";
    let stored = jetstream.publish_with_headers(subject, headers, "{}".into());
    stored.await.expect("publish").await.expect("stored");

    catalog.restart_service(0).await;
    let refusal = "holds the event 6ba7b810-9dad-11d1-80b4-00c04fd430c8 at position 1";
    catalog
        .status_where("said so", |status| status.relay_error.contains(refusal))
        .await;
    catalog.create("p2", "Mouse").await;
    let status = catalog
        .status_where("sequenced it", |status| status.log_position == 2)
        .await;
    assert_eq!(status.stream_sequence, 1);

    jetstream.delete_stream(STREAM).await.expect("delete");
    assert_eq!(catalog.events(2).await.len(), 2);
    catalog
        .status_where("went on", |status| status.relay_error.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_says_so_and_heals() {
    let mut catalog = Catalog::start().await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    let jetstream = catalog.jetstream().await;
    let limited = |max_messages| Config {
        max_messages,
        ..stream_config(Position(1))
    };
    jetstream.update_stream(limited(1)).await.expect("limit");
    catalog.create("p2", "Mouse").await;
    catalog
        .status_where("said so", |status| {
            status.relay_error.contains("the stream CATALOG is full")
        })
        .await;
    jetstream.update_stream(limited(-1)).await.expect("raise");
    assert_eq!(catalog.events(2).await.len(), 2);
    catalog
        .status_where("went on", |status| status.relay_error.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_a_bound_forgets_and_never_refuses() {
    let mut catalog = Catalog::start().await;
    import(&mut catalog, "early", 200).await;
    catalog.events(200).await;
    // A stream of an earlier release, without a bound and full.
    let jetstream = catalog.jetstream().await;
    let full = Config {
        max_messages: 200,
        ..stream_config(Position(1))
    };
    jetstream.update_stream(full).await.expect("limit");
    catalog.create("one-more", "Mouse").await;
    catalog
        .status_where("said so", |status| status.relay_error.contains("is full"))
        .await;

    catalog.restart_with_bytes(64 * 1024).await;
    import(&mut catalog, "late", 300).await;
    let status = catalog
        .status_where("relayed on", |status| status.stream_sequence == 501)
        .await;
    assert_eq!(
        (status.log_position, status.relay_error.as_str()),
        (501, "")
    );
    assert!(status.stream_first_sequence > 201, "{status:?}");
    let stream = jetstream.get_stream(STREAM).await.expect("stream");
    assert!(stream.cached_info().state.bytes <= 64 * 1024);
    assert_eq!(stream.cached_info().config.max_bytes, 64 * 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_forgets_starts_at_the_first_event_young_enough() {
    let mut catalog = Catalog::start().await;
    catalog.hold_log().await;
    for id in ["old-1", "old-2", "old-3", "young-1", "young-2"] {
        catalog.create(id, "Mouse").await;
    }
    let aged = "UPDATE outbox SET occurred_at = occurred_at - interval '10 hours'
                WHERE product_id LIKE 'old-%'";
    let done = sqlx::query(aged).execute(&catalog.pool).await;
    assert_eq!(done.expect("age").rows_affected(), 3);
    catalog.free_log().await;
    catalog.events(5).await;

    catalog.stop_service().await;
    let jetstream = catalog.jetstream().await;
    jetstream.delete_stream(STREAM).await.expect("delete");
    catalog.restart_service(2).await;
    let status = catalog
        .status_where("filled a new stream", |status| {
            status.refilled_events > 0 && status.stream_sequence == 5
        })
        .await;
    assert_eq!(status.stream_first_sequence, 4);
    assert_eq!((status.refilled_events, status.stream_recreations), (2, 1));
    let hours = async || {
        let stream = jetstream.get_stream(STREAM).await.expect("stream");
        let config = &stream.cached_info().config;
        (config.max_age.as_secs() / 3_600, config.first_sequence)
    };
    assert_eq!(hours().await, (2, Some(4)));

    // Another retention changes the stream that is there, not what it holds.
    catalog.restart_service(5).await;
    catalog.create("new", "Mouse").await;
    let relayed = catalog
        .status_where("relayed on", |status| status.stream_sequence == 6)
        .await;
    assert_eq!(hours().await, (5, Some(4)));
    assert_eq!(relayed.stream_first_sequence, 4);
    catalog.restart_service(0).await;
    catalog.create("newer", "Mouse").await;
    catalog
        .status_where("relayed on", |status| status.stream_sequence == 7)
        .await;
    assert_eq!(hours().await, (0, Some(4)));
}

async fn metrics(catalog: &Catalog) -> String {
    let mut connection = TcpStream::connect(catalog.ops_addr()).await.expect("ops");
    let request = b"GET /metrics HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n";
    connection.write_all(request).await.expect("request");
    let mut answer = String::new();
    let read = connection.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("in time")
        .expect("answer");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_where_the_log_and_the_outbox_stand() {
    let mut catalog = Catalog::start().await;
    import(&mut catalog, "p", 3).await;
    catalog.events(3).await;
    let wanted = [
        "catalog_command_log_position 3",
        "catalog_command_stream_sequence 3",
        "catalog_command_stream_first_sequence 1",
        "catalog_command_events_refilled_total 0",
        "catalog_command_stream_recreations_total 0",
        "catalog_command_relay_stopped 0",
        "catalog_command_rule_log_position 0",
        "catalog_command_rule_stream_sequence 0",
        "catalog_command_rule_relay_stopped 0",
        "catalog_command_outbox_pending 0",
        "catalog_command_outbox_oldest_age_seconds 0.0",
    ];
    let started = Instant::now();
    loop {
        let metrics = metrics(&catalog).await;
        let absent = wanted.iter().find(|line| !metrics.contains(*line));
        let Some(missing) = absent else { return };
        assert!(started.elapsed() < DEADLINE, "no {missing} in {metrics}");
        tokio::task::yield_now().await;
    }
}
