//! The pages over the whole catalog of a shop: the feed in the folder that `CATALOG_JUDGMENTS_DIR` names, or
//! made-up products. What it costs to look at it is measured, and kept beside the pictures.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use trials::cluster::Cluster;

use crate::browser::driver::Browser;
use crate::browser::page::{Page, is_passing};
use crate::support::{catalogctl, cluster, feed, shown};

const MADE_UP: usize = 3_000;
/// How the real feed is imported.
const OPTIONS: [&str; 20] = [
    "--map",
    "brand=supplier",
    "--map",
    "description=short_description",
    "--map",
    "sku=name",
    "--map",
    "gtins=ean",
    "--map",
    "image_url=img_high",
    "--price-minor",
    "price",
    "--strip-prefix",
    "attr_t_",
    "--strip-prefix",
    "attr_n_",
    "--ignore",
    "img_low",
    "--ignore",
    "img_thumb",
];
const TYPED: [&str; 6] = [
    "gaming mouse",
    "laptop bag",
    "usb cable",
    "monitor",
    "toner",
    "wireless keyboard",
];
/// A phone of some years ago: four times slower than this machine, on a slow connection of the fourth generation.
const PHONE_SLOWER: u32 = 4;
const PHONE_LATENCY_MS: u32 = 150;
const PHONE_BYTES_PER_SECOND: i32 = 200_000;
/// How the browser is told of no bound.
const UNBOUNDED: i32 = -1;
const FIRST_VISIT_BYTES_MAX: u64 = 150_000;

