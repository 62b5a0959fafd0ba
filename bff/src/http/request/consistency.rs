//! The headers by which clients read their own writes. A read that carries the `Catalog-Consistency`
//! of a write's answer waits for that write; `Catalog-Stale` on the read's answer says that it
//! waited in vain.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::problem::{CATALOG_STALE, Problem, TRUE};

pub(crate) const CATALOG_CONSISTENCY: HeaderName = HeaderName::from_static("catalog-consistency");

const TOKENS_MAX: usize = 100;
/// A bound that no token reaches.
const TOKEN_BYTES_MAX: usize = 256;

/// The tokens that a read carries, in one header or several, separated by commas.
pub(crate) struct ConsistencyTokens(pub(crate) Vec<String>);

impl ConsistencyTokens {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(CATALOG_CONSISTENCY).iter();
        let parts = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        // A list may have empty elements (RFC 9110, §5.6.1).
        let stated = parts
            .map(<[u8]>::trim_ascii)
            .filter(|part| !part.is_empty());
        let tokens: Vec<String> = stated
            .take(TOKENS_MAX + 1)
            .map(token)
            .collect::<Option<_>>()?;
        (tokens.len() <= TOKENS_MAX).then_some(Self(tokens))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ConsistencyTokens {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers).ok_or_else(|| {
            let detail = format!(
                "Catalog-Consistency is at most {TOKENS_MAX} tokens, separated by commas, \
                 each as the answer to a write gave it"
            );
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })
    }
}

/// Checks that the text may be a token. The read side tells whether it is one.
fn token(bytes: &[u8]) -> Option<String> {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let plausible = bytes.len() <= TOKEN_BYTES_MAX && bytes.iter().all(known);
    str::from_utf8(bytes)
        .ok()
        .filter(|_| plausible)
        .map(str::to_owned)
}

/// Adds the token to the answer to a write.
pub(crate) fn set_token(response: &mut Response, token: &str) {
    // An empty header would not be a token.
    if let Ok(value) = HeaderValue::try_from(token)
        && !token.is_empty()
    {
        response.headers_mut().insert(CATALOG_CONSISTENCY, value);
    }
}

/// Marks the answer to a read that is older than its tokens.
pub(crate) fn set_stale(response: &mut Response, stale: bool) {
    if stale {
        response.headers_mut().insert(CATALOG_STALE, TRUE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<Vec<String>> {
        let value = |value: &&str| HeaderValue::try_from(*value).expect("a header");
        let values = values.iter().map(value);
        let headers = values.map(|value| (CATALOG_CONSISTENCY, value)).collect();
        ConsistencyTokens::read(&headers).map(|tokens| tokens.0)
    }

    #[test]
    fn reads_one_list_of_all_headers() {
        assert_eq!(read(&[]), Some(vec![]));
        assert_eq!(read(&["", " , ,"]), Some(vec![]));
        let tokens = ["a", "b-_9", "c"].map(str::to_owned).to_vec();
        assert_eq!(read(&["a, b-_9", "c,"]), Some(tokens));
        let many = ["a"; 60].join(",");
        let forty = ["b"; 40].join(",");
        assert_eq!(read(&[&many, &forty]).map(|tokens| tokens.len()), Some(100));
        assert_eq!(read(&[&many, &forty, "c"]), None);
        for bad in ["a b", "a;b", "\"a\"", "a=", "a/b", &"x".repeat(257)] {
            assert_eq!(read(&["a", bad]), None, "{bad}");
        }
    }
}
