//! The pages are for everyone: every page passes the rules of WCAG 2.2 AA that a program can check, from a phone to a
//! wide screen, in light and dark, and nothing lies outside a narrow screen.

use serde_json::{Value, json};

use crate::browser::driver::Browser;
use crate::browser::goods;
use crate::browser::npm;
use crate::browser::page::Page;

const SIZES: [(u32, u32); 4] = [(320, 640), (360, 740), (768, 1024), (1440, 900)];
const PAGES: [(&str, &str, &str); 13] = [
    ("shop", "/?q=mouse", ".hit"),
    ("shop-list", "/?q=mouse&view=list", ".hit"),
    ("shop-none", "/?q=zzzqqq", ".nothing"),
    ("product", "/products/mouse-03", "h1"),
    ("overview", "/console", ".station"),
    ("projections", "/console/projections", "table"),
    ("feeds", "/console/feeds", ".drop"),
    ("keys", "/console/keys", "table"),
    ("products", "/console/products?id=mouse-03", ".history li"),
    ("rules", "/console/rules?id=&query=mouse", ".ranked li"),
    ("synonyms", "/console/synonyms", ".panel"),
    ("analytics", "/console/analytics", ".counts"),
    ("playground", "/console/playground?q=mouse", ".score"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_everyone() {
    let cluster = goods::shop().await;
    let axe = npm::axe().await;
    let browser = Browser::open().await;
    let page = &browser.page;
    let mut faults = Vec::new();
    for (name, path, there) in PAGES {
        page.goto(&format!("{}{path}", cluster.http())).await;
        page.see(there).await;
        for (size, dark) in SIZES
            .into_iter()
            .flat_map(|size| [(size, false), (size, true)])
        {
            page.look_as(size, dark).await;
            let scheme = if dark { "dark" } else { "light" };
            let shown = format!("{name}-{}-{scheme}", size.0);
            page.picture(&shown).await;
            faults.extend(outside(page).await.map(|what| format!("{shown}: {what}")));
            // Sizes between the narrowest and the widest have the same colours and names.
            if size == SIZES[1] || size == SIZES[3] {
                let found = violations(page, &axe).await;
                faults.extend(found.into_iter().map(|what| format!("{shown}: {what}")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What makes a page wider than its screen.
async fn outside(page: &Page) -> Option<String> {
    let script = "const wide = document.documentElement.scrollWidth;
        if (wide <= innerWidth) return null;
        const all = [...document.querySelectorAll('body *')];
        const out = all.find((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll, pre, .events'));
        return `${wide} pixels wide: ${out?.outerHTML.slice(0, 120)}`;";
    let told = page.run(script, Vec::new()).await;
    told.as_str().map(str::to_owned)
}

/// The rules that the page breaks, with the first elements that do.
async fn violations(page: &Page, axe: &str) -> Vec<String> {
    page.devtools("Page.setBypassCSP", json!({"enabled": true}))
        .await;
    let loaded = page
        .devtools("Runtime.evaluate", json!({"expression": axe}))
        .await;
    assert!(loaded["exceptionDetails"].is_null(), "{loaded}");
    let script = "const done = arguments[0];
        axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
            .then((told) => done(told.violations.map((one) => ({id: one.id, help: one.help,
                nodes: one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary ?? ''}`)}))));";
    let found: Value = page.run_long(script, Vec::new()).await;
    let found = found.as_array().expect("violations").iter();
    found
        .map(|one| format!("{} ({}): {}", one["id"], one["help"], one["nodes"]))
        .collect()
}
