//! The example of a front end made of InstantSearch, with the packages that everybody uses, in a browser.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use std::path::PathBuf;
use tokio::net::TcpListener;
use trials::cluster::Part;

use crate::browser::driver::Browser;
use crate::browser::goods;
use crate::browser::npm;

const EXAMPLE: &str = "../examples/instantsearch";

/// Serves the example with its packages, from another origin than the catalog.
async fn served() -> String {
    let packages = npm::modules().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let routes = Router::new()
        .route("/{*file}", axum::routing::get(file))
        .with_state(packages);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

async fn file(State(packages): State<PathBuf>, Path(name): Path<String>) -> impl IntoResponse {
    let path = match name.strip_prefix("node_modules/") {
        Some(package) => packages.join(package),
        None => PathBuf::from(EXAMPLE).join(&name),
    };
    let kind = match path.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        _ => "application/octet-stream",
    };
    match std::fs::read(&path) {
        Ok(bytes) => (StatusCode::OK, [(CONTENT_TYPE, kind)], bytes),
        Err(_) => (StatusCode::NOT_FOUND, [(CONTENT_TYPE, kind)], Vec::new()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_end_of_instantsearch_changes_one_address() {
    let address = served().await;
    let mut cluster = goods::shop().await;
    cluster.configure("BFF_CORS_ORIGINS", address.clone());
    cluster.stop(Part::Bff).await.expect("stop");
    cluster.launch(Part::Bff).expect("start");
    cluster.ready().await.expect("ready");

    let browser = Browser::open().await;
    let page = &browser.page;
    page.goto(&format!("{address}/index.html?api={}", cluster.http()))
        .await;
    page.reads("#stats", "35 results").await;
    // A query, marked where it matched.
    page.type_into("#searchbox input", "gaming mouse").await;
    page.until(
        "it is searched for",
        "!document.querySelector('#stats').innerText.startsWith('35')",
    )
    .await;
    page.until(
        "matches are marked",
        "document.querySelector('#hits mark')?.innerText === 'gaming'",
    )
    .await;
    // A facet, with the counts of the others as they were without it; found by a search within.
    page.click("#searchbox .ais-SearchBox-reset").await;
    page.reads("#stats", "35 results").await;
    page.type_into("#brand input[type=search]", "bo").await;
    page.until(
        "the facet is searched",
        "document.querySelectorAll('#brand li').length === 1",
    )
    .await;
    page.click("#brand input[type=checkbox]").await;
    page.reads("#stats", "10 results").await;
    page.reads("#refinements", "Bolt").await;
    page.until(
        "the others are there",
        "document.querySelectorAll('#brand li').length > 1",
    )
    .await;
    page.click("#clear button").await;
    // A price, an order and a page.
    page.type_into("#price input:first-of-type", "800").await;
    page.click("#price button").await;
    page.reads("#stats", "2 results").await;
    page.click("#clear button").await;
    page.choose_in("#sort select", "products_price_desc").await;
    page.reads("#hits li:first-child", "1099.00").await;
    page.click("#pagination li:last-child a").await;
    page.reads("#hits", "9.90").await;
    page.picture("instantsearch").await;
    assert_eq!(page.complaints().await, [""; 0]);
}
