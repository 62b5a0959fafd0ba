//! The files of the pages, which are in the program. Their addresses have the digest of all of them, so that a
//! browser keeps them for good and a new release has new ones.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

pub(super) const FILE: &str = "/assets/{release}/{*file}";

const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

#[derive(RustEmbed)]
#[folder = "pages/"]
#[include = "*.js"]
#[include = "*.css"]
#[include = "*.svg"]
#[include = "*.html"]
struct Files;

/// The folder of the files of this release.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for name in Files::iter() {
        digest.update(name.as_bytes());
        digest.update(Files::get(&name).map_or([0; 32], |file| file.metadata.sha256_hash()));
    }
    format!("/assets/{}", short(&digest.finalize()))
});

/// The beginning of a digest, which tells files apart.
pub(super) fn short(digest: &[u8]) -> String {
    let first = digest.iter().take(8);
    first.map(|byte| format!("{byte:02x}")).collect()
}

/// Scripts, styles and data come from here only; pictures from wherever suppliers keep them.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data: https: http:; object-src 'none'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'self'",
);

/// Answers with a page. `head` and `body` are mark-up that machines read first.
pub(super) fn document(
    status: StatusCode,
    name: &str,
    head: &str,
    body: &str,
) -> Result<Response, Problem> {
    let text = page(name, head, body);
    let text = text.ok_or_else(|| Problem::internal("the page is not in the program"))?;
    let headers: [(HeaderName, HeaderValue); 3] = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((status, headers, text).into_response())
}

/// The page with the addresses of its files filled in.
fn page(name: &str, head: &str, body: &str) -> Option<String> {
    let file = Files::get(name)?;
    let text = std::str::from_utf8(&file.data).ok()?;
    let text = text.replace("{assets}", &FOLDER);
    Some(
        text.replace("<!-- head -->", head)
            .replace("<!-- body -->", body),
    )
}

/// `GET /assets/…`: a file of the pages.
pub(super) async fn file(
    Path((release, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let not_found = || Problem::new(StatusCode::NOT_FOUND, "Not found");
    let kind = kind(&name).ok_or_else(not_found)?;
    let file = Files::get(&name).ok_or_else(not_found)?;
    // The file of an older release is not the one asked for.
    if FOLDER.rsplit('/').next() != Some(&*release) {
        return Err(not_found());
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, FOR_GOOD),
    ];
    Ok((headers, file.data.into_owned()).into_response())
}

/// The content type of a file; None of one that is not for browsers.
fn kind(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
