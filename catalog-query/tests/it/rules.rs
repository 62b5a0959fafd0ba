//! Search rules, followed from their stream to the answers.

use std::collections::HashMap;
use std::time::Duration;

use catalog_events::{
    EncodedMessage, Position, Product, RULE_STREAM, RuleEvent, SearchRule, Version, encode_rule,
    rule_stream_config,
};
use catalog_proto::v1;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::harness::{Replica, World, eventually, folder, ids, product};

/// The log of the rules, as the write side has it and publishes it.
#[derive(Default)]
struct RuleLog {
    messages: Vec<EncodedMessage>,
    versions: HashMap<String, Version>,
}

impl RuleLog {
    async fn with_stream(world: &World) -> Self {
        make_stream(world).await;
        Self::default()
    }

    async fn put(&mut self, world: &World, id: &str, kind: Value) {
        self.put_rule(world, rule(id, kind)).await;
    }

    async fn put_rule(&mut self, world: &World, rule: SearchRule) {
        let id = rule.id.to_string();
        self.change(world, &id, Some(rule)).await;
    }

    async fn delete(&mut self, world: &World, id: &str) {
        self.change(world, id, None).await;
    }

    async fn change(&mut self, world: &World, id: &str, rule: Option<SearchRule>) {
        let version = self.versions.get(id).map_or(Version::FIRST, |at| at.next());
        self.versions.insert(id.to_owned(), version);
        let event = RuleEvent {
            event_id: Uuid::now_v7(),
            position: Position(self.messages.len() as u64 + 1),
            rule_id: id.parse().expect("id"),
            version,
            occurred_at: OffsetDateTime::now_utc(),
            actor: "test".to_owned(),
            traceparent: None,
            rule,
        };
        self.messages.push(encode_rule(&event).expect("encode"));
        self.publish_last(world).await;
    }

    /// Puts a message in the place of an event.
    async fn put_rubbish(&mut self, world: &World) {
        self.messages.push(EncodedMessage {
            subject: "catalog.evt.v1.rule.put.rubbish".to_owned(),
            headers: Default::default(),
            payload: "rubbish".into(),
        });
        self.publish_last(world).await;
    }

    async fn publish_last(&self, world: &World) {
        let last = self.messages.len() - 1;
        self.publish_from(world, last).await;
    }

    async fn publish_from(&self, world: &World, first: usize) {
        for (message, sequence) in self.messages.iter().zip(1..).skip(first) {
            let publish = world.jetstream.publish_with_headers(
                message.subject.clone(),
                message.headers.clone(),
                message.payload.clone(),
            );
            let stored = publish.await.expect("publish").await.expect("stored");
            assert_eq!(stored.sequence, sequence, "position equals sequence");
        }
    }

    /// Waits until all of the log is followed.
    async fn followed(&self, replica: &Replica) -> v1::SearchRuleStatus {
        eventually("followed", async || {
            let status = replica.status().await.rules.expect("rules");
            (status.position == self.messages.len() as i64).then_some(status)
        })
        .await
    }
}

async fn make_stream(world: &World) {
    let made = world.jetstream.create_stream(rule_stream_config()).await;
    made.expect("stream");
}

async fn delete_stream(world: &World) {
    let deleted = world.jetstream.delete_stream(RULE_STREAM).await;
    assert!(deleted.expect("deleted").success);
}

fn rule(id: &str, kind: Value) -> SearchRule {
    let at = "2026-01-02T03:04:05Z";
    let rule = json!({"id": id, "kind": kind, "created_at": at, "updated_at": at});
    serde_json::from_value(rule).expect("rule")
}

fn synonyms(terms: &[&str]) -> Value {
    json!({"type": "synonyms", "terms": terms})
}

fn curation(queries: &[&str], actions: Value) -> Value {
    json!({"type": "curation", "queries": queries, "actions": actions})
}

async fn search(replica: &Replica, query: &str) -> v1::SearchProductsResponse {
    let request = v1::SearchProductsRequest {
        query: query.to_owned(),
        strategy: v1::SearchStrategy::Keyword.into(),
        explain: true,
        ..Default::default()
    };
    let answer = replica.catalog.clone().search_products(request).await;
    answer.expect("search").into_inner()
}

