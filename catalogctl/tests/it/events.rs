//! Events over HTTP, as a browser follows them: cut off, filtered, idle, and while services stop.

use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::{Value, json};
use trials::cluster::{Cluster, Part};

use crate::support::{cluster, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// A client that follows.
struct Following {
    response: Response,
    text: String,
    /// The id that a browser would send when it connects again.
    last_id: String,
    comments: Vec<String>,
}

#[derive(Debug)]
struct Event {
    kind: String,
    data: Value,
}

async fn open(cluster: &Cluster, query: &str, last_id: Option<&str>) -> Following {
    let url = format!("{}/api/events{query}", cluster.http());
    let mut request = Client::new().get(url).header("accept", "text/event-stream");
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200, "{}", cluster.logs());
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut following = Following {
        response,
        text: String::new(),
        last_id: String::new(),
        comments: Vec::new(),
    };
    while following.comments.is_empty() {
        assert!(following.read().await, "it begins");
        while following.block().is_some() {}
    }
    assert_eq!(following.comments, ["connected"]);
    following
}

impl Following {
    /// Reads more; false at the end.
    async fn read(&mut self) -> bool {
        let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
        match chunk.expect("something is sent in time") {
            Ok(Some(chunk)) => {
                self.text += std::str::from_utf8(&chunk).expect("UTF-8");
                true
            }
            Ok(None) => false,
            Err(err) => panic!("after {:?}: {err:?}", self.comments),
        }
    }

    /// The next block that has arrived; Some(None) for one without data.
    fn block(&mut self) -> Option<Option<Event>> {
        let (block, rest) = self.text.split_once("\n\n")?;
        let mut event = None;
        for line in block.lines() {
            let (field, value) = line.split_once(": ").expect("a field");
            match field {
                "id" => self.last_id = value.to_owned(),
                "event" => {
                    event = Some(Event {
                        kind: value.to_owned(),
                        data: Value::Null,
                    });
                }
                "data" => {
                    let event = event.as_mut().expect("the type comes first");
                    event.data = serde_json::from_str(value).expect("JSON");
                }
                "retry" => assert!(value.parse::<u64>().is_ok()),
                "" => self.comments.push(value.to_owned()),
                _ => panic!("{line}"),
            }
        }
        self.text = rest.to_owned();
        Some(event)
    }

    async fn events(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            match self.block() {
                Some(event) => events.extend(event),
                None => assert!(self.read().await, "ended after {events:?}"),
            }
        }
        events
    }
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

async fn write(cluster: &Cluster, method: &str, path: &str, body: Value) -> Response {
    let method = method.parse().expect("a method");
    let request = Client::new().request(method, format!("{}/api/{path}", cluster.http()));
    let answer = request.json(&body).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer
}

async fn create(cluster: &Cluster, id: &str) {
    let product = json!({"id": id, "title": "Lamp", "price": 10, "currency": "EUR"});
    write(cluster, "POST", "products", product).await;
}

