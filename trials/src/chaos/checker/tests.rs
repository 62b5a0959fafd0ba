//! The checker finds what it is there to find: each test plants one mistake.

use std::collections::BTreeMap;

use catalog_events::{Currency, Money, Product, Status};
use time::OffsetDateTime;

use super::*;
use crate::chaos::history::{After, Answer, Failure, Mark, Outcome, Seen, description, title};
use crate::chaos::schedule::Kind;

const ID: &str = "p-1";

fn product(id: &str, text: Mark, price: Mark) -> Product {
    Product {
        id: id.parse().expect("id"),
        title: title(text),
        description: description(text),
        price: Money::from_minor(price as i64, Currency::USD).expect("price"),
        image_url: None,
        brand: None,
        sku: None,
        gtins: vec![],
        categories: vec![],
        attributes: BTreeMap::new(),
        status: Status::Active,
        created_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn event(id: &str, version: i64, event_type: &str, product: Option<Product>) -> Logged {
    Logged {
        position: version,
        event_id: format!("{id}-{version}"),
        product_id: id.to_owned(),
        version,
        event_type: event_type.to_owned(),
        product,
    }
}

fn call(number: u64, request: Request, outcome: Outcome) -> Call {
    Call {
        call: number,
        client: 1,
        request,
        from_ms: number,
        to_ms: number,
        outcome,
    }
}

fn written(version: i64) -> Outcome {
    Outcome::Ok(Answer::Written {
        version: Some(version),
        token: "t".to_owned(),
    })
}

fn lost(kind: FailureKind) -> Outcome {
    let text = String::new();
    Outcome::Unknown(Failure { kind, text })
}

fn refused() -> Outcome {
    Outcome::Fail(Failure {
        kind: FailureKind::Refused,
        text: String::new(),
    })
}

fn create(mark: Mark) -> Request {
    let id = ID.to_owned();
    Request::Create { id, mark }
}

fn price(mark: Mark) -> Request {
    let id = ID.to_owned();
    Request::Price { id, mark }
}

fn get(version: i64, live: bool) -> Request {
    Request::Get {
        id: ID.to_owned(),
        after: Some(After {
            version,
            live,
            token: "t".to_owned(),
        }),
    }
}

fn found(version: i64, price_minor: i64, stale: bool) -> Outcome {
    let seen = Seen {
        version,
        title: title(1),
        price_minor,
    };
    Outcome::Ok(Answer::Found { seen, stale })
}

/// A creation and a change of price, both acknowledged and both logged.
fn log() -> Vec<Logged> {
    vec![
        event(ID, 1, "created", Some(product(ID, 1, 1))),
        event(ID, 2, "price_changed", Some(product(ID, 1, 2))),
    ]
}

fn calls() -> Vec<Call> {
    vec![
        call(1, create(1), written(1)),
        call(2, price(2), written(2)),
        call(3, get(2, true), found(2, 2, false)),
    ]
}

/// Checks which invariants are broken by calls and log, without any fault.
fn check(calls: &[Call], log: &[Logged], expected: &[&str]) {
    let quiet = Schedule {
        seed: 0,
        strikes: Vec::new(),
    };
    let (violations, _) = judge(calls, log, &quiet, true);
    let found: Vec<&str> = violations.iter().map(|one| one.invariant).collect();
    assert_eq!(found, expected, "{violations:#?}");
}

#[test]
fn what_is_right_passes_and_is_counted() {
    check(&calls(), &log(), &[]);
    let (_, counts) = judge(&calls(), &log(), &Schedule::of(1, &[Kind::Kill]), true);
    let expected = Counts {
        writes_ok: 2,
        token_reads: 1,
        ..Counts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn an_acknowledged_write_that_is_not_in_the_log_is_seen() {
    let calls = &calls()[..2];
    check(calls, &log()[..1], &["I1"]);
    let mut other_version = log();
    other_version[1].version = 3;
    check(calls, &other_version, &["I1"]);
}

#[test]
fn an_unknown_write_is_there_wholly_or_not_at_all() {
    let mut unknown = calls();
    unknown[1].outcome = lost(FailureKind::Unavailable);
    unknown.truncate(2);
    check(&unknown, &log(), &[]);
    check(&unknown, &log()[..1], &[]);
    let mut half = log();
    half[1].product = Some(product(ID, 7, 2));
    check(&unknown, &half, &["I4"]);
}

#[test]
fn a_request_id_that_happened_twice_is_seen() {
    let mut twice = log();
    twice.push(event(ID, 3, "price_changed", Some(product(ID, 1, 2))));
    check(&calls(), &twice, &["I4"]);
}

#[test]
fn half_an_import_is_seen() {
    let ids = vec![ID.to_owned(), "p-2".to_owned()];
    let import = Request::Import { ids, mark: 1 };
    let unknown = [call(1, import.clone(), lost(FailureKind::Unavailable))];
    let first = event(ID, 1, "created", Some(product(ID, 1, 1)));
    let second = event("p-2", 1, "created", Some(product("p-2", 2, 2)));
    check(&unknown, &[], &[]);
    check(&unknown, &[first.clone(), second], &[]);
    check(&unknown, std::slice::from_ref(&first), &["I4"]);
    let imported = Outcome::Ok(Answer::Imported {
        created: 2,
        unchanged: 0,
        token: String::new(),
    });
    check(&[call(1, import, imported)], &[first], &["I1"]);
}

#[test]
fn what_was_refused_or_never_asked_for_must_not_happen() {
    let mut calls = calls();
    calls.truncate(2);
    calls[1].outcome = refused();
    check(&calls, &log(), &["I8"]);
    check(&calls[..1], &log(), &["I4"]);
    let mut log = log();
    log.truncate(1);
    log.push(event(ID, 2, "deleted", None));
    check(&calls[..1], &log, &["I4"]);
}

#[test]
fn a_stale_answer_with_a_token_is_seen_unless_it_says_so() {
    let with = |outcome: Outcome| {
        let mut calls = calls();
        calls[2].outcome = outcome;
        calls
    };
    check(&with(found(1, 1, false)), &log(), &["I5"]);
    check(&with(found(1, 1, true)), &log(), &[]);
    let missing = |stale| Outcome::Ok(Answer::Missing { stale });
    check(&with(missing(false)), &log(), &["I5"]);
    check(&with(missing(true)), &log(), &[]);
    let no_hit = Outcome::Ok(Answer::Hit {
        seen: None,
        stale: false,
    });
    check(&with(no_hit), &log(), &["I5"]);
}

#[test]
fn a_read_of_what_never_was_is_seen() {
    let mut wrong = calls();
    wrong[2].outcome = found(2, 3, false);
    check(&wrong, &log(), &["I8"]);
    wrong[2].outcome = found(3, 2, false);
    check(&wrong, &log(), &["I8"]);
}

#[test]
fn errors_are_typed_and_connections_fail_for_a_reason() {
    let mut calls = calls();
    for kind in [
        FailureKind::Wrong,
        FailureKind::Hang,
        FailureKind::Connection,
    ] {
        calls[2].outcome = lost(kind);
        check(&calls, &log(), &["I8"]);
    }
    calls[2].outcome = lost(FailureKind::Unavailable);
    check(&calls, &log(), &[]);

    calls[2].outcome = lost(FailureKind::Connection);
    let killed = (0..)
        .map(|seed| Schedule::of(seed, &[Kind::Kill]))
        .find(|schedule| schedule.ends(Target::Query))
        .expect("some seed kills the read service");
    let (violations, _) = judge(&calls, &log(), &killed, true);
    assert!(violations.is_empty(), "{violations:?}");
}
