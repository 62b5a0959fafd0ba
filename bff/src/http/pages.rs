//! The pages that people use: the shop window, the console, and the API's description to try out.

pub(super) mod docs;
mod assets;
mod shop;
mod console;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::config::Pages;
use crate::http::api::Api;

/// The addresses of the pages, all for everybody.
pub(super) const PATHS: [&str; 8] = [
    docs::PAGE,
    docs::PAGE_INDEX,
    docs::PAGE_FILE,
    assets::FILE,
    shop::RESULTS,
    shop::PRODUCT,
    console::ENTRANCE,
    console::ROOM,
];

/// The routes of the pages that are switched on.
pub(super) fn routes(pages: Pages) -> Router<Arc<Api>> {
    let mut routes = Router::new()
        .route(docs::PAGE, get(docs::page))
        .route(docs::PAGE_INDEX, get(docs::page_index))
        .route(docs::PAGE_FILE, get(docs::page_file));
    if pages.shop || pages.console {
        routes = routes.route(assets::FILE, get(assets::file));
    }
    if pages.shop {
        routes = routes
            .route(shop::RESULTS, get(shop::results))
            .route(shop::PRODUCT, get(shop::product));
    }
    if pages.console {
        routes = routes
            .route(console::ENTRANCE, get(console::console))
            .route(console::ROOM, get(console::console));
    }
    routes
}