async fn price(cluster: &Cluster, id: &str, price: u32) {
    let path = format!("products/{id}/price");
    write(cluster, "PUT", &path, json!({"price": price})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_cut_off_goes_on_without_a_gap_or_a_repetition() {
    let mut cluster = cluster().await;
    create(&cluster, "before").await;
    cluster.caught_up(1, false, 30).await.expect("caught up");
    // The BFF learns of an event a moment after it was answered.
    let mut live = open(&cluster, "", None).await;
    while live.last_id != "1.0" {
        live = open(&cluster, "", None).await;
    }
    create(&cluster, "lamp").await;
    let told = live.events(1).await;
    assert_eq!(kinds(&told), ["product.created"]);
    assert_eq!(told[0].data["product_id"], json!("lamp"));
    assert_eq!(told[0].data["product"]["price"], json!(10.0));
    price(&cluster, "lamp", 8).await;
    let told = live.events(1).await;
    assert_eq!(kinds(&told), ["product.price_changed"]);
    assert_eq!(told[0].data["previous_price"]["price"], json!(10.0));
    assert_eq!(told[0].data["position"], json!(3));
    let rule = json!({"kind": {"type": "synonyms", "terms": ["lamp", "light"]}});
    write(&cluster, "PUT", "search-rules/lamps", rule).await;
    let told = live.events(1).await;
    assert_eq!(kinds(&told), ["rule.put"]);
    assert_eq!(told[0].data["rule"]["kind"]["terms"][1], json!("light"));
    assert_eq!(live.last_id, "3.1");

    // The write service dies and comes back: the stream stays, and goes on.
    cluster.kill(Part::Command).await.expect("kill -9");
    cluster.launch(Part::Command).expect("start again");
    cluster.ready().await.expect("ready again");
    price(&cluster, "lamp", 7).await;
    assert_eq!(live.events(1).await[0].data["product"]["price"], json!(7.0));

    // Cut off; meanwhile much happens, and the BFF starts anew with nothing in memory.
    let id = live.last_id.clone();
    drop(live);
    for step in 0..30 {
        price(&cluster, "lamp", 100 + step).await;
    }
    cluster.stop(Part::Bff).await.expect("stop");
    cluster.launch(Part::Bff).expect("start again");
    cluster.ready().await.expect("ready again");
    let mut again = open(&cluster, "", Some(&id)).await;
    let missed = again.events(30).await;
    price(&cluster, "lamp", 500).await;
    write(&cluster, "DELETE", "products/lamp", json!({})).await;
    let mut positions: Vec<i64> = missed
        .into_iter()
        .chain(again.events(2).await)
        .map(|event| event.data["position"].as_i64().expect("a position"))
        .collect();
    assert_eq!(positions, (5..=36).collect::<Vec<i64>>());
    assert_eq!(again.last_id, "36.1");

    // All there ever was, in its order.
    let mut all = open(&cluster, "?from=0.0", None).await;
    let events = all.events(37).await;
    positions = events
        .iter()
        .filter(|event| event.kind.starts_with("product."))
        .map(|event| event.data["position"].as_i64().expect("a position"))
        .collect();
    assert_eq!(positions, (1..=36).collect::<Vec<i64>>());
    assert_eq!(all.last_id, "36.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_chosen_by_product_and_by_type() {
    let cluster = cluster().await;
    let mut one = open(&cluster, "?ids=a&ids=b", None).await;
    let mut prices = open(&cluster, "?types=product.price_changed,rule.*", None).await;
    for id in ["a", "b", "c"] {
        create(&cluster, id).await;
    }
    price(&cluster, "c", 1).await;
    price(&cluster, "a", 2).await;
    let rule = json!({"kind": {"type": "synonyms", "terms": ["lamp", "light"]}});
    write(&cluster, "PUT", "search-rules/lamps", rule).await;
    write(&cluster, "DELETE", "search-rules/lamps", json!({})).await;
    let mut of_rules: Vec<String> = Vec::new();
    let mut of_prices: Vec<Value> = Vec::new();
    for event in prices.events(4).await {
        if event.kind == "product.price_changed" {
            of_prices.push(event.data["product_id"].clone());
        } else {
            of_rules.push(event.kind);
        }
    }
    assert_eq!(of_prices, ["c", "a"]);
    assert_eq!(of_rules, ["rule.put", "rule.deleted"]);
    let told = one.events(3).await;
    let of: Vec<&Value> = told.iter().map(|event| &event.data["product_id"]).collect();
    assert_eq!(of, ["a", "b", "a"]);
    // From the log, the same.
    let mut from = open(&cluster, "?ids=a&from=0", None).await;
    assert_eq!(
        kinds(&from.events(2).await),
        ["product.created", "product.price_changed"]
    );

    let refused = async |query: &str, id: Option<&str>| {
        let url = format!("{}/api/events{query}", cluster.http());
        let request = id.into_iter().fold(Client::new().get(url), |request, id| {
            request.header("last-event-id", id)
        });
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("text"))
    };
    for (query, id, status, told) in [
        ("?types=product.sold", None, 422, "product.price_changed"),
        ("?ids=a.b", None, 422, "/ids"),
        ("?id=a", None, 422, "did you mean ids"),
        ("?from=now", None, 422, "/from"),
        ("?from=1000000", None, 422, "the log ends at 5"),
        ("", Some("abc"), 400, "Last-Event-ID"),
    ] {
        let (got, text) = refused(query, id).await;
        assert_eq!(got, status, "{query} {text}");
        assert!(text.contains(told), "{query} {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_live_on_while_idle_and_end_at_a_stop() {
    let mut cluster = cluster().await;
    for (variable, value) in [
        ("BFF_EVENTS_HEARTBEAT_MS", "200"),
        ("BFF_EVENTS_STREAMS_MAX", "3"),
        ("BFF_EVENTS_STREAMS_PER_KEY_MAX", "1"),
        // A connection without a stream would be closed after these.
        ("BFF_IDLE_TIMEOUT_MS", "3000"),
        ("BFF_DRAIN_WAIT_MS", "0"),
    ] {
        cluster.configure(variable, value.to_owned());
    }
    cluster.stop(Part::Bff).await.expect("stop");
    cluster.launch(Part::Bff).expect("start again");
    cluster.ready().await.expect("ready again");

    let mut idle = open(&cluster, "", None).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        assert!(idle.read().await, "it goes on");
        while idle.block().is_some() {}
    }
    let heartbeats = idle.comments.iter().filter(|one| *one == "heartbeat");
    assert!(heartbeats.count() >= 5, "{:?}", idle.comments);
    create(&cluster, "a").await;
    assert_eq!(kinds(&idle.events(1).await), ["product.created"]);
    // A heartbeat moves the place on, past what the filter leaves out.
    let mut other = open(&cluster, "?ids=b", None).await;
    price(&cluster, "a", 3).await;
    while other.last_id != "2.0" {
        assert!(other.read().await, "it goes on");
        while other.block().is_some() {}
    }

    let url = format!("{}/api/events", cluster.http());
    let key = async |args: &[&str]| {
        let made = json(
            &cluster,
            &[&["keys", "create", "x", "--json"], args].concat(),
        )
        .await;
        made["secret"].as_str().expect("a secret").to_owned()
    };
    let ask = async |secret: &str, status: u16| {
        let begun = Instant::now();
        loop {
            let answer = Client::new().get(&url).bearer_auth(secret).send().await;
            let answer = answer.expect("an answer");
            if answer.status() == status {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", answer.status());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let reader = key(&["--scope", "read"]).await;
    let _third = ask(&reader, 200).await;
    drop(other);
    let full = ask(&reader, 429).await;
    assert!(full.headers().contains_key("retry-after"));
    let part = key(&["--scope", "read", "--filter", "brand=Acme"]).await;
    ask(&part, 403).await;
    let _other = open(&cluster, "", None).await;
    let full = Client::new().get(&url).send().await.expect("an answer");
    assert_eq!(full.status(), 503);
    assert!(full.headers().contains_key("retry-after"));

    let begun = Instant::now();
    cluster.stop(Part::Bff).await.expect("stop");
    assert!(begun.elapsed() < Duration::from_secs(5), "{begun:?}");
    while idle.read().await {}
}
