//! The console. The page is the same for everybody; what it shows needs the key of whoever opens it.

use axum::http::StatusCode;
use axum::response::Response;

use crate::http::pages::assets::document;
use crate::problem::Problem;

pub(super) const ENTRANCE: &str = "/console";
pub(super) const ROOM: &str = "/console/{room}";

const PAGE: &str = "console/index.html";

/// `GET /console` and `GET /console/{room}`.
pub(super) async fn console() -> Result<Response, Problem> {
    document(StatusCode::OK, PAGE, "<title>Catalog console</title>", "")
}
