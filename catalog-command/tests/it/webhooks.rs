//! Webhooks: a real receiver is told everything, signed and in order, whatever fails on the way.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use catalog_proto::v1;
use catalog_proto::v1::webhook_service_client::WebhookServiceClient;
use prost_types::FieldMask;
use service_kit::{reason, violations};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::{Catalog, DEADLINE, WebhookSettings, input};
use crate::receiver::{Received, Receiver, Reply};

type Hooks = WebhookServiceClient<Channel>;

async fn create(
    hooks: &mut Hooks,
    request: v1::CreateWebhookRequest,
) -> Result<(v1::Webhook, String), Status> {
    let answer = hooks.create_webhook(request).await?.into_inner();
    Ok((answer.webhook.expect("webhook"), answer.secret))
}

fn to(url: impl Into<String>) -> v1::CreateWebhookRequest {
    v1::CreateWebhookRequest {
        url: url.into(),
        ..Default::default()
    }
}

async fn get(hooks: &mut Hooks, id: &str) -> v1::Webhook {
    let request = v1::GetWebhookRequest { id: id.to_owned() };
    let answer = hooks.get_webhook(request).await.expect("get");
    answer.into_inner().webhook.expect("webhook")
}

async fn until(
    hooks: &mut Hooks,
    id: &str,
    what: &str,
    holds: impl Fn(&v1::Webhook) -> bool,
) -> v1::Webhook {
    let started = Instant::now();
    loop {
        let hook = get(hooks, id).await;
        if holds(&hook) {
            return hook;
        }
        assert!(started.elapsed() < DEADLINE, "never {what}: {hook:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn change(
    hooks: &mut Hooks,
    id: &str,
    field: &str,
    change: impl FnOnce(&mut v1::UpdateWebhookRequest),
) -> Result<v1::Webhook, Status> {
    let mut request = v1::UpdateWebhookRequest {
        id: id.to_owned(),
        update_mask: Some(FieldMask {
            paths: vec![field.to_owned()],
        }),
        ..Default::default()
    };
    change(&mut request);
    let answer = hooks.update_webhook(request).await?.into_inner();
    Ok(answer.webhook.expect("webhook"))
}

async fn set_state(hooks: &mut Hooks, id: &str, state: v1::WebhookState) -> v1::Webhook {
    let changed = change(hooks, id, "state", |request| request.set_state(state)).await;
    changed.expect("update")
}

async fn waiting(hooks: &mut Hooks, id: &str, limit: i32) -> Vec<v1::WaitingDelivery> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListWaitingDeliveriesRequest {
            id: id.to_owned(),
            limit,
            page_token,
        };
        let page = hooks.list_waiting_deliveries(request).await.expect("list");
        let page = page.into_inner();
        all.extend(page.deliveries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

async fn retitle(catalog: &mut Catalog, id: &str, title: &str) {
    let request = v1::UpdateProductRequest {
        product: Some(input(id, title)),
        update_mask: Some(FieldMask {
            paths: vec!["title".to_owned()],
        }),
        ..Default::default()
    };
    catalog
        .commands
        .update_product(request)
        .await
        .expect("update");
}

/// The versions of each product in the order in which they arrived for the first time.
fn first_arrivals(received: &[Received]) -> HashMap<String, Vec<u64>> {
    let mut arrivals: HashMap<String, Vec<u64>> = HashMap::new();
    for one in received {
        let positions = arrivals.entry(one.product()).or_default();
        let position = one.position();
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    arrivals
}

fn assert_in_order(received: &[Received]) {
    for (product, positions) in first_arrivals(received) {
        assert!(positions.is_sorted(), "{product}: {positions:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_as_subscribers_get_them_with_a_signature() {
    let mut catalog = Catalog::start().await;
    let receiver = Receiver::start().await;
    catalog.create("before", "Told to nobody").await;
    catalog.events(1).await;
    let (hook, secret) = create(&mut catalog.webhooks(), to(receiver.url()))
        .await
        .expect("create");
    assert!(
        secret.starts_with("whsec_") && secret.len() == 50,
        "its form"
    );
    assert_eq!((hook.version, hook.position), (1, 1));

    catalog.create("p1", "Maus, schön").await;
    retitle(&mut catalog, "p1", "Mouse").await;
    let price = v1::ChangePriceRequest {
        id: "p1".to_owned(),
        price_minor: 999,
        currency: "USD".to_owned(),
        ..Default::default()
    };
    catalog.commands.change_price(price).await.expect("price");
    let delete = v1::DeleteProductRequest {
        id: "p1".to_owned(),
        ..Default::default()
    };
    catalog
        .commands
        .delete_product(delete)
        .await
        .expect("delete");
    let told = receiver.until(4).await;
    let kinds: Vec<String> = told.iter().map(Received::kind).collect();
    let expected = [
        "product.created",
        "product.updated",
        "product.price_changed",
        "product.deleted",
    ];
    assert_eq!(kinds, expected);
    let events = catalog.events(5).await;
    for (one, event) in told.iter().zip(&events[1..]) {
        assert!(one.signed_by(&secret));
        assert_eq!(one.id, event.event_id.to_string());
        assert_eq!(one.header("content-type"), "application/json");
        assert!(one.header("user-agent").starts_with("catalog-webhooks/"));
        let json = one.json();
        assert_eq!(json["data"], serde_json::to_value(event).expect("JSON"));
        assert_eq!(json["timestamp"], json["data"]["occurred_at"]);
    }
    let hook = until(&mut catalog.webhooks(), &hook.id, "all told", |hook| {
        hook.lag == 0
    })
    .await;
    assert_eq!((hook.delivered, hook.position, hook.waiting), (4, 5, 0));
    assert!(hook.last_delivered_at.is_some() && hook.last_error.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_told_and_only_what_is_wanted() {
    let mut catalog = Catalog::start().await;
    let (rules, some) = (Receiver::start().await, Receiver::start().await);
    let mut hooks = catalog.webhooks();
    let of_rules = v1::CreateWebhookRequest {
        types: vec!["rule.*".to_owned()],
        ..to(rules.url())
    };
    let (of_rules, _) = create(&mut hooks, of_rules).await.expect("create");
    assert_eq!(of_rules.types, ["rule.put", "rule.deleted"]);
    let of_some = v1::CreateWebhookRequest {
        types: vec!["product.updated".to_owned(), "product.deleted".to_owned()],
        product_ids: vec!["p2".to_owned()],
        ..to(some.url())
    };
    create(&mut hooks, of_some).await.expect("create");
    for id in ["p1", "p2"] {
        catalog.create(id, "Mouse").await;
        retitle(&mut catalog, id, "Lamp").await;
    }
    let put = v1::PutSearchRuleRequest {
        rule: Some(v1::SearchRule {
            id: "r1".to_owned(),
            kind: Some(v1::search_rule::Kind::Synonyms(v1::Synonyms {
                terms: vec!["sofa".to_owned(), "couch".to_owned()],
            })),
            ..Default::default()
        }),
        ..Default::default()
    };
    catalog.rules().put_search_rule(put).await.expect("put");
    let told = rules.until(1).await;
    assert_eq!(told[0].kind(), "rule.put");
    assert_eq!(told[0].json()["data"]["rule_id"], "r1");
    let told = some.until(1).await;
    assert_eq!(
        (told[0].kind(), told[0].product()),
        ("product.updated".to_owned(), "p2".to_owned())
    );
    let passed = until(&mut hooks, &of_rules.id, "passed", |hook| hook.lag == 0).await;
    assert_eq!((passed.position, passed.delivered), (4, 1));
    assert_eq!((rules.received().len(), some.received().len()), (1, 1));
}

/// Fails at random, is slow at random, and changes its leader under load.
#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_in_order_through_failures_and_a_change_of_leader() {
    let mut catalog = Catalog::start().await;
    let receiver = Receiver::start().await;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    receiver.answer(move |_| Reply {
        delay: Duration::from_millis(random.u64(0..20)),
        ..Reply::from(if random.u32(0..100) < 15 { 500 } else { 200 })
    });
    let (hook, _) = create(&mut catalog.webhooks(), to(receiver.url()))
        .await
        .expect("create");
    let (_, other) = catalog.start_another().await;
    for round in 0..10 {
        let rows = (0..30).map(|n| input(&format!("p{n}"), &format!("Title {round}")));
        catalog.import(rows.collect()).await.expect("import");
        if round == 4 {
            receiver.until(30).await;
            catalog.stop_service().await;
            let (commands, again) = catalog.start_another().await;
            catalog.commands = commands;
            catalog.adopt(again);
        }
    }
    receiver.until(300).await;
    assert_in_order(&receiver.accepted());
    let mut hooks = other.webhooks();
    let done = until(&mut hooks, &hook.id, "done", |hook| {
        hook.lag == 0 && hook.waiting == 0
    });
    assert_eq!(done.await.state(), v1::WebhookState::Active);
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_was_down_is_told_everything_when_it_is_up() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let receiver = Receiver::start().await;
    let addr = receiver.addr;
    let (hook, _) = create(&mut hooks, to(receiver.url()))
        .await
        .expect("create");
    drop(receiver);
    for round in 0..3 {
        let rows = (0..100).map(|n| input(&format!("p{n}"), &format!("Title {round}")));
        catalog.import(rows.collect()).await.expect("import");
    }
    let failing = until(&mut hooks, &hook.id, "failing", |hook| {
        hook.waiting >= 8 && hook.failing_since.is_some()
    })
    .await;
    assert!(failing.last_error.contains("cannot connect"), "{failing:?}");
    assert!(failing.lag > 0, "its place waits");
    let listed = waiting(&mut hooks, &hook.id, 3).await;
    let tried = listed.iter().find(|one| one.attempts > 0).expect("tried");
    assert!(tried.failed_at.is_some() && tried.next_attempt_at.is_some());
    assert!(tried.last_error.contains("cannot connect"), "{tried:?}");
    assert_eq!(tried.r#type, "product.created");

    let receiver = Receiver::at(addr).await;
    receiver.until(300).await;
    assert_in_order(&receiver.accepted());
    let healed = until(&mut hooks, &hook.id, "healed", |hook| hook.lag == 0).await;
    assert_eq!(
        (healed.failing_since, healed.last_error.as_str()),
        (None, "")
    );
    assert_eq!(waiting(&mut hooks, &hook.id, 0).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_disables_and_enabling_goes_on() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let receiver = Receiver::start().await;
    receiver.answer(|_| 410);
    let (hook, _) = create(&mut hooks, to(receiver.url()))
        .await
        .expect("create");
    catalog.create("p1", "Mouse").await;
    let disabled = v1::WebhookState::Disabled;
    let gone = until(&mut hooks, &hook.id, "disabled", |hook| {
        hook.state() == disabled
    })
    .await;
    assert!(gone.disabled_reason.contains("410 Gone"), "{gone:?}");
    assert_eq!(gone.version, 2);
    catalog.create("p2", "Lamp").await;
    catalog.events(2).await;
    receiver.answer(|_| 200);
    let active = set_state(&mut hooks, &hook.id, v1::WebhookState::Active).await;
    assert_eq!((active.version, active.disabled_reason.as_str()), (3, ""));
    let told = receiver.until(2).await;
    assert_eq!(told.iter().map(Received::position).max(), Some(2));
    let audited: Vec<(String, String)> =
        sqlx::query_as("SELECT action, actor FROM operator_audit ORDER BY id")
            .fetch_all(&catalog.pool)
            .await
            .expect("audit");
    let actions: Vec<&str> = audited.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(
        actions,
        ["webhook.created", "webhook.disabled", "webhook.updated"]
    );
    assert_eq!(audited[1].1, "catalog-command");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_used_up_disables_and_enabling_goes_on_without_loss() {
    let mut catalog = Catalog::start().await;
    catalog
        .restart_with_webhooks(WebhookSettings {
            backoff_ms: "400,400,400",
            ..WebhookSettings::default()
        })
        .await;
    let mut hooks = catalog.webhooks();
    let receiver = Receiver::start().await;
    receiver.answer(|one| if one.product() == "bad" { 503 } else { 200 });
    let (hook, _) = create(&mut hooks, to(receiver.url()))
        .await
        .expect("create");
    catalog.create("bad", "One").await;
    retitle(&mut catalog, "bad", "Two").await;
    catalog.create("good", "Lamp").await;
    let disabled = v1::WebhookState::Disabled;
    let gone = until(&mut hooks, &hook.id, "disabled", |hook| {
        hook.state() == disabled
    })
    .await;
    assert!(
        gone.disabled_reason
            .contains("was tried 4 times, the last one answered 503"),
        "{gone:?}"
    );
    receiver.until(1).await;
    assert_eq!(receiver.accepted()[0].product(), "good");
    catalog.create("later", "Later").await;
    let tries = receiver.received().len();
    receiver.answer(|_| 200);
    set_state(&mut hooks, &hook.id, v1::WebhookState::Active).await;
    receiver.until(4).await;
    assert_in_order(&receiver.accepted());
    let tried = receiver.received();
    let bad = tried.iter().filter(|one| one.product() == "bad");
    assert_eq!(bad.filter(|one| one.status == 503).count(), 4);
    assert!(tried.len() <= tries + 4, "nothing is told twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_come_by_the_schedule_or_as_the_endpoint_asks() {
    let mut catalog = Catalog::start().await;
    catalog
        .restart_with_webhooks(WebhookSettings {
            backoff_ms: "300,600,10000",
            ..WebhookSettings::default()
        })
        .await;
    let receiver = Receiver::start().await;
    let mut tries = 0;
    receiver.answer(move |_| {
        tries += 1;
        match tries {
            1 => Reply::from(500),
            2 => Reply {
                retry_after: Some("2".to_owned()),
                ..Reply::from(429)
            },
            _ => Reply::from(200),
        }
    });
    create(&mut catalog.webhooks(), to(receiver.url()))
        .await
        .expect("create");
    catalog.create("p1", "Mouse").await;
    receiver.until(1).await;
    let all = receiver.received();
    let waits: Vec<_> = all
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at).as_millis())
        .collect();
    assert_eq!(waits.len(), 2);
    assert!((250..600).contains(&waits[0]), "{waits:?}");
    assert!((1_950..3_000).contains(&waits[1]), "{waits:?}");
    let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert!(
        ids.windows(2).all(|pair| pair[0] == pair[1]),
        "one id for all attempts"
    );
    let times: Vec<&str> = all
        .iter()
        .map(|one| one.header("webhook-timestamp"))
        .collect();
    assert_ne!(times[0], times[2], "the time is that of the attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_can_be_set_back_and_on() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let receiver = Receiver::start().await;
    for n in 0..5 {
        catalog.create(&format!("p{n}"), "Mouse").await;
    }
    catalog.events(5).await;
    let from_start = v1::CreateWebhookRequest {
        after_position: Some(0),
        ..to(receiver.url())
    };
    let (hook, _) = create(&mut hooks, from_start).await.expect("create");
    receiver.until(5).await;
    until(&mut hooks, &hook.id, "told", |hook| hook.lag == 0).await;
    let replay = |after_position, from_now| v1::ReplayWebhookRequest {
        id: hook.id.clone(),
        after_position,
        from_now,
        ..Default::default()
    };
    let back = hooks
        .replay_webhook(replay(Some(3), false))
        .await
        .expect("back");
    let back = back.into_inner().webhook.expect("webhook");
    assert_eq!(back.version, 2);
    until(&mut hooks, &hook.id, "again", |hook| hook.delivered == 7).await;
    let again: Vec<u64> = receiver.accepted()[5..]
        .iter()
        .map(Received::position)
        .collect();
    assert_eq!((again.len(), again.iter().sum::<u64>()), (2, 9), "4 and 5");

    // What fails is forgotten by those who go on from now.
    receiver.answer(|_| 500);
    catalog.create("p5", "Mouse").await;
    until(&mut hooks, &hook.id, "waiting", |hook| hook.waiting == 1).await;
    hooks.replay_webhook(replay(None, true)).await.expect("now");
    receiver.answer(|_| 200);
    catalog.create("p6", "Mouse").await;
    let told = receiver.until(6).await;
    assert_eq!(told[5].position(), 7);
    let beyond = hooks.replay_webhook(replay(Some(8), false)).await;
    let beyond = beyond.expect_err("beyond");
    assert_eq!(beyond.code(), Code::OutOfRange);
    assert!(beyond.message().contains("ends at 7"), "{beyond:?}");
    for (after, now) in [(None, false), (Some(1), true), (Some(-1), false)] {
        let refused = hooks
            .replay_webhook(replay(after, now))
            .await
            .expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_signs_with_both_secrets_for_a_time() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let receiver = Receiver::start().await;
    let (hook, old) = create(&mut hooks, to(receiver.url()))
        .await
        .expect("create");
    let rotate = |grace_seconds| v1::RotateWebhookSecretRequest {
        id: hook.id.clone(),
        grace_seconds,
        ..Default::default()
    };
    let rotated = hooks
        .rotate_webhook_secret(rotate(3_600))
        .await
        .expect("rotate");
    let rotated = rotated.into_inner();
    let new = rotated.secret;
    assert!(
        rotated
            .webhook
            .expect("webhook")
            .previous_secret_until
            .is_some()
    );
    catalog.create("p1", "Mouse").await;
    let told = receiver.until(1).await;
    assert_eq!(told[0].header("webhook-signature").split(' ').count(), 2);
    assert!(told[0].signed_by(&old) && told[0].signed_by(&new));
    let last = hooks
        .rotate_webhook_secret(rotate(0))
        .await
        .expect("rotate");
    let last = last.into_inner().secret;
    catalog.create("p2", "Mouse").await;
    let told = receiver.until(2).await;
    assert!(told[1].signed_by(&last));
    assert!(!told[1].signed_by(&old) && !told[1].signed_by(&new));
    for grace in [-1, 30 * 24 * 3_600 + 1] {
        let refused = hooks.rotate_webhook_secret(rotate(grace)).await;
        let refused = refused.expect_err("too long");
        assert_eq!(violations(&refused)[0].0, "grace_seconds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused_and_never_called() {
    let mut catalog = Catalog::start().await;
    let receiver = Receiver::start().await;
    let url = receiver.url();
    let (hook, _) = create(&mut catalog.webhooks(), to(&url))
        .await
        .expect("create");
    // By a name, which only a connection can tell to be private.
    let by_name = format!("https://localhost:{}/", receiver.addr.port());
    let named = create(&mut catalog.webhooks(), to(&by_name))
        .await
        .expect("create")
        .0;
    catalog
        .restart_with_webhooks(WebhookSettings {
            private: false,
            ..WebhookSettings::default()
        })
        .await;
    let mut hooks = catalog.webhooks();
    for (url, told) in [
        (url.as_str(), "is not encrypted"),
        ("https://127.0.0.1/", "which is no public address"),
        (by_name.as_str(), "which is no public address"),
        ("https://ann:pw@shop.example/", "has a user or a password"),
        ("ftp://shop.example/", "has the scheme"),
        ("shop.example", "is no URL"),
        ("", "is empty"),
    ] {
        let refused = create(&mut hooks, to(url)).await.expect_err(url);
        assert_eq!(reason(&refused).as_deref(), Some("INVALID_WEBHOOK"));
        let (field, why) = violations(&refused).remove(0);
        assert_eq!(field, "url");
        assert!(why.contains(told), "{url}: {why}");
        assert!(!why.contains("pw"), "{why}");
    }
    catalog.create("p1", "Mouse").await;
    for (id, told) in [
        (&hook.id, "only https is called"),
        (&named.id, "which is no public address"),
    ] {
        let failing = until(&mut hooks, id, "failing", |hook| hook.waiting == 1).await;
        assert!(failing.last_error.contains(told), "{failing:?}");
        let test = v1::TestWebhookRequest { id: id.clone() };
        let test = hooks.test_webhook(test).await.expect("test").into_inner();
        assert!(!test.delivered && test.error.contains(told), "{test:?}");
    }
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed_and_long_answers_not_read() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let (first, second) = (Receiver::start().await, Receiver::start().await);
    let location = second.url();
    first.answer(move |_| Reply {
        location: Some(location.clone()),
        ..Reply::from(307)
    });
    let (hook, _) = create(&mut hooks, to(first.url())).await.expect("create");
    catalog.create("p1", "Mouse").await;
    let failing = until(&mut hooks, &hook.id, "failing", |hook| hook.waiting == 1).await;
    assert!(
        failing.last_error.contains("redirects are not followed"),
        "{failing:?}"
    );
    assert_eq!(second.received().len(), 0);
    first.answer(|_| Reply {
        body: vec![b'x'; 50_000_000],
        ..Reply::from(200)
    });
    let started = Instant::now();
    first.until(1).await;
    until(&mut hooks, &hook.id, "told", |hook| hook.waiting == 0).await;
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_a_failure() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply {
        delay: Duration::from_secs(60),
        ..Reply::from(200)
    });
    let (hook, _) = create(&mut hooks, to(receiver.url()))
        .await
        .expect("create");
    catalog.create("p1", "Mouse").await;
    let failing = until(&mut hooks, &hook.id, "failing", |hook| hook.waiting == 1).await;
    assert!(
        failing.last_error.contains("did not answer within 2000 ms"),
        "{failing:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_tested_paused_changed_and_deleted() {
    let mut catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let (hook, secret) = create(&mut hooks, to(receiver.url()))
        .await
        .expect("create");
    let id = hook.id.clone();
    let test = v1::TestWebhookRequest { id: id.clone() };
    let tested = hooks
        .test_webhook(test.clone())
        .await
        .expect("test")
        .into_inner();
    assert!(tested.delivered && tested.status == 200 && tested.error.is_empty());
    let told = receiver.until(1).await.remove(0);
    assert_eq!(
        (told.kind().as_str(), &told.id),
        ("webhook.test", &tested.event_id)
    );
    assert!(told.signed_by(&secret));
    receiver.answer(|_| 418);
    let tested = hooks
        .test_webhook(test.clone())
        .await
        .expect("test")
        .into_inner();
    assert_eq!((tested.delivered, tested.status), (false, 418));
    receiver.answer(|_| 200);

    set_state(&mut hooks, &id, v1::WebhookState::Paused).await;
    catalog.create("p1", "Mouse").await;
    catalog.events(1).await;
    let paused = get(&mut hooks, &id).await;
    assert_eq!((paused.position, paused.lag, paused.version), (0, 1, 2));
    let moved = change(&mut hooks, &id, "url", |request| request.url = other.url()).await;
    assert_eq!(moved.expect("update").version, 3);
    let stale = change(&mut hooks, &id, "description", |request| {
        request.expected_version = Some(2);
    });
    let stale = stale.await.expect_err("stale");
    assert_eq!(
        (stale.code(), reason(&stale).as_deref()),
        (Code::Aborted, Some("VERSION_MISMATCH"))
    );
    for bad in ["secret", ""] {
        let refused = change(&mut hooks, &id, bad, |_| ())
            .await
            .expect_err("mask");
        assert_eq!(violations(&refused)[0].0, "update_mask");
    }
    set_state(&mut hooks, &id, v1::WebhookState::Active).await;
    assert_eq!(other.until(1).await[0].position(), 1);
    assert_eq!(receiver.received().len(), 2, "only the tests");

    // One that is deleted is called no more, not even for what fails.
    other.answer(|_| 500);
    catalog.create("p2", "Mouse").await;
    until(&mut hooks, &id, "failing", |hook| hook.waiting == 1).await;
    let delete = v1::DeleteWebhookRequest {
        id: id.clone(),
        request_id: "d1".to_owned(),
        ..Default::default()
    };
    hooks.delete_webhook(delete.clone()).await.expect("delete");
    hooks.delete_webhook(delete).await.expect("answered again");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let tries = other.received().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(other.received().len(), tries);
    let gone = hooks.test_webhook(test).await.expect_err("gone");
    assert_eq!(reason(&gone).as_deref(), Some("WEBHOOK_NOT_FOUND"));
    let page = v1::ListWaitingDeliveriesRequest {
        id,
        ..Default::default()
    };
    let gone = hooks.list_waiting_deliveries(page).await.expect_err("gone");
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_makes_one_webhook_and_no_secret_is_kept_for_it() {
    let catalog = Catalog::start().await;
    let mut hooks = catalog.webhooks();
    let request = v1::CreateWebhookRequest {
        request_id: "c1".to_owned(),
        ..to("https://shop.example/hook")
    };
    let (first, secret) = create(&mut hooks, request.clone()).await.expect("create");
    let (again, none) = create(&mut hooks, request).await.expect("again");
    assert_eq!((again.id, none.as_str()), (first.id, ""));
    let listed = hooks
        .list_webhooks(v1::ListWebhooksRequest {})
        .await
        .expect("list");
    let listed = listed.into_inner();
    assert_eq!(listed.webhooks.len(), 1);
    assert!(!format!("{listed:?}").contains(&secret[6..]));
    let kept: Vec<String> = sqlx::query_scalar(
        "SELECT details::text FROM operator_audit
         UNION ALL SELECT outcome::text FROM idempotency",
    )
    .fetch_all(&catalog.pool)
    .await
    .expect("kept");
    assert_eq!(kept.len(), 2);
    assert!(
        kept.iter().all(|text| !text.contains(&secret[6..])),
        "{kept:?}"
    );
}
