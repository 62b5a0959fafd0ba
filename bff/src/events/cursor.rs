//! A place in both logs: that of products and that of search rules, which count for themselves.

use std::fmt;
use std::str::FromStr;

/// All events up to these positions have been told. As a text, `120.7`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) products: i64,
    pub(crate) rules: i64,
}

impl Cursor {
    /// Whether it is no further than `other`, in both logs.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.products <= other.products && self.rules <= other.rules
    }

    /// The later of both, log by log.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            products: self.products.max(other.products),
            rules: self.rules.max(other.rules),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.products, self.rules)
    }
}

/// Where a client begins; a log that it does not speak of, from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    products: Option<i64>,
    rules: Option<i64>,
}

impl Start {
    /// The place after which events are told, where the logs end now at `end`.
    pub(super) fn after(self, end: Cursor) -> Cursor {
        Cursor {
            products: self.products.unwrap_or(end.products),
            rules: self.rules.unwrap_or(end.rules),
        }
    }
}

/// A text that is no place in the logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a position in the event log such as 120, or with one in the log of search rules, 120.7; 0.0 is \
     the beginning of both"
)]
pub(crate) struct InvalidStart;

impl FromStr for Start {
    type Err = InvalidStart;

    fn from_str(text: &str) -> Result<Self, InvalidStart> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.ok_or(InvalidStart)
        };
        let (products, rules) = match text.split_once('.') {
            Some((products, rules)) => (products, Some(number(rules)?)),
            None => (text, None),
        };
        Ok(Self {
            products: Some(number(products)?),
            rules,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_one_position_or_two() {
        let end = Cursor {
            products: 9,
            rules: 4,
        };
        let after = |text: &str| {
            text.parse::<Start>()
                .map(|start| start.after(end).to_string())
        };
        assert_eq!(after("120.7"), Ok("120.7".to_owned()));
        assert_eq!(after("0"), Ok("0.4".to_owned()));
        assert_eq!(Start::default().after(end), end);
        for bad in [
            "",
            "-1",
            "+1",
            "1.",
            ".1",
            "1.2.3",
            "x",
            "99999999999999999999",
        ] {
            assert_eq!(after(bad), Err(InvalidStart), "{bad}");
        }
    }
}
