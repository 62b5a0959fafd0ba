//! Search rules: what is put, replaced and deleted, and that their log and stream say the same.

use std::collections::HashMap;
use std::time::Instant;

use catalog_events::{RULE_STREAM, RuleEvent, RuleForm, decode_rule, rule_stream_config};
use catalog_proto::v1;
use catalog_proto::v1::search_rule_service_client::SearchRuleServiceClient;
use serde_json::{Value, json};
use service_kit::{reason, violations};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::harness::{Catalog, DEADLINE};

type Rules = SearchRuleServiceClient<Channel>;

fn form(id: &str, kind: Value) -> v1::SearchRule {
    let form = serde_json::from_value::<RuleForm>(json!({"id": id, "kind": kind}));
    form.expect("form").into_message()
}

fn synonyms(id: &str, terms: &[&str]) -> v1::SearchRule {
    form(id, json!({"type": "synonyms", "terms": terms}))
}

fn redirect(id: &str, url: &str) -> v1::SearchRule {
    let actions = json!([{"action": "redirect", "url": url}]);
    form(
        id,
        json!({"type": "curation", "queries": ["lamp"], "actions": actions}),
    )
}

async fn put(
    rules: &mut Rules,
    rule: v1::SearchRule,
    expected_version: Option<i64>,
    request_id: &str,
) -> Result<v1::SearchRule, Status> {
    let request = v1::PutSearchRuleRequest {
        rule: Some(rule),
        expected_version,
        request_id: request_id.to_owned(),
    };
    let answer = rules.put_search_rule(request).await?.into_inner();
    Ok(answer.rule.expect("rule"))
}

async fn delete(
    rules: &mut Rules,
    id: &str,
    expected_version: Option<i64>,
    request_id: &str,
) -> Result<i64, Status> {
    let request = v1::DeleteSearchRuleRequest {
        id: id.to_owned(),
        expected_version,
        request_id: request_id.to_owned(),
    };
    let answer = rules.delete_search_rule(request).await?;
    Ok(answer.into_inner().version)
}

async fn get(rules: &mut Rules, id: &str) -> Result<v1::SearchRule, Status> {
    let request = v1::GetSearchRuleRequest { id: id.to_owned() };
    Ok(rules.get_search_rule(request).await?.into_inner())
}

async fn list(rules: &mut Rules, kind: v1::SearchRuleType, limit: i32) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListSearchRulesRequest {
            r#type: kind.into(),
            limit,
            page_token,
        };
        let answer = rules.list_search_rules(request).await;
        let page = answer.expect("list").into_inner();
        pages.push(page.rules.into_iter().map(|rule| rule.id).collect());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

/// All events, once the stream has `count` of them. It must have no hole, and positions equal to
/// sequences.
async fn events(catalog: &Catalog, count: u64) -> Vec<RuleEvent> {
    let jetstream = catalog.jetstream().await;
    let started = Instant::now();
    let stream = loop {
        if let Ok(stream) = jetstream.get_stream(RULE_STREAM).await
            && stream.cached_info().state.last_sequence >= count
        {
            break stream;
        }
        let waited = started.elapsed();
        assert!(waited < DEADLINE, "the stream never reached {count}");
        tokio::task::yield_now().await;
    };
    let mut events = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let message = stream.get_raw_message(sequence).await.expect("no hole");
        let event = decode_rule(Some(&message.headers), &message.payload).expect("event");
        assert_eq!(event.position.0, sequence, "position equals sequence");
        let subject = format!(
            "catalog.evt.v1.rule.{}.{}",
            event.event_type(),
            event.rule_id
        );
        assert_eq!(message.subject.as_str(), subject);
        events.push(event);
    }
    events
}

