//! `Idempotency-Key`: a write that is sent again under its key is answered as it was the first time.
//! A known key comes before every other condition: a client that repeats a write with `If-Match` gets
//! the earlier answer, though the product has moved on since.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::http::request::principal::principal_of;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CHARS_MAX: usize = 255;

/// The request id of a write; empty without a key.
///
/// Invariant: at most [`CHARS_MAX`] visible ASCII characters.
pub(crate) struct RequestId(String);

impl RequestId {
    /// The text for the field `request_id` of a message.
    pub(crate) fn to_message(&self) -> String {
        self.0.clone()
    }

    /// Makes the id one of this caller: two callers may take the same `Idempotency-Key`.
    fn of_caller(self, name: &str) -> Self {
        if self.0.is_empty() {
            return self;
        }
        let own = format!("{name}:{}", self.0);
        if own.len() <= CHARS_MAX {
            return Self(own);
        }
        let digest = Sha256::digest(&self.0);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{name}:sha256:{digest}"))
    }

    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => return Some(Self(String::new())),
            (Some(key), None) => key.as_bytes(),
            (Some(_), Some(_)) => return None,
        };
        let bounded = (1..=CHARS_MAX).contains(&key.len());
        let valid = bounded && key.iter().all(u8::is_ascii_graphic);
        let text = str::from_utf8(key).ok().filter(|_| valid)?;
        Some(Self(text.to_owned()))
    }
}

/// Refuses an `Idempotency-Key` on a request that would do something else the second time, and cannot be told from
/// its repetition.
pub(crate) struct NotRepeatable;

impl<S: Send + Sync> FromRequestParts<S> for NotRepeatable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(IDEMPOTENCY_KEY) {
            let detail = "This cannot be repeated under an Idempotency-Key: look what it has done before it is sent again";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        Ok(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let stated = Self::read(&parts.headers).ok_or_else(|| {
            let detail = format!("Idempotency-Key is 1 to {CHARS_MAX} visible ASCII characters");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        })?;
        Ok(match principal_of(parts).name() {
            Some(name) => stated.of_caller(&name),
            None => stated,
        })
    }
}
