//! The main job of a shop: write, import, find, rebuild.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use trials::cluster::Part;

use crate::support::{catalogctl, cluster, feed, get, json, shown};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_posted_over_http_is_found_by_its_title() {
    let cluster = cluster().await;
    let product = json!({"title": "Walnut standing desk", "price": 499.5, "brand": "Fjell"});
    let answer = reqwest::Client::new()
        .post(format!("{}/api/products", cluster.http()))
        .json(&product)
        .send()
        .await
        .expect("post");
    assert_eq!(answer.status(), 201);
    let created: serde_json::Value = answer.json().await.expect("JSON");
    let id = created["id"].as_str().expect("id").to_owned();

    let url = format!("{}/api/products/search?q=walnut+desk", cluster.http());
    let started = Instant::now();
    let found = loop {
        let (status, found) = get(&url).await;
        assert_eq!(status, 200);
        if found["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
        {
            break found;
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "never found\n{}",
            cluster.logs()
        );
    };
    assert_eq!(found["items"][0]["id"], json!(id));
    assert_eq!(found["items"][0]["price"], json!(499.5));
    cluster
        .caught_up(1, false, 30)
        .await
        .expect("documents too");
    let (status, read) = get(&format!("{}/api/products/{id}", cluster.http())).await;
    assert_eq!(
        (status, &read["title"]),
        (200, &json!("Walnut standing desk"))
    );

    // The read service takes the largest filter that the API takes.
    let mut brands: Vec<String> = (1..200).map(|number| format!("Brand {number}")).collect();
    brands.push("Fjell".to_owned());
    let mut filter = json!({"field": "brand", "in": brands});
    for _ in 0..9 {
        filter = json!({"all": [{"field": "price", "min": 1, "max": 999}, filter]});
    }
    let found = reqwest::Client::new()
        .post(format!("{}/api/search", cluster.http()))
        .json(&json!({"q": "desk", "price_max": 999, "status": "active", "filter": filter}))
        .send()
        .await
        .expect("post");
    assert_eq!(found.status(), 200);
    let found: serde_json::Value = found.json().await.expect("JSON");
    assert_eq!(found["total"], json!(1));
}

/// A writer reads its own write at once, by id and by search, with the token from the answer; and a
/// request that is sent twice is done once.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_reads_its_own_write_and_repeats_it_safely() {
    let cluster = cluster().await;
    let client = reqwest::Client::new();
    let products = format!("{}/api/products", cluster.http());
    let create = || {
        let lamp = json!({"title": "Zirbel reading lamp", "price": "49.90", "currency": "EUR"});
        let request = client.post(&products).header("Idempotency-Key", "order-1");
        request.json(&lamp).send()
    };
    let answer = create().await.expect("post");
    assert_eq!(answer.status(), 201);
    let token = answer.headers()["catalog-consistency"].clone();
    let created: serde_json::Value = answer.json().await.expect("JSON");
    let id = created["id"].as_str().expect("id").to_owned();

    for path in [id.clone(), "search?strategy=keyword&q=zirbel".to_owned()] {
        let read = client
            .get(format!("{products}/{path}"))
            .header("Catalog-Consistency", &token)
            .send()
            .await
            .expect("get");
        // A machine that is too busy to be in time says so.
        if read.headers().contains_key("catalog-stale") {
            continue;
        }
        assert_eq!(read.status(), 200, "{path}");
        assert!(
            read.text().await.expect("text").contains("Zirbel"),
            "{path}"
        );
    }

    let again: serde_json::Value = create().await.expect("post").json().await.expect("JSON");
    assert_eq!(again["id"], json!(id), "one product for both");
    cluster.caught_up(1, false, 30).await.expect("caught up");
    // Without a currency: it is in the one that the product has.
    for _ in 0..2 {
        let answer = client
            .put(format!("{products}/{id}/price"))
            .header("Idempotency-Key", "price-1")
            .json(&json!({"price": "39.90"}))
            .send()
            .await
            .expect("put");
        assert_eq!(answer.status(), 200);
        let priced: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(priced["version"], json!(2), "changed once");
    }
    cluster.caught_up(2, false, 30).await.expect("caught up");
    assert_eq!(cluster.log_position().await.expect("status"), 2);
}