/// Position, rule, version and whether it is a deletion, for every event of the log.
async fn logged(catalog: &Catalog) -> Vec<(i64, String, i64, bool)> {
    sqlx::query_as(
        "SELECT position, rule_id, version, rule IS NULL FROM rule_log ORDER BY position",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("log")
}

/// The same columns for events of the stream.
fn as_logged(events: &[RuleEvent]) -> Vec<(i64, String, i64, bool)> {
    let rows = events.iter().map(|event| {
        let (position, version) = (event.position.to_i64(), event.version.get());
        (
            position,
            event.rule_id.to_string(),
            version,
            event.rule.is_none(),
        )
    });
    rows.collect()
}

fn assert_refused(status: &Status, code: Code, why: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    assert_eq!(reason(status).as_deref(), Some(why), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_put_replaced_deleted_and_put_again() {
    let mut catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    let untrimmed = synonyms("r-1", &["laptop", " notebook "]);
    let created = put(&mut rules, untrimmed, None, "").await.expect("create");
    assert_eq!(
        (created.version, created.created_at),
        (1, created.updated_at)
    );
    let kind = synonyms("r-1", &["laptop", "notebook"]).kind;
    assert_eq!(created.kind, kind, "trimmed");
    assert_eq!(get(&mut rules, "r-1").await.expect("get"), created);

    let same = put(
        &mut rules,
        synonyms("r-1", &["laptop", "notebook"]),
        Some(1),
        "",
    )
    .await;
    assert_eq!(same.expect("nothing changed"), created);
    let replaced = put(&mut rules, redirect("r-1", "/lamps"), Some(1), "")
        .await
        .expect("replace");
    assert_eq!(
        (replaced.version, replaced.created_at),
        (2, created.created_at)
    );
    assert_eq!(
        delete(&mut rules, "r-1", Some(2), "")
            .await
            .expect("delete"),
        3
    );
    let gone = get(&mut rules, "r-1").await.expect_err("deleted");
    assert_refused(&gone, Code::NotFound, "RULE_NOT_FOUND");
    let reborn = put(&mut rules, redirect("r-1", "/lamps"), Some(0), "").await;
    assert_eq!(reborn.expect("create again").version, 4);

    let events = events(&catalog, 4).await;
    assert_eq!(as_logged(&events), logged(&catalog).await);
    let versions: Vec<_> = events.iter().map(|event| event.version.get()).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert!(events[2].rule.is_none());
    // The stream of products may be created a moment later than that of rules.
    let status = catalog
        .status_where("has both streams", |status| status.relay_error.is_empty())
        .await;
    assert_eq!((status.rule_position, status.rule_stream_sequence), (4, 4));
    assert_eq!((status.log_position, status.relay_error.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_who_wrote_it() {
    let catalog = Catalog::start().await;
    let mut request = Request::new(v1::PutSearchRuleRequest {
        rule: Some(synonyms("r-1", &["tv", "television"])),
        ..Default::default()
    });
    let metadata = request.metadata_mut();
    metadata.insert("catalog-actor", "jane".parse().expect("ASCII"));
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    metadata.insert("traceparent", parent.parse().expect("ASCII"));
    let answer = catalog.rules().put_search_rule(request).await;
    let rule = answer.expect("put").into_inner().rule.expect("rule");
    let event = events(&catalog, 1).await.remove(0);
    assert_eq!(event.actor, "jane");
    let trace = event.traceparent.expect("trace");
    assert!(
        trace.contains("0af7651916cd43dd8448eb211c80319c"),
        "{trace}"
    );
    let snapshot = event.rule.expect("rule");
    assert_eq!(snapshot.to_message(event.version), rule);
    assert_eq!(event.occurred_at, snapshot.updated_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_tells_a_new_rule_from_a_replaced_one() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    let mut put = async |terms: [&str; 2], request_id: &str| {
        let request = v1::PutSearchRuleRequest {
            rule: Some(synonyms("r-1", &terms)),
            request_id: request_id.to_owned(),
            ..Default::default()
        };
        let answer = rules.put_search_rule(request).await.expect("put");
        answer.into_inner().created
    };
    assert!(put(["tv", "television"], "k1").await);
    assert!(!put(["tv", "television"], "").await, "as it was");
    assert!(!put(["tv", "telly"], "").await, "replaced");
    assert!(put(["tv", "television"], "k1").await, "answered again");
    delete(&mut catalog.rules(), "r-1", None, "")
        .await
        .expect("delete");
    assert!(put(["tv", "telly"], "").await, "new once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expected_version_is_kept_to() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    let rule = || synonyms("r-1", &["a", "b"]);
    let missing = put(&mut rules, rule(), Some(1), "").await;
    assert_refused(
        &missing.expect_err("missing"),
        Code::Aborted,
        "VERSION_MISMATCH",
    );
    put(&mut rules, rule(), Some(0), "").await.expect("create");
    let exists = put(&mut rules, rule(), Some(0), "").await;
    assert_refused(&exists.expect_err("exists"), Code::Aborted, "RULE_EXISTS");
    let other = put(&mut rules, redirect("r-1", "/"), Some(2), "").await;
    assert_refused(&other.expect_err("at 1"), Code::Aborted, "VERSION_MISMATCH");
    let other = delete(&mut rules, "r-1", Some(2), "").await;
    assert_refused(&other.expect_err("at 1"), Code::Aborted, "VERSION_MISMATCH");
    let unknown = delete(&mut rules, "r-2", Some(2), "").await;
    assert_refused(
        &unknown.expect_err("unknown"),
        Code::NotFound,
        "RULE_NOT_FOUND",
    );
    assert_eq!(logged(&catalog).await.len(), 1, "refusals write nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_is_answered_the_same() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    let first = synonyms("r-1", &["a", "b"]);
    let answer = put(&mut rules, first.clone(), Some(0), "k1")
        .await
        .expect("put");
    put(&mut rules, redirect("r-1", "/"), None, "k2")
        .await
        .expect("replace");
    let again = put(&mut rules, first.clone(), Some(0), "k1").await;
    assert_eq!(again.expect("the earlier answer"), answer);
    assert_eq!(get(&mut rules, "r-1").await.expect("get").version, 2);
    let reused = [
        put(&mut rules, first.clone(), None, "k1").await.map(|_| ()),
        put(&mut rules, synonyms("r-1", &["a", "c"]), Some(0), "k1")
            .await
            .map(|_| ()),
        delete(&mut rules, "r-1", None, "k1").await.map(|_| ()),
    ];
    for answer in reused {
        let refused = answer.expect_err("another request");
        assert_refused(&refused, Code::InvalidArgument, "REQUEST_ID_REUSED");
    }
    let deleted = delete(&mut rules, "r-1", None, "k3").await.expect("delete");
    let again = delete(&mut rules, "r-1", None, "k3").await;
    assert_eq!(again.expect("the earlier answer"), deleted);
    let refused = delete(&mut rules, "r-1", None, "k4").await;
    assert_eq!(refused.expect_err("gone").code(), Code::NotFound);

    let calls = (0..20).map(|_| {
        let mut rules = catalog.rules();
        tokio::spawn(async move { put(&mut rules, synonyms("r-2", &["c", "d"]), None, "k5").await })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        answers.push(call.await.expect("no panic").expect("an answer"));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        as_logged(&events(&catalog, 4).await),
        logged(&catalog).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_on_two_instances_leave_no_gap() {
    const WRITERS: usize = 6;
    const WRITES: usize = 15;
    let catalog = Catalog::start().await;
    let (_, running) = catalog.start_another().await;
    let writers = (0..WRITERS).map(|writer| {
        let mut rules = match writer % 2 {
            0 => catalog.rules(),
            _ => running.rules(),
        };
        tokio::spawn(async move {
            for write in 0..WRITES {
                // All write the same few rules, and delete them now and then.
                let id = format!("r-{}", write % 4);
                let term = format!("by {writer} at {write}");
                let written = match write % 5 {
                    4 => delete(&mut rules, &id, None, "").await.map(|_| ()),
                    _ => put(&mut rules, synonyms(&id, &["a", &term]), None, "")
                        .await
                        .map(|_| ()),
                };
                let fine = written
                    .as_ref()
                    .err()
                    .is_none_or(|err| err.code() == Code::NotFound);
                assert!(fine, "{written:?}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("writer");
    }
    let logged = logged(&catalog).await;
    let events = events(&catalog, logged.len() as u64).await;
    assert_eq!(as_logged(&events), logged);
    let mut versions: HashMap<String, i64> = HashMap::new();
    for (index, (position, id, version, _)) in logged.iter().enumerate() {
        assert_eq!(*position, index as i64 + 1);
        let last = versions.entry(id.clone()).or_default();
        *last += 1;
        assert_eq!(version, last, "{id} in order");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_stream_is_filled_again_from_the_log() {
    let mut catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    for n in 0..30 {
        let id = format!("r-{n}");
        put(&mut rules, synonyms(&id, &["a", &id]), None, "")
            .await
            .expect("put");
    }
    delete(&mut rules, "r-3", None, "").await.expect("delete");
    let before = events(&catalog, 31).await;
    let jetstream = catalog.jetstream().await;
    jetstream.delete_stream(RULE_STREAM).await.expect("delete");
    // Nobody writes: the relay looks by itself.
    assert_eq!(events(&catalog, 31).await, before);
    let stream = jetstream.get_stream(RULE_STREAM).await.expect("stream");
    assert!(stream.cached_info().config.deny_delete);

    catalog.nats.kill().await.expect("kill -9");
    put(&mut rules, synonyms("r-3", &["a", "b"]), None, "")
        .await
        .expect("put meanwhile");
    catalog.nats.restart().await.expect("restart");
    assert_eq!(events(&catalog, 32).await[..31], before);
    catalog
        .status_where("well again", |status| {
            status.relay_error.is_empty() && status.rule_stream_sequence == 32
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ahead_of_the_log_is_told_of_and_made_anew() {
    let mut catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    put(&mut rules, synonyms("r-1", &["a", "b"]), None, "")
        .await
        .expect("put");
    events(&catalog, 1).await;
    catalog.stop_service().await;
    let jetstream = catalog.jetstream().await;
    let foreign = async || {
        let stored = jetstream
            .publish("catalog.evt.v1.rule.put.x", "{}".into())
            .await;
        stored.expect("publish").await.expect("stored");
    };
    foreign().await;
    catalog.restart_service(0).await;
    let told = "search rules: the log of search rules was set back to position 1, behind which the stream \
                CATALOG_RULES has other events up to 2";
    catalog
        .status_where("said so", |status| status.relay_error.contains(told))
        .await;
    // Products go on, and so do writers of rules, who take the place of what was lost.
    catalog.create("p1", "Mouse").await;
    assert_eq!(catalog.events(1).await.len(), 1);
    let mut rules = catalog.rules();
    put(&mut rules, synonyms("r-2", &["a", "b"]), None, "")
        .await
        .expect("put");
    catalog
        .status_where("made the stream anew", |status| {
            status.rule_stream_sequence == 2 && status.relay_error.is_empty()
        })
        .await;
    assert_eq!(
        as_logged(&events(&catalog, 2).await),
        logged(&catalog).await
    );
    catalog
        .status_where("went on", |status| status.relay_error.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_says_so_and_heals() {
    let mut catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    put(&mut rules, synonyms("r-1", &["a", "b"]), None, "")
        .await
        .expect("put");
    events(&catalog, 1).await;
    let jetstream = catalog.jetstream().await;
    let limited = |max_messages| async_nats::jetstream::stream::Config {
        max_messages,
        ..rule_stream_config()
    };
    jetstream.update_stream(limited(1)).await.expect("limit");
    put(&mut rules, synonyms("r-2", &["a", "b"]), None, "")
        .await
        .expect("put");
    let full = "the stream CATALOG_RULES is full";
    catalog
        .status_where("said so", |status| status.relay_error.contains(full))
        .await;
    jetstream.update_stream(limited(-1)).await.expect("raise");
    assert_eq!(events(&catalog, 2).await.len(), 2);
}

/// Rules that are not valid, with the fields at fault.
fn bad_rules() -> [(v1::SearchRule, Vec<&'static str>); 7] {
    let bad_time = v1::SearchRule {
        ends_at: Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        }),
        ..synonyms("r-1", &["a"])
    };
    let nothing = v1::SearchRule {
        kind: None,
        ..synonyms("a.b", &[])
    };
    let no_target = curation_of(Some(v1::curation_action::Kind::Boost(v1::Boost {
        target: None,
        factor: f64::NAN,
    })));
    let one_way = form(
        "r-1",
        json!({"type": "one_way_synonyms", "from": "a", "to": ["a"]}),
    );
    [
        (
            synonyms("r-1", &["a", "a", ""]),
            vec!["terms[1]", "terms[2]"],
        ),
        (bad_time, vec!["ends_at", "terms"]),
        (nothing, vec!["id", "kind"]),
        (one_way, vec!["to[0]"]),
        (redirect("r-1", "//evil.example"), vec!["actions[0].url"]),
        (no_target, vec!["actions[0].factor", "actions[0].target"]),
        (curation_of(None), vec!["actions[0]"]),
    ]
}

fn curation_of(kind: Option<v1::curation_action::Kind>) -> v1::SearchRule {
    let curation = v1::Curation {
        actions: vec![v1::CurationAction { kind }],
        ..Default::default()
    };
    v1::SearchRule {
        kind: Some(v1::search_rule::Kind::Curation(curation)),
        ..synonyms("r-1", &[])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_field_by_field() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    for (rule, fields) in bad_rules() {
        let refused = put(&mut rules, rule, None, "")
            .await
            .expect_err("bad input");
        assert_refused(&refused, Code::InvalidArgument, "INVALID_RULE");
        let violations = violations(&refused);
        let found: Vec<_> = violations.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(found, fields, "{refused:?}");
    }
    let good = || synonyms("r-1", &["a", "b"]);
    let answers = [
        put(&mut rules, good(), Some(-1), "").await.map(|_| ()),
        put(&mut rules, good(), None, "two words").await.map(|_| ()),
        delete(&mut rules, "a.b", None, "").await.map(|_| ()),
        get(&mut rules, "a.b").await.map(|_| ()),
    ];
    let fields = ["expected_version", "request_id", "id", "id"];
    for (answer, field) in answers.into_iter().zip(fields) {
        let refused = answer.expect_err(field);
        assert_refused(&refused, Code::InvalidArgument, "INVALID_RULE");
        assert_eq!(violations(&refused)[0].0, field);
    }
    let no_rule = v1::PutSearchRuleRequest::default();
    let refused = rules.put_search_rule(no_rule).await.expect_err("no rule");
    assert_eq!(violations(&refused)[0].0, "rule");
    for (limit, page_token, field) in [
        (-1, "", "limit"),
        (0, "a.b", "page_token"),
        (0, "x", "page_token"),
    ] {
        let request = v1::ListSearchRulesRequest {
            limit,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        let refused = rules.list_search_rules(request).await.expect_err(field);
        assert_eq!(violations(&refused)[0].0, field);
    }
    assert!(logged(&catalog).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_listed_by_id_kind_and_page() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    assert_eq!(
        list(&mut rules, v1::SearchRuleType::Unspecified, 0).await,
        [[""; 0]]
    );
    let one_way = form(
        "c",
        json!({"type": "one_way_synonyms", "from": "x", "to": ["y"]}),
    );
    for rule in [
        redirect("d", "/"),
        one_way,
        redirect("B", "/"),
        synonyms("a", &["x", "y"]),
        form("b", json!({"type": "distinct", "terms": ["x", "z"]})),
    ] {
        put(&mut rules, rule, None, "").await.expect("put");
    }
    put(&mut rules, redirect("e", "/"), None, "")
        .await
        .expect("put");
    delete(&mut rules, "e", None, "").await.expect("delete");
    let all = v1::SearchRuleType::Unspecified;
    assert_eq!(list(&mut rules, all, 0).await, [["B", "a", "b", "c", "d"]]);
    assert_eq!(
        list(&mut rules, all, 2).await,
        [vec!["B", "a"], vec!["b", "c"], vec!["d"]]
    );
    assert_eq!(
        list(&mut rules, all, 3).await,
        [vec!["B", "a", "b"], vec!["c", "d"]]
    );
    assert_eq!(
        list(&mut rules, v1::SearchRuleType::Synonyms, 1).await,
        [["a"], ["b"], ["c"]]
    );
    assert_eq!(
        list(&mut rules, v1::SearchRuleType::Curation, 9).await,
        [["B", "d"]]
    );

    // Each has 400 KiB: a page ends before it is too large for its callers.
    let ids = vec!["x".repeat(64); 1_000];
    let hide = json!({"action": "hide", "target": {"product_ids": ids}});
    let large = json!({"type": "curation", "actions": vec![hide; 6]});
    for n in 0..7 {
        put(&mut rules, form(&format!("x-{n}"), large.clone()), None, "")
            .await
            .expect("put");
    }
    let pages = list(&mut rules, v1::SearchRuleType::Curation, 0).await;
    assert_eq!(pages.len(), 2, "{pages:?}");
    assert_eq!(pages.concat().len(), 9);
    assert_eq!(
        events(&catalog, 14).await.len(),
        14,
        "large ones are relayed too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_ten_thousand_rules_at_most() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    let first = put(&mut rules, synonyms("r-0", &["a", "b"]), None, "").await;
    first.expect("put");
    sqlx::query(
        "INSERT INTO search_rules
         SELECT 'n-' || n, 1, (SELECT rule FROM search_rules), now() FROM generate_series(2, 10000) AS n",
    )
    .execute(&catalog.pool)
    .await
    .expect("fill");
    let full = put(&mut rules, synonyms("r-1", &["a", "b"]), None, "")
        .await
        .expect_err("one too many");
    assert_refused(&full, Code::ResourceExhausted, "TOO_MANY_RULES");
    put(&mut rules, redirect("r-0", "/"), None, "")
        .await
        .expect("a change");
    delete(&mut rules, "r-0", None, "").await.expect("delete");
    put(&mut rules, synonyms("r-1", &["a", "b"]), None, "")
        .await
        .expect("there is room");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_rewrites_the_log_of_rules() {
    let catalog = Catalog::start().await;
    let mut rules = catalog.rules();
    put(&mut rules, synonyms("r-1", &["a", "b"]), None, "")
        .await
        .expect("put");
    for statement in [
        "UPDATE rule_log SET actor = 'nobody'",
        "DELETE FROM rule_log",
        "TRUNCATE rule_log",
    ] {
        let refused = sqlx::query(statement).execute(&catalog.pool).await;
        let message = refused.expect_err("append-only").to_string();
        assert!(message.contains("rule_log is append-only"), "{message}");
    }
}
