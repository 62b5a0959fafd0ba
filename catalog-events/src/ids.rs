//! Ids: safe in a URL, a NATS subject and a file name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const BYTES_MAX: usize = 64;

fn is_valid(text: &str) -> bool {
    (1..=BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Defines an id as a type of its own, so that nobody takes the one for the other.
macro_rules! id {
    ($id:ident, $invalid:ident, $what:literal) => {
        #[doc = concat!("The text of ", $what, ".")]
        ///
        /// Invariant: 1 to 64 bytes of `A-Z a-z 0-9 _ -`.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $id(String);

        #[doc = concat!("The error for a text that is not ", $what, ".")]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error("{} is 1 to 64 characters of A-Z a-z 0-9 _ -", $what)]
        pub struct $invalid;

        impl $id {
            /// The most bytes that an id has.
            pub const BYTES_MAX: usize = BYTES_MAX;

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $id {
            type Error = $invalid;

            fn try_from(text: String) -> Result<Self, $invalid> {
                if is_valid(&text) {
                    Ok(Self(text))
                } else {
                    Err($invalid)
                }
            }
        }

        impl FromStr for $id {
            type Err = $invalid;

            fn from_str(text: &str) -> Result<Self, $invalid> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> String {
                id.0
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(ProductId, InvalidProductId, "a product id");
id!(RuleId, InvalidRuleId, "a rule id");

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
            assert_eq!(bad.parse::<RuleId>(), Err(InvalidRuleId), "{bad}");
        }
    }
}
