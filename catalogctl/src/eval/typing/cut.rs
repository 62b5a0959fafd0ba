//! Queries of somebody who is still typing.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The shortest prefix of a query that is sent, in characters.
const PREFIX_CHARS_MIN: usize = 2;

/// A share: more than 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::eval) struct Share(f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(share) if share > 0.0 && share <= 1.0 => Ok(Self(share)),
            _ => Err("a share is more than 0 and at most 1, such as 0.6".to_owned()),
        }
    }
}

impl Share {
    /// Cuts the last word of a query to this share of its characters, rounded up. White space at
    /// the end is dropped.
    pub(in crate::eval) fn cut(self, query: &str) -> String {
        let query = query.trim_end();
        let start = query
            .char_indices()
            .rev()
            .find(|(_, char)| char.is_whitespace())
            .map_or(0, |(at, space)| at + space.len_utf8());
        let (before, last) = query.split_at(start);
        let chars = last.chars().count();
        // 0.6 of 5 is 3, though 0.6 × 5.0 may come out as a bit more.
        let kept = (chars as f64 * self.0 - 1e-9).ceil() as usize;
        before.chars().chain(last.chars().take(kept)).collect()
    }
}

/// Every prefix of a query that is shorter than the query, from two characters on, in the order of
/// typing. One that ends with a space is left out: it asks for the same as the one before.
pub(in crate::eval) fn prefixes(query: &str) -> Vec<String> {
    let ends = query.char_indices().map(|(at, _)| at);
    ends.skip(PREFIX_CHARS_MIN)
        .map(|end| query[..end].to_owned())
        .filter(|prefix| !prefix.ends_with(char::is_whitespace))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_cut_to_a_share_of_its_characters_rounded_up() {
        let cut = |share: &str, query: &str| share.parse::<Share>().unwrap().cut(query);
        for (share, query, typed) in [
            ("0.6", "gaming mouse", "gaming mou"),
            ("0.6", "laptop", "lapt"),
            ("0.6", "tv", "tv"),
            ("0.1", "usb hub", "usb h"),
            ("0.5", "größe", "grö"),
            ("1", "usb hub ", "usb hub"),
            ("0.6", "", ""),
            ("0.5", "a\u{3000}büro", "a\u{3000}bü"),
        ] {
            assert_eq!(cut(share, query), typed, "{share} of {query:?}");
        }
        for bad in ["0", "1.1", "-0.5", "NaN", "half"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }

    #[test]
    fn prefixes_grow_by_a_character_and_end_before_the_whole_query() {
        assert_eq!(prefixes("ab cd"), ["ab", "ab c"]);
        assert_eq!(prefixes("größe"), ["gr", "grö", "größ"]);
        assert!(prefixes("tv").is_empty());
    }
}
