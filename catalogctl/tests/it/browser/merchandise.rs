//! The merchandiser's room.

use serde_json::Value;
use trials::cluster::Part;

use crate::browser::driver::Browser;
use crate::browser::goods;
use crate::browser::page::{eventually, is_passing};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_changed_and_what_it_was_comes_back() {
    let cluster = goods::shop().await;
    let browser = Browser::open().await;
    let page = &browser.page;
    page.goto(&format!("{}/console/products", cluster.http()))
        .await;
    page.type_into("input[type=search]", "kettle").await;
    page.reads(".list", "Acme kettle").await;
    page.click(".list a").await;
    page.reads(".editor", "kettle-1").await;
    page.fill("Title", "Acme kettle 1.7 l, steel").await;
    page.fill("Price", "29.90").await;
    page.press("Add an attribute").await;
    page.fill("Name of the attribute", "power").await;
    page.fill("Value of power", "2200").await;
    page.press("Save").await;
    page.reads("main", "Saved as version 2.").await;
    page.reads(".history", "Title").await;
    page.reads(".history", "2,200").await;
    page.picture("console-product").await;
    // What is written is shown though the read side stands still, and stays once it goes on.
    let reads = cluster.pause(Part::Query).await.expect("stopped");
    page.press("Restore").await;
    page.reads("main", "Saved as version 3.").await;
    let restored = "document.querySelector('input[name=title]')?.value === 'Acme kettle 1.7 litre'";
    page.until("it is what it was", restored).await;
    drop(reads);
    page.reads(".history", "Version 3").await;
    page.until("it stays what it was", restored).await;

    // A new one, and its end.
    page.goto(&format!("{}/console/products?id=", cluster.http()))
        .await;
    page.fill("Id", "new-1").await;
    page.fill("Title", "A new thing").await;
    page.fill("Price", "x").await;
    page.press("Save").await;
    page.reads(".failure", "price").await;
    page.fill("Price", "3.50").await;
    page.press("Save").await;
    page.reads(".editor", "new-1").await;
    page.press("Delete").await;
    page.until("the list is back", "location.search === ''")
        .await;
    let complaints = page.complaints().await;
    // What was read while the read side stood still may have failed.
    assert!(
        complaints
            .iter()
            .all(|one| one.contains("422") || is_passing(one)),
        "{complaints:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_query_becomes_a_synonym_and_a_rule() {
    let cluster = goods::shop().await;
    let http = cluster.http();
    let browser = Browser::open().await;
    let page = &browser.page;
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let asked = client.get(format!(
            "{http}/api/products/search?q=waterheater&strategy=keyword"
        ));
        assert!(asked.send().await.expect("HTTP").status().is_success());
    }

    // From the query that finds nothing to a synonym in one step.
    page.goto(&format!("{http}/console/analytics")).await;
    page.press("Synonym for waterheater").await;
    page.until(
        "the query is there",
        "document.querySelector('input[name=terms]')?.value.startsWith('waterheater')",
    )
    .await;
    page.type_into("input[name=terms]", "kettle").await;
    page.press("Add").await;
    page.reads("main", "waterheater = kettle").await;
    page.goto(&format!("{http}/?q=waterheater")).await;
    page.reads(".hit", "kettle").await;

    // Pairs that the catalog suggests are accepted or forbidden.
    page.goto(&format!("{http}/console/synonyms")).await;
    page.press("Look for pairs").await;
    page.until(
        "pairs are looked for",
        "document.querySelector('main').innerText.match(/together in|No words look/)",
    )
    .await;
    page.picture("console-synonyms").await;

    // A product is pinned, seen before and after, and the rule is followed.
    page.goto(&format!("{http}/console/rules?id=&query=mouse"))
        .await;
    page.reads(".halves section:last-child", "mouse").await;
    let before = page.texts(".halves section:last-child .title").await;
    page.press(&format!(
        "Pin {} one place up",
        before[2].lines().next().expect("a title")
    ))
    .await;
    page.until(
        "the preview follows",
        &format!("document.querySelectorAll('.halves section:last-child .title')[1].innerText.startsWith({:?})",
            before[2].lines().next().expect("a title")),
    )
    .await;
    page.drag(
        ".halves section:last-child li:nth-child(5)",
        ".halves section:last-child li:first-child",
    )
    .await;
    page.until(
        "what is dragged to the first place stands there",
        &format!("document.querySelector('.halves section:last-child .title').innerText.startsWith({:?})",
            before[4].lines().next().expect("a title")),
    )
    .await;
    page.picture("console-rule").await;
    page.press("Save").await;
    page.reads(".rules", "mouse").await;
    let pinned = before[2].lines().next().expect("a title");
    eventually("the product is pinned", async || {
        let asked = client.get(format!("{http}/api/products/search?q=mouse&limit=2"));
        let found: Value = asked.send().await.ok()?.json().await.ok()?;
        (found["items"][1]["title"] == pinned).then_some(())
    })
    .await;

    // Two ways to rank, judged, and why a product is not there.
    page.goto(&format!("{http}/console/playground")).await;
    page.fill("Query", "gaming mouse").await;
    page.fill("Why not this product?", "lamp-1").await;
    page.press("Search").await;
    page.reads(".why", "It does not match.").await;
    page.until(
        "scores are drawn",
        "document.querySelectorAll('svg.score rect').length > 10",
    )
    .await;
    page.click(".stars button:last-child").await;
    page.reads(".halves", "NDCG@10").await;
    page.press("Measure both ways").await;
    page.until(
        "both are measured",
        "[...document.querySelectorAll('td b')].some((one) => /^1\\.0|^0\\./.test(one.innerText))",
    )
    .await;
    page.picture("console-playground").await;
    assert_eq!(page.complaints().await, [""; 0]);
}
