//! The operator's room.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::browser::driver::Browser;
use crate::browser::goods;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_watches_proves_and_rebuilds() {
    let cluster = goods::shop().await;
    let http = cluster.http();
    let browser = Browser::open().await;
    let page = &browser.page;
    page.goto(&format!("{http}/console")).await;
    page.reads(".pipeline", "Event log").await;
    page.reads(".pipeline", "35 products").await;
    page.reads(".lamp", "live").await;

    // What is written is seen to pass by.
    let client = reqwest::Client::new();
    let change = client
        .patch(format!("{http}/api/products/lamp-1"))
        .json(&json!({"price": "39.00"}));
    assert!(change.send().await.expect("HTTP").status().is_success());
    page.reads(".events", "Bolt desk lamp").await;
    page.reads(".events", "€49.00 → €39.00").await;
    page.until(
        "searches are counted",
        "document.querySelector('table')?.innerText.includes('Searches')",
    )
    .await;
    page.picture("console-overview").await;

    // A proof, a difference, and its repair.
    page.press("Projections").await;
    page.press("Verify").await;
    page.reads(".verdict", "Equal").await;
    page.reads(".proofs", "equals the log").await;
    let url = cluster.query_database_url().expect("set");
    let read_model = PgPool::connect(url).await.expect("connect");
    sqlx::query("DELETE FROM generation_1.documents WHERE product_id = 'kettle-1'")
        .execute(&read_model)
        .await
        .expect("damage");
    page.press("Verify").await;
    page.reads(".verdict", "It differs").await;
    page.reads(".findings", "kettle-1").await;
    page.picture("console-differs").await;
    page.press("Mend what differs").await;
    page.reads(".verdict", "Equal").await;
    page.reads("main", "1 products were set").await;

    // A rebuild, and the way back.
    page.press("Rebuild").await;
    page.reads(".good[role=status]", "Generation 2 answers now")
        .await;
    page.press("Go back to generation 1").await;
    page.reads(".good[role=status]", "Generation 1 answers now")
        .await;
    page.reads("main", "Every event could be applied.").await;
    page.picture("console-projections").await;
    assert_eq!(page.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_imports_exports_and_gives_keys() {
    let cluster = goods::shop().await;
    let browser = Browser::open().await;
    let page = &browser.page;
    page.goto(&format!("{}/console/feeds", cluster.http()))
        .await;

    // A feed with columns of its own, and a row at fault.
    let mut feed = tempfile::Builder::new()
        .suffix(".csv")
        .tempfile()
        .expect("a file");
    let rows = "Artikelnummer;Bezeichnung;Preis\nk-1;Neue Lampe;12,50\nk-2;Noch eine Lampe;24,00\nk-3;;7,00\n";
    feed.write_all(rows.as_bytes()).expect("write");
    page.type_into("input[name=feed]", &feed.path().display().to_string())
        .await;
    page.reads("table.columns", "Bezeichnung").await;
    page.reads("main", "2 products").await;
    page.picture("console-suggestion").await;
    // A person knows better, or not.
    page.choose("What Bezeichnung becomes", "ignore").await;
    page.reads("main", "no column has titles").await;
    page.choose("What Bezeichnung becomes", "title").await;
    page.reads("main", "2 products").await;
    page.press("Preview").await;
    page.reads(".report", "What an import would do").await;
    page.reads(".report", "k-3").await;
    page.press("Import").await;
    page.reads(".report h3", "Imported").await;
    page.reads(".counts", "Created").await;
    page.picture("console-imported").await;

    // All products come out again.
    page.press("Export").await;
    page.until("the export is done", "!document.querySelector('.wait')")
        .await;
    let exported = exported(&browser).await;
    assert_eq!(
        exported
            .lines()
            .filter(|line| line.contains("\"id\""))
            .count(),
        37,
        "{exported}"
    );

    // A key, whose secret is shown once.
    page.press("Keys and webhooks").await;
    page.fill("Name", "till").await;
    page.press("Make it").await;
    page.reads(".secret", "ck_").await;
    let secret = page.text(".secret code").await;
    let client = reqwest::Client::new();
    let url = format!("{}/api/products/k-1", cluster.http());
    let started = Instant::now();
    // The key is known everywhere within a moment.
    while client
        .get(&url)
        .bearer_auth(&secret)
        .send()
        .await
        .expect("HTTP")
        .status()
        != 200
    {
        assert!(started.elapsed() < PATIENCE, "the key is never good");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    page.press("Revoke till").await;
    page.until(
        "the key is gone",
        "!document.querySelector('button[aria-label=\"Revoke till\"]')",
    )
    .await;
    page.picture("console-keys").await;
    assert_eq!(page.complaints().await, [""; 0]);
}

/// The file that the browser has saved.
async fn exported(browser: &Browser) -> String {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let saved = std::fs::read_dir(browser.downloads()).into_iter().flatten();
        let saved = saved.filter_map(|entry| Some(entry.ok()?.path()));
        let mut whole = saved.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
        if let Some(path) = whole.next() {
            return std::fs::read_to_string(path).expect("the export");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the export is never saved");
}
