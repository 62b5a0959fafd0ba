//! What a user typed, made harmless.

use super::SearchError;
use crate::index::QueryTerms;

pub(super) const BYTES_MAX: usize = 1_000;

/// Invariant: `text` has no control characters and is not blank.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ParsedQuery {
    pub(super) text: String,
    /// Without any word when the text is all punctuation: such a query finds nothing.
    pub(super) terms: QueryTerms,
}

impl ParsedQuery {
    pub(super) fn parse(typed: &str) -> Result<Self, SearchError> {
        if typed.len() > BYTES_MAX {
            return Err(SearchError::QueryTooLong { bytes: typed.len() });
        }
        let is_gap = |c: char| c.is_whitespace() || c.is_control();
        let parts: Vec<&str> = typed
            .split(is_gap)
            .filter(|part| !part.is_empty())
            .collect();
        if parts.is_empty() {
            return Err(SearchError::EmptyQuery);
        }
        let text = parts.join(" ");
        Ok(Self {
            terms: QueryTerms::of(&text),
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, text: &str, has_words: bool) {
        let query = ParsedQuery::parse(typed).expect(typed);
        assert_eq!(
            (query.text.as_str(), !query.terms.is_empty()),
            (text, has_words),
            "{typed:?}"
        );
    }

    #[test]
    fn whatever_is_typed_is_text() {
        check("  usb\u{0}hub\n", "usb hub", true);
        check("title:(usb AND *) OR \"", "title:(usb AND *) OR \"", true);
        check(&"(".repeat(1_000), &"(".repeat(1_000), false);
        check("!?", "!?", false);
        check("ノート", "ノート", true);
    }

    #[test]
    fn blank_and_long_queries_are_errors() {
        for blank in ["", " ", "\u{0}\t\u{7f}\u{a0}"] {
            assert!(
                matches!(ParsedQuery::parse(blank), Err(SearchError::EmptyQuery)),
                "{blank:?}"
            );
        }
        for bytes in [1_001, 20_000, 1_000_000] {
            let err = ParsedQuery::parse(&"(".repeat(bytes)).expect_err("too long");
            assert_eq!(
                err.to_string(),
                format!("the query has {bytes} bytes, more than 1000")
            );
        }
    }
}
