//! Reading one's own writes. `Catalog-Consistency` of a write's answer is sent along with a read,
//! which then waits for that write; `Catalog-Stale` of its answer tells that it waited in vain.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::problem::{CATALOG_STALE, Problem, TRUE};

const CATALOG_CONSISTENCY: HeaderName = HeaderName::from_static("catalog-consistency");

const TOKENS_MAX: usize = 100;
/// Longer than any token is.
const TOKEN_BYTES_MAX: usize = 256;

/// The tokens of a read, of one header or several, separated by commas.
pub(super) struct ConsistencyTokens(pub(super) Vec<String>);

impl ConsistencyTokens {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(CATALOG_CONSISTENCY).iter();
        let parts = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        // A list may have empty elements (RFC 9110, §5.6.1).
        let tokens = parts
            .map(<[u8]>::trim_ascii)
            .filter(|part| !part.is_empty());
        let tokens: Option<Vec<String>> = tokens.take(TOKENS_MAX + 1).map(token).collect();
        tokens.filter(|tokens| tokens.len() <= TOKENS_MAX).map(Self)
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

/// What may be a token; whether it is one is for the read side to tell.
fn token(bytes: &[u8]) -> Option<String> {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let plausible = bytes.len() <= TOKEN_BYTES_MAX && bytes.iter().all(known);
    str::from_utf8(bytes)
        .ok()
        .filter(|_| plausible)
        .map(str::to_owned)
}

/// On the answer to a write.
pub(super) fn set_token(response: &mut Response, token: &str) {
    // A header of no value would be no token.
    if let Ok(value) = HeaderValue::try_from(token)
        && !token.is_empty()
    {
        response.headers_mut().insert(CATALOG_CONSISTENCY, value);
    }
}

/// On the answer to a read.
pub(super) fn set_stale(response: &mut Response, stale: bool) {
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