async fn check(replica: &Replica, query: &str, expected: &[&str]) {
    let found = search(replica, query).await;
    assert_eq!(ids(&found.products), expected, "{query}");
    assert_eq!(found.total, expected.len() as i64, "{query}");
}

/// Makes a world of a laptop, a notebook, and four lamps of two brands.
async fn world() -> World {
    let mut world = World::without_model().await;
    world.put_product(plain("laptop", "Laptop", "Acme")).await;
    world
        .put_product(plain("notebook", "Notebook", "Acme"))
        .await;
    for (id, brand) in [
        ("l1", "Fjell"),
        ("l2", "Nord"),
        ("l3", "Fjell"),
        ("l4", "Nord"),
    ] {
        world.put_product(plain(id, "Desk lamp", brand)).await;
    }
    world
}

fn plain(id: &str, title: &str, brand: &str) -> Product {
    Product {
        brand: Some(brand.to_owned()),
        description: String::new(),
        ..product(id, title)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn synonyms_are_followed_and_forgotten() {
    let world = world().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    // An older write side makes no stream, and that is no error.
    let status = replica.status().await.rules.expect("rules");
    assert_eq!(status, v1::SearchRuleStatus::default());
    check(&replica, "laptop", &["laptop"]).await;

    let mut log = RuleLog::with_stream(&world).await;
    log.put(&world, "both", synonyms(&["laptops", "Notebook"]))
        .await;
    let status = log.followed(&replica).await;
    assert_eq!((status.rules, status.active), (1, 1));
    check(&replica, "laptop", &["laptop", "notebook"]).await;
    check(&replica, "notebook", &["notebook", "laptop"]).await;

    log.delete(&world, "both").await;
    let one_way = json!({"type": "one_way_synonyms", "from": "laptop", "to": ["notebook"]});
    log.put(&world, "one-way", one_way).await;
    let status = log.followed(&replica).await;
    assert_eq!((status.rules, status.active), (1, 1));
    check(&replica, "laptop", &["laptop", "notebook"]).await;
    check(&replica, "notebook", &["notebook"]).await;

    let distinct = json!({"type": "distinct", "terms": ["notebook", "laptop"]});
    log.put(&world, "told-apart", distinct).await;
    let status = log.followed(&replica).await;
    assert_eq!((status.rules, status.active), (2, 2));
    check(&replica, "laptop", &["laptop"]).await;
    log.delete(&world, "told-apart").await;
    log.followed(&replica).await;
    check(&replica, "laptop", &["laptop", "notebook"]).await;

    log.delete(&world, "one-way").await;
    log.followed(&replica).await;
    check(&replica, "laptop", &["laptop"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curations_change_answers_and_are_explained() {
    let world = world().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let mut log = RuleLog::with_stream(&world).await;
    check(&replica, "lamp", &["l1", "l2", "l3", "l4"]).await;

    let boost = json!([{"action": "boost", "target": {"brand": "nord"}, "factor": 2.0}]);
    log.put(&world, "boost", curation(&["lamp"], boost)).await;
    log.followed(&replica).await;
    check(&replica, "lamps", &["l2", "l4", "l1", "l3"]).await;

    let bury = json!([{"action": "bury", "target": {"product_ids": ["l2"]}, "factor": 50.0},
        {"action": "redirect", "url": "/lamps"}]);
    log.put(&world, "bury", curation(&["lamp"], bury)).await;
    let pin = json!([{"action": "pin", "product_id": "laptop", "position": 2},
        {"action": "hide", "target": {"product_ids": ["l3"]}}]);
    log.put(&world, "pin", curation(&["lamp"], pin)).await;
    log.followed(&replica).await;
    check(&replica, "lamp", &["l4", "laptop", "l1", "l2"]).await;
    check(&replica, "desk lamp", &["l1", "l2", "l3", "l4"]).await;

    let found = search(&replica, "lamp").await;
    assert_eq!(found.redirect_url, "/lamps");
    let explanation = found.explanation.expect("explained");
    assert_eq!(explanation.rules, ["boost@1", "bury@1", "pin@1"]);
    let told: Vec<_> = explanation
        .hits
        .iter()
        .map(|hit| {
            (
                hit.pinned_position,
                hit.factors.get("boost").copied(),
                hit.rules.join(" "),
            )
        })
        .collect();
    let expected = [
        (0, Some(2.0), "boost@1"),
        (2, None, "pin@1"),
        (0, None, ""),
        (0, Some(2.0 * (1.0 / 50.0)), "boost@1 bury@1"),
    ]
    .map(|(place, boost, rules)| (place, boost, rules.to_owned()));
    assert_eq!(told, expected);

    let request = v1::SearchProductsRequest {
        query: "lamp".to_owned(),
        why_not: "l3".to_owned(),
        ..Default::default()
    };
    let answer = replica.catalog.clone().search_products(request).await;
    let why_not = answer.expect("search").into_inner().why_not.expect("told");
    assert_eq!(why_not.reason(), v1::why_not::Reason::Hidden);
    assert!(why_not.detail.contains("pin@1"), "{}", why_not.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_begin_and_end_by_themselves() {
    let world = world().await;
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let mut log = RuleLog::with_stream(&world).await;
    let soon = || Some(OffsetDateTime::now_utc() + Duration::from_secs(1));
    let terms = || synonyms(&["laptop", "notebook"]);
    let active = async |expected: i64| {
        eventually("followed by date", async || {
            let status = replica.status().await.rules.expect("rules");
            (status.active == expected).then_some(status)
        })
        .await
    };

    let begins = SearchRule {
        starts_at: soon(),
        ..rule("dated", terms())
    };
    log.put_rule(&world, begins).await;
    assert_eq!(active(1).await.position, 1);
    check(&replica, "laptop", &["laptop", "notebook"]).await;

    let ends = SearchRule {
        starts_at: Some(OffsetDateTime::UNIX_EPOCH),
        ends_at: soon(),
        ..rule("dated", terms())
    };
    log.put_rule(&world, ends).await;
    let status = active(0).await;
    assert_eq!((status.position, status.rules), (2, 1));
    check(&replica, "laptop", &["laptop"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_outlive_a_restart_rubbish_and_the_loss_of_their_stream() {
    let world = world().await;
    let folder = folder();
    let mut log = RuleLog::with_stream(&world).await;
    log.put(&world, "a", synonyms(&["laptop", "notebook"]))
        .await;
    log.put_rubbish(&world).await;
    log.put(&world, "b", synonyms(&["lamp", "light"])).await;
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let status = log.followed(&replica).await;
    assert_eq!(
        (status.rules, status.active, status.error.as_str()),
        (2, 2, "")
    );
    check(&replica, "laptop", &["laptop", "notebook"]).await;

    replica.stop().await;
    let mut replica = world.replica(&folder).await;
    eventually("ready", async || replica.is_ready().await.then_some(())).await;
    // A replica that is ready has read the rules.
    check(&replica, "notebook", &["notebook", "laptop"]).await;
    replica.caught_up(&world).await;

    delete_stream(&world).await;
    eventually("missed", async || {
        let status = replica.status().await.rules.expect("rules");
        status.error.contains("is gone").then_some(())
    })
    .await;
    check(&replica, "laptop", &["laptop", "notebook"]).await;
    make_stream(&world).await;
    log.publish_from(&world, 0).await;
    log.delete(&world, "a").await;
    let status = log.followed(&replica).await;
    assert_eq!((status.rules, status.error.as_str()), (1, ""));
    check(&replica, "laptop", &["laptop"]).await;
    check(&replica, "light", &["l1", "l2", "l3", "l4"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_another_catalog_is_read_anew() {
    let world = world().await;
    let folder = folder();
    let mut log = RuleLog::with_stream(&world).await;
    for _ in 0..3 {
        log.put(&world, "a", synonyms(&["laptop", "notebook"]))
            .await;
    }
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    log.followed(&replica).await;

    delete_stream(&world).await;
    let mut other = RuleLog::with_stream(&world).await;
    other.put(&world, "b", synonyms(&["lamp", "light"])).await;
    let status = other.followed(&replica).await;
    assert_eq!((status.rules, status.error.as_str()), (1, ""));
    check(&replica, "laptop", &["laptop"]).await;
    check(&replica, "light", &["l1", "l2", "l3", "l4"]).await;
}
