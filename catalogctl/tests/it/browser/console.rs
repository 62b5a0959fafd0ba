//! The operator's room.

use std::io::Write as _;

use serde_json::json;
use sqlx::PgPool;

use crate::browser::driver::Browser;
use crate::browser::goods;
use crate::browser::page::eventually;

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
    eventually("the key is good everywhere", async || {
        let asked = client.get(&url).bearer_auth(&secret).send().await.ok()?;
        (asked.status() == 200).then_some(())
    })
    .await;
    page.press("Revoke till").await;
    page.until(
        "the key is gone",
        "!document.querySelector('button[aria-label=\"Revoke till\"]')",
    )
    .await;
    page.picture("console-keys").await;
    assert_eq!(page.complaints().await, [""; 0]);
}

/// Postgres refuses the data of one product.
const NO_TEAPOTS: &str = "
    CREATE FUNCTION generation_1.no_teapots() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'no teapots here' USING ERRCODE = 'data_exception';
    END $$;
    CREATE TRIGGER no_teapots BEFORE INSERT OR UPDATE ON generation_1.documents
        FOR EACH ROW WHEN (NEW.product_id = 'teapot-1') EXECUTE FUNCTION generation_1.no_teapots();";

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_why_an_event_is_parked_and_tries_it_again() {
    let cluster = goods::shop().await;
    let url = cluster.query_database_url().expect("set");
    let read_model = PgPool::connect(url).await.expect("connect");
    sqlx::raw_sql(NO_TEAPOTS)
        .execute(&read_model)
        .await
        .expect("a trigger");
    let client = reqwest::Client::new();
    let product =
        json!({"id": "teapot-1", "title": "Acme teapot", "price": "19.00", "currency": "EUR"});
    let url = format!("{}/api/products", cluster.http());
    let made = client.post(url).json(&product).send().await.expect("HTTP");
    assert!(made.status().is_success());

    let browser = Browser::open().await;
    let page = &browser.page;
    page.goto(&format!("{}/console/projections", cluster.http()))
        .await;
    page.reads(".parked", "teapot-1").await;
    page.reads(".parked", "no teapots here").await;
    page.picture("console-parked").await;
    page.press("Try again").await;
    page.reads("main", "0 applied, 1 still parked.").await;
    sqlx::query("DROP TRIGGER no_teapots ON generation_1.documents")
        .execute(&read_model)
        .await
        .expect("no trigger");
    page.press("Try all again").await;
    page.reads("main", "1 applied, 0 still parked.").await;
    page.reads("main", "Every event could be applied.").await;
    assert_eq!(page.complaints().await, [""; 0]);
}

/// The file that the browser has saved.
async fn exported(browser: &Browser) -> String {
    let path = eventually("the export is saved", async || {
        let saved = std::fs::read_dir(browser.downloads()).into_iter().flatten();
        let mut saved = saved.filter_map(|entry| Some(entry.ok()?.path()));
        saved.find(|path| path.extension().is_some_and(|end| end == "jsonl"))
    });
    std::fs::read_to_string(path.await).expect("the export")
}