/// The currency is looked up where the product is written, so that no read side is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_without_a_currency_is_written_while_the_read_side_is_down() {
    let mut cluster = cluster().await;
    cluster.kill(Part::Query).await.expect("kill -9");
    let client = reqwest::Client::new();
    let products = format!("{}/api/products", cluster.http());
    let never_read = json!({"id": "lamp", "title": "Lamp", "price": 700, "currency": "JPY"});
    let answer = client.post(&products).json(&never_read).send().await;
    assert_eq!(answer.expect("post").status(), 201);
    let product = format!("{products}/lamp");
    let read = reqwest::get(&product).await.expect("get");
    assert_eq!(read.status(), 503, "the read side is down");

    let write = async |request: reqwest::RequestBuilder, price: &str| {
        let answer = request.json(&json!({"price": price})).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        (
            status,
            answer.json::<serde_json::Value>().await.expect("JSON"),
        )
    };
    let price = format!("{product}/price");
    let (status, written) = write(client.put(&price), "5").await;
    assert_eq!(
        (status, &written["price_minor"]),
        (200, &json!(5)),
        "{written}"
    );
    let (status, written) = write(client.patch(&product), "6").await;
    assert_eq!(
        (status, &written["price_minor"]),
        (200, &json!(6)),
        "{written}"
    );
    assert_eq!(written["currency"], json!("JPY"));
    let (status, refused) = write(client.put(&price), "0.5").await;
    assert_eq!(
        (status, &refused["errors"][0]["pointer"]),
        (422, &json!("/price"))
    );

    cluster.launch(Part::Query).expect("start again");
    cluster.ready().await.expect("ready again");
    cluster.caught_up(3, false, 60).await.expect("caught up");
    let (status, read) = get(&product).await;
    assert_eq!((status, &read["price_minor"]), (200, &json!(6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_of_the_same_feed_writes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let cluster = cluster().await;
    let feed = feed(folder.path(), 2_000).await;
    let import = ["import", &feed, "--json"];
    let first = json(&cluster, &import).await;
    assert_eq!(
        (&first["created"], &first["rejected"]),
        (&json!(2_000), &json!(0))
    );
    let second = json(&cluster, &import).await;
    assert_eq!(
        (&second["unchanged"], &second["created"]),
        (&json!(2_000), &json!(0))
    );
    assert_eq!(second["updated"], json!(0));

    let status = cluster
        .caught_up(2_000, false, 60)
        .await
        .expect("caught up");
    assert_eq!((status.stream_sequence, status.documents), (2_000, 2_000));
    assert_eq!(status.projections[0].digest, status.projections[1].digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_disturbs_no_search() {
    let folder = tempfile::tempdir().expect("folder");
    let cluster = cluster().await;
    let feed = feed(folder.path(), 1_000).await;
    json(&cluster, &["import", &feed, "--json"]).await;
    let before = cluster
        .caught_up(1_000, true, 120)
        .await
        .expect("caught up");

    let done = Arc::new(AtomicBool::new(false));
    let searches = Arc::new(AtomicU64::new(0));
    let url = format!(
        "{}/api/products/search?q=monitor&strategy=keyword",
        cluster.http()
    );
    let searcher = tokio::spawn({
        let (done, searches) = (done.clone(), searches.clone());
        async move {
            while !done.load(Ordering::Relaxed) {
                let (status, found) = get(&url).await;
                let items = found["items"].as_array().map_or(0, Vec::len);
                assert_eq!((status, items), (200, 20), "{found}");
                searches.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let output = catalogctl(&cluster, &["rebuild"])
        .output()
        .await
        .expect("rebuild");
    assert!(
        output.status.success(),
        "{}\n{}",
        shown(&output),
        cluster.logs()
    );
    done.store(true, Ordering::Relaxed);
    searcher.await.expect("no search failed");
    assert!(searches.load(Ordering::Relaxed) > 0);

    let after = cluster.caught_up(1_000, true, 60).await.expect("caught up");
    assert_eq!(after.generation, before.generation + 1);
    assert_eq!(
        after.digest, before.digest,
        "the result equals the live model"
    );
    assert_eq!(after.projections[1].digest, before.digest);
    assert_eq!(after.projections[2].documents, 1_000);
}
