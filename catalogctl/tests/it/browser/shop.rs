//! The shop window.

use serde_json::json;
use trials::cluster::Part;

use crate::browser::driver::Browser;
use crate::browser::goods;
use crate::browser::page::{Page, is_passing};

/// The gaming mice are found, and perhaps what is near to them in meaning.
async fn ten_or_so(page: &Page) {
    let count = "[10, 11, 12].includes(parseInt(document.querySelector('.count')?.innerText))";
    page.until("ten or so are found", count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_searches_narrows_and_comes_back() {
    let cluster = goods::shop().await;
    let browser = Browser::open().await;
    let page = &browser.page;
    page.goto(&cluster.http()).await;
    page.reads(".count", "35 products").await;

    // Results come with every key, suggestions under the box.
    page.type_into("input[name=q]", "gaming mo").await;
    ten_or_so(page).await;
    page.reads("#offers", "gaming mouse").await;
    page.picture("shop-suggestions").await;
    page.type_into("input[name=q]", "\u{E015}\u{E007}").await;
    page.until(
        "the suggestion is searched for",
        "location.search.includes('q=gaming+mouse')",
    )
    .await;
    ten_or_so(page).await;
    page.until("matches are marked", "document.querySelector('.hit mark')")
        .await;

    // Narrowed by a value, told as a chip, taken back.
    page.click("input[type=checkbox]").await;
    page.see(".chips button").await;
    let narrowed = page.address().await;
    assert!(narrowed.contains('&'), "{narrowed}");
    page.picture("shop-narrowed").await;
    page.back().await;
    page.until(
        "going back takes the filter away",
        "!document.querySelector('.chips')",
    )
    .await;
    page.goto(&narrowed).await;
    page.see(".chips button").await;
    page.click(".chips button").await;
    ten_or_so(page).await;

    // Price handles move by keys.
    page.type_into("input.low", "\u{E014}\u{E014}\u{E014}")
        .await;
    page.until("a price is set", "location.search.includes('price_min=')")
        .await;

    // Sorted, as a list; the address says so.
    page.goto(&format!("{}/?q=mouse", cluster.http())).await;
    page.choose("Sort by", "-price").await;
    page.until(
        "the dearest come first",
        "(() => { const prices = [...document.querySelectorAll('.hit .price')].map((one) => Number(one.innerText.replace(/[^0-9.]/g, '')));
            return prices.length > 9 && prices.every((one, at) => at === 0 || one <= prices[at - 1]); })()",
    )
    .await;
    page.press("List").await;
    page.see(".hits.list").await;
    let address = page.address().await;
    assert!(
        address.contains("sort=-price") && address.contains("view=list"),
        "{address}"
    );
    // More are shown on demand.
    page.press("Show more").await;
    page.until(
        "more are shown",
        "document.querySelectorAll('.hit').length > 24",
    )
    .await;
    let complaints = page.complaints().await;
    let lasting = complaints.iter().filter(|one| !is_passing(one));
    assert_eq!(lasting.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_is_helped_and_looks_at_a_product() {
    let cluster = goods::shop().await;
    let http = cluster.http();
    let browser = Browser::open().await;
    let page = &browser.page;

    // While the catalog stands still the page waits for it, and asks again by itself.
    let reads = cluster.pause(Part::Query).await.expect("stopped");
    page.goto(&format!("{http}/?q=kettel")).await;
    page.until(
        "the catalog was away",
        "performance.getEntriesByType('resource').some((one) => one.name.includes('/search?') && one.responseStatus >= 503)",
    )
    .await;
    drop(reads);
    page.reads(".notes", "Results for").await;
    page.reads(".hit", "kettle").await;
    page.press("kettel").await;
    page.until(
        "it is searched as typed",
        "location.search.includes('verbatim=true')",
    )
    .await;
    page.reads(".nothing", "Nothing was found").await;
    page.picture("shop-nothing").await;
    page.goto(&format!("{http}/?q=gaming+kettle+mouse")).await;
    page.reads(".notes", "Also searched without").await;

    // A product: its price over time, what is like it, and what machines read.
    let client = reqwest::Client::new();
    let change = client
        .patch(format!("{http}/api/products/mouse-03"))
        .json(&json!({"price": "5.55"}));
    assert!(change.send().await.expect("HTTP").status().is_success());
    goods::settled(&cluster).await;
    page.goto(&format!("{http}/?q=gaming+mouse&sort=price"))
        .await;
    page.reads(".hit:first-child", "5.55").await;
    page.click(".hit:first-child a").await;
    page.reads("h1", "Acme gaming mouse 103").await;
    page.see("svg.curve").await;
    page.reads(".steps", "5.55").await;
    page.reads("main", "Similar products").await;
    page.picture("shop-product").await;
    page.press("‹ Back to the results").await;
    ten_or_so(page).await;
    page.goto(&format!("{http}/products/mouse-03")).await;
    page.see("script[type='application/ld+json']").await;
    page.goto(&format!("{http}/products/none")).await;
    page.reads("main", "There is no such product").await;
    let complaints = page.complaints().await;
    // The browser tells of every answer that is no success.
    assert!(
        complaints
            .iter()
            .all(|one| one.contains("404") || is_passing(one)),
        "{complaints:?}"
    );
}
