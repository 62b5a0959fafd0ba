//! Entity tags of packed answers. Invariant: two representations of a resource never have one strong tag
//! (RFC 9110, section 8.8.3), and a condition on any of them is one on the version that all stand for.

use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// The encodings in which answers are packed, each of which ends its tags: `"7-gzip"` stands for version 7.
const ENCODINGS: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

/// Returns the tag without what names an encoding. Both have their quotes.
pub(crate) fn unpacked(tag: &[u8]) -> Vec<u8> {
    let inner = tag.strip_suffix(b"\"").unwrap_or(tag);
    let plain = ENCODINGS.iter().find_map(|encoding| {
        let rest = inner.strip_suffix(encoding.as_bytes())?;
        rest.strip_suffix(b"-")
    });
    match plain {
        Some(plain) => [plain, b"\""].concat(),
        None => tag.to_vec(),
    }
}

/// Gives a packed answer a tag of its own. One that the client holds already is named by the tag that it sent,
/// for nothing else says which form it holds.
pub(crate) async fn tell_apart(request: Request, next: Next) -> Response {
    let held = request.headers().get_all(IF_NONE_MATCH).iter();
    let held: Vec<HeaderValue> = held.cloned().collect();
    let mut response = next.run(request).await;
    let Some(tag) = response.headers().get(ETAG).cloned() else {
        return response;
    };
    let own = if response.status() == StatusCode::NOT_MODIFIED {
        ENCODINGS
            .iter()
            .filter_map(|encoding| packed(&tag, encoding))
            .find(|packed| held.iter().any(|held| has(held, packed)))
    } else {
        let encoding = response.headers().get(CONTENT_ENCODING);
        let encoding = encoding.and_then(|encoding| encoding.to_str().ok());
        encoding.and_then(|encoding| packed(&tag, encoding))
    };
    if let Some(own) = own {
        response.headers_mut().insert(ETAG, own);
    }
    response
}

/// The tag of the packed form; none of a weak one, which stands for all forms.
fn packed(tag: &HeaderValue, encoding: &str) -> Option<HeaderValue> {
    let tag = tag.to_str().ok()?;
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    HeaderValue::try_from(format!("\"{inner}-{encoding}\"")).ok()
}

/// Whether a header has a tag: its quotes keep it from being a part of another one.
fn has(header: &HeaderValue, tag: &HeaderValue) -> bool {
    let mut parts = header.as_bytes().windows(tag.len());
    parts.any(|part| part == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_a_packed_answer_stands_for_the_version() {
        let check = |tag: &str, expected: &str| {
            assert_eq!(unpacked(tag.as_bytes()), expected.as_bytes(), "{tag}");
        };
        check("\"7-gzip\"", "\"7\"");
        check("\"7-br\"", "\"7\"");
        check("\"7-linked-zstd\"", "\"7-linked\"");
        check("\"7\"", "\"7\"");
        check("\"7-linked\"", "\"7-linked\"");
        check("\"7-lzma\"", "\"7-lzma\"");
        check("\"gzip\"", "\"gzip\"");
    }
}
