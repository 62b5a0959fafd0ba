//! Statuses are counted and shown.

use catalog_events::Broker;
use catalog_proto::v1::{
    GetReadStatusResponse, GetWriteStatusResponse, ProjectionStatus, SearchRuleStatus,
};
use client_kit::Target;
use expect_test::expect;
use serde_json::json;

use super::*;

fn projection(name: &str, position: i64, lag: i64) -> ProjectionStatus {
    ProjectionStatus {
        name: name.to_owned(),
        position,
        lag,
        error: String::new(),
        documents: 890,
        digest: "ab".to_owned(),
    }
}

fn status() -> Status {
    Status {
        write: Ok(GetWriteStatusResponse {
            log_position: 1000,
            outbox_pending: 2,
            outbox_oldest_age_ms: 15,
            stream_sequence: 990,
            leader: true,
            relay_error: "the stream is full".to_owned(),
            products: 900,
            ..GetWriteStatusResponse::default()
        }),
        read: Ok(GetReadStatusResponse {
            generation: 1,
            stream_sequence: 990,
            projections: vec![
                projection("read_model", 990, 0),
                projection("embeddings", 400, 590),
            ],
            documents: 890,
            digest: "ab".to_owned(),
            ..GetReadStatusResponse::default()
        }),
    }
}

fn endpoints() -> Endpoints {
    Endpoints {
        command: Target::command("w:1"),
        query: Target::query("r:1"),
        replicas: Vec::new(),
        nats: Broker::at(""),
    }
}

#[test]
fn a_projection_is_behind_the_end_of_the_log_not_of_what_it_heard() {
    let mut status = status();
    assert_eq!(status.lag_without_embeddings(), Some(2 + 10 + 12));
    assert_eq!(status.lag(), Some(2 + 10 + 12 + 590));
    status.write = Err("no answer".to_owned());
    assert_eq!(status.lag(), None);
}

#[test]
fn what_happened_to_the_stream_and_the_events_is_shown() {
    let mut status = status();
    if let (Ok(write), Ok(read)) = (&mut status.write, &mut status.read) {
        write.relay_error = String::new();
        write.digest = "ab".to_owned();
        write.stream_first_sequence = 200;
        write.refilled_events = 12;
        write.stream_recreations = 2;
        write.leader = false;
        read.previous_generation = 3;
        read.parked_events = 4;
    }
    expect![[r#"
        write service w:1: 900 products, log at 1000, digest ab (another instance leads)
          outbox               1000  2 behind      oldest 15 ms
          stream                990  10 behind     times created anew: 2; lost events filled in again: 12; starts at 200
        read service r:1: 890 documents, generation 1 (rollback to 3), digest ab
          read_model            990  up to date
          embeddings            400  590 behind
          parked events, which could not be applied: 4
    "#]].assert_eq(&status.to_text(&endpoints()));
    expect![[r#"{"lag":614,"read":{"address":"r:1","digest":"ab","documents":890,"generation":1,"parked_events":4,"previous_generation":3,"projections":[{"digest":"ab","documents":890,"error":null,"lag":0,"name":"read_model","position":990},{"digest":"ab","documents":890,"error":null,"lag":590,"name":"embeddings","position":400}],"rules":null,"stream_sequence":990},"write":{"address":"w:1","digest":"ab","leader":false,"log_position":1000,"outbox_oldest_age_ms":15,"outbox_pending":2,"products":900,"refilled_events":12,"relay_error":null,"rule_position":0,"rule_stream_sequence":0,"stream_first_sequence":200,"stream_lag":10,"stream_recreations":2,"stream_sequence":990}}"#]].assert_eq(&status.to_json(&endpoints()).to_string());
}

#[test]
fn search_rules_are_shown_where_there_are_some() {
    let mut status = status();
    if let (Ok(write), Ok(read)) = (&mut status.write, &mut status.read) {
        (write.rule_position, write.rule_stream_sequence) = (7, 5);
        read.rules = Some(SearchRuleStatus {
            position: 4,
            rules: 3,
            active: 2,
            error: String::new(),
        });
    }
    assert_eq!(status.lag(), Some(2 + 10 + 12 + 590 + 2 + 3));
    expect![[r#"
        write service w:1: 900 products, log at 1000
          outbox               1000  2 behind      oldest 15 ms
          stream                990  10 behind     the stream is full
          search rules            5  2 behind
        read service r:1: 890 documents, generation 1, digest ab
          read_model            990  up to date
          embeddings            400  590 behind
          search rules            4  3 behind      2 of 3 followed
    "#]]
    .assert_eq(&status.to_text(&endpoints()));
    let json = status.to_json(&endpoints());
    let rules = json!({"position": 4, "rules": 3, "active": 2, "error": null});
    assert_eq!(json["read"]["rules"], rules);
}

#[test]
fn one_service_is_shown_without_the_other() {
    let mut status = status();
    expect![[r#"
        write service w:1: 900 products, log at 1000
          outbox               1000  2 behind      oldest 15 ms
          stream                990  10 behind     the stream is full
        read service r:1: 890 documents, generation 1, digest ab
          read_model            990  up to date
          embeddings            400  590 behind
    "#]]
    .assert_eq(&status.to_text(&endpoints()));
    status.write = Err("no answer".to_owned());
    expect![[r#"
        read service r:1: 890 documents, generation 1, digest ab
          read_model            990  up to date
          embeddings            400  590 behind
    "#]]
    .assert_eq(&status.to_text(&endpoints()));
    expect![[r#"{"lag":null,"read":{"address":"r:1","digest":"ab","documents":890,"generation":1,"parked_events":0,"previous_generation":null,"projections":[{"digest":"ab","documents":890,"error":null,"lag":0,"name":"read_model","position":990},{"digest":"ab","documents":890,"error":null,"lag":590,"name":"embeddings","position":400}],"rules":null,"stream_sequence":990},"write":{"address":"w:1","error":"no answer"}}"#]].assert_eq(&status.to_json(&endpoints()).to_string());
}
