//! Product ids: safe in a URL, a NATS subject and a file name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Invariant: 1 to 64 bytes of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductId(String);

/// The text is not a product id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a product id is 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidProductId;

impl ProductId {
    pub const BYTES_MAX: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_valid(text: &str) -> bool {
        (1..=Self::BYTES_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    }
}

impl TryFrom<String> for ProductId {
    type Error = InvalidProductId;

    fn try_from(text: String) -> Result<Self, InvalidProductId> {
        if Self::is_valid(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidProductId)
        }
    }
}

impl FromStr for ProductId {
    type Err = InvalidProductId;

    fn from_str(text: &str) -> Result<Self, InvalidProductId> {
        Self::try_from(text.to_owned())
    }
}

impl From<ProductId> for String {
    fn from(id: ProductId) -> String {
        id.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_what_is_safe_in_a_subject() {
        for good in ["a", "A-1_b", &"x".repeat(64)] {
            assert!(good.parse::<ProductId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "a.b",
            "*",
            ">",
            "a b",
            "../x",
            "é",
            "a/b",
            &"x".repeat(65),
        ] {
            assert_eq!(bad.parse::<ProductId>(), Err(InvalidProductId), "{bad}");
        }
    }
}