/// A catalog with many products, whose pictures are not asked for: they lie elsewhere.
async fn large() -> (Cluster, TempDir) {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("a folder");
    let real = std::env::var_os("CATALOG_JUDGMENTS_DIR").map(PathBuf::from);
    let real = real.map(|folder| folder.join("products.jsonl.gz").display().to_string());
    let (file, options) = match &real {
        Some(file) => (file.clone(), &OPTIONS[..]),
        None => (feed(folder.path(), MADE_UP).await, &[][..]),
    };
    let mut import = catalogctl(&cluster, &["import", &file]);
    let imported = import.args(options).output().await.expect("catalogctl");
    assert!(imported.status.success(), "{}", shown(&imported));
    // All is found by words; the vectors may take their time.
    let end = cluster.log_position().await.expect("a position");
    cluster.caught_up(end, false, 60).await.expect("documents");
    (cluster, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_products_are_looked_at() {
    let (cluster, _folder) = large().await;
    let browser = Browser::open().await;
    let page = &browser.page;
    let visit = first_visit(page, &cluster.http()).await;
    let typing = typing(page).await;

    // Narrowed, sorted, opened and come back from.
    page.goto(&format!("{}/?q=mouse", cluster.http())).await;
    page.see(".hit").await;
    let all = count(page).await;
    page.click("aside input[type=checkbox]").await;
    page.see(".chips button").await;
    page.until(
        "fewer are found",
        &format!("parseInt(document.querySelector('.results:not(.late) .count')?.innerText.replace(/\\D/g, '')) < {all}"),
    )
    .await;
    page.choose("Sort by", "price").await;
    page.until(
        "the cheapest come first",
        "location.search.includes('sort=price') && document.querySelector('.results:not(.late) .hit')",
    )
    .await;
    page.picture("large-narrowed").await;
    page.click(".hit:first-child a").await;
    page.see("article.product h1").await;
    page.picture("large-product").await;
    page.press("\u{2039} Back to the results").await;
    page.see(".chips button").await;

    // The console, at work.
    page.goto(&format!("{}/console", cluster.http())).await;
    page.reads(".pipeline", "products").await;
    page.picture("large-overview").await;
    page.goto(&format!("{}/console/rules?id=&query=mouse", cluster.http()))
        .await;
    page.reads(".halves section:last-child li", "Pin").await;
    page.picture("large-rule").await;
    page.figures("figures", &json!({"first_visit": visit, "typing": typing}));
    let complaints = page.complaints().await;
    let of_ours = complaints
        .iter()
        .filter(|one| !is_of_a_picture(one) && !is_passing(one));
    assert_eq!(of_ours.collect::<Vec<_>>(), [""; 0]);
}

/// Whether the browser complains that a picture of the feed, which lies elsewhere, does not come.
fn is_of_a_picture(complaint: &str) -> bool {
    complaint.contains("net::ERR_") && !complaint.contains("127.0.0.1")
}

/// How many are found.
async fn count(page: &Page) -> u64 {
    let digits = "return parseInt(document.querySelector('.count').innerText.replace(/\\D/g, ''));";
    let count = page.run(digits, Vec::new()).await;
    count.as_u64().expect("a count")
}

/// What a first visit costs, here and on a slow phone.
async fn first_visit(page: &Page, http: &str) -> Value {
    page.goto(http).await;
    let here = visited(page).await;
    let bytes = here["bytes"].as_u64().expect("bytes");
    assert!(here["requests"].as_u64() > Some(5), "{here}");
    assert!(bytes < FIRST_VISIT_BYTES_MAX, "{here}");
    connect(page, PHONE_SLOWER, PHONE_LATENCY_MS, PHONE_BYTES_PER_SECOND).await;
    page.devtools("Network.clearBrowserCache", json!({})).await;
    page.goto(http).await;
    let phone = visited(page).await;
    connect(page, 1, 0, UNBOUNDED).await;
    json!({"here": here, "slow_phone": phone})
}

/// Makes the processor so many times slower, and the connection to this.
async fn connect(page: &Page, times: u32, latency: u32, bytes_per_second: i32) {
    page.devtools("Network.enable", json!({})).await;
    page.devtools("Emulation.setCPUThrottlingRate", json!({"rate": times}))
        .await;
    let slow = json!({"offline": false, "latency": latency, "downloadThroughput": bytes_per_second,
        "uploadThroughput": bytes_per_second});
    page.devtools("Network.emulateNetworkConditions", slow)
        .await;
}

async fn visited(page: &Page) -> Value {
    page.see(".hit").await;
    page.until(
        "the page is painted",
        "document.readyState === 'complete' && performance.getEntriesByName('first-contentful-paint').length > 0",
    )
    .await;
    let script = "const all = [...performance.getEntriesByType('navigation'),
            ...performance.getEntriesByType('resource').filter((one) => one.name.startsWith(location.origin))];
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        const results = performance.getEntriesByName('results')[0];
        return { requests: all.length, bytes: all.reduce((sum, one) => sum + one.transferSize, 0),
            first_paint_ms: paint && Math.round(paint.startTime), results_ms: results && Math.round(results.startTime) };";
    page.run(script, Vec::new()).await
}

/// How long it takes from each key to its results on the screen, by the clock of the browser.
async fn typing(page: &Page) -> Value {
    let watch = "window.took = []; let pressed = null; let last = '';
        addEventListener('input', (event) => {
            const text = event.target.value.trim();
            if (text !== last) { last = text; pressed = text ? { text, at: event.timeStamp } : null; }
        }, true);
        const shown = () => {
            const results = document.querySelector('.results:not(.late)');
            if (pressed && results?.querySelector('h1').textContent === `${pressed.text} \u{2013} Catalog`) {
                const { at } = pressed;
                pressed = null;
                requestAnimationFrame(() => setTimeout(() => took.push(performance.now() - at)));
            }
        };
        new MutationObserver(shown).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });";
    page.see("input[name=q]").await;
    page.run(watch, Vec::new()).await;
    let mut keys = 0;
    for query in TYPED {
        for key in query.chars() {
            page.type_into("input[name=q]", &key.to_string()).await;
            keys += usize::from(key != ' ');
            page.until("the results are shown", &format!("took.length >= {keys}"))
                .await;
        }
        let back = "\u{E003}".repeat(query.len());
        page.type_into("input[name=q]", &back).await;
        page.until(
            "the box is empty",
            "!document.querySelector('input[name=q]').value",
        )
        .await;
        // What came on the way back does not count.
        let kept = format!("took.length = Math.min(took.length, {keys}); return took.length;");
        assert_eq!(page.run(&kept, Vec::new()).await, keys);
    }
    let figures = "const sorted = [...took].sort((a, b) => a - b);
        const at = (share) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]);
        return { keys: sorted.length, p50_ms: at(0.5), p95_ms: at(0.95), most_ms: at(1) };";
    page.run(figures, Vec::new()).await
}
