//! Request ids: a write that carries one is safe to send again.

use std::str::FromStr;

/// The id of a request.
///
/// Invariant: 1 to [`RequestId::CHARS_MAX`] visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

/// The error for a text that is no request id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not 1 to {} visible ASCII characters", RequestId::CHARS_MAX)]
pub(crate) struct InvalidRequestId;

/// A request that may come again: its id, and a hash of the operation and all its arguments, so
/// that another request under the same id is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestKey {
    pub(crate) id: RequestId,
    pub(crate) hash: [u8; 32],
}

impl RequestId {
    pub(crate) const CHARS_MAX: usize = 255;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        let bounded = (1..=Self::CHARS_MAX).contains(&text.len());
        if bounded && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRequestId)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_bounded_and_visible() {
        for good in ["1", "\"8e03978e\"", "~!", &"x".repeat(255)] {
            assert!(good.parse::<RequestId>().is_ok(), "{good}");
        }
        for bad in ["", "two words", "caf\u{e9}", "a\tb", "\0", &"x".repeat(256)] {
            assert_eq!(bad.parse::<RequestId>(), Err(InvalidRequestId), "{bad:?}");
        }
    }
}
