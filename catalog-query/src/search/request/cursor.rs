//! Page tokens: where a page ended, as an opaque text. A token holds its format, a hash of the
//! request that it belongs to, and either a place in the order of a column or the products that
//! were shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use catalog_events::ProductId;
use sha2::{Digest as _, Sha256};

use crate::index::Place;
use crate::search::request::search_request::SearchRequest;

/// The number of the format of tokens: tokens of another format are refused.
const FORMAT: u8 = 2;
const AFTER: u8 = 1;
const SHOWN: u8 = 2;

/// The most products that the pages by relevance show: each page has the best products that were
/// not shown yet, so that its token lists all that were.
pub(crate) const SHOWN_MAX: usize = 1_000;

const HASH_BYTES: usize = 8;
const HEAD_BYTES: usize = 2 + HASH_BYTES;
const BYTES_MAX: usize = HEAD_BYTES + SHOWN_MAX * 4;

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cursor {
    #[default]
    Start,
    /// Behind the last product of a page in the order of a column.
    After(Place),
    /// With the best products that are not among these hashes of ids.
    Shown(Vec<u32>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPageToken {
    #[error("is no token of this catalog, or of another release")]
    Malformed,
    #[error("belongs to another request: only `limit` may change between pages")]
    OfAnotherRequest,
}

/// A hash of everything in a request that decides which products come in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestHash([u8; HASH_BYTES]);

impl RequestHash {
    /// The hash of a request: of its query, its strategy, its order and what else the caller
    /// stated.
    pub(crate) fn of_request(request: &SearchRequest) -> Self {
        let strategy = [request.strategy as u8, request.sort as u8];
        Self::of(&[request.query.as_bytes(), &strategy, &request.identity])
    }

    /// Hashes the parts with their lengths, so that no part can be taken for the end of another.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let mut first = [0; HASH_BYTES];
        first.copy_from_slice(&hash[..HASH_BYTES]);
        Self(first)
    }
}

/// The hash of an id that tokens hold.
pub(crate) fn shown_hash(id: &ProductId) -> u32 {
    let hash = Sha256::digest(id.as_str());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

impl Cursor {
    /// The place of the last product of a sorted page.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Self::After(place) => Some(place),
            Self::Start | Self::Shown(_) => None,
        }
    }

    /// Hashes of the products that pages by relevance have shown.
    pub(crate) fn shown(&self) -> &[u32] {
        match self {
            Self::Shown(hashes) => hashes,
            Self::Start | Self::After(_) => &[],
        }
    }

    /// Reads a token of this request; an empty one is the start.
    pub(crate) fn parse(token: &str, request: RequestHash) -> Result<Self, InvalidPageToken> {
        if token.is_empty() {
            return Ok(Self::Start);
        }
        if token.len() > BYTES_MAX * 2 {
            return Err(InvalidPageToken::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| InvalidPageToken::Malformed)?;
        let (head, body) = bytes
            .split_at_checked(HEAD_BYTES)
            .ok_or(InvalidPageToken::Malformed)?;
        if head[0] != FORMAT {
            return Err(InvalidPageToken::Malformed);
        }
        let cursor = match head[1] {
            AFTER => after(body),
            SHOWN => shown(body),
            _ => None,
        }
        .ok_or(InvalidPageToken::Malformed)?;
        if head[2..] == request.0 {
            Ok(cursor)
        } else {
            Err(InvalidPageToken::OfAnotherRequest)
        }
    }

    /// The token of this cursor for a request; empty at the start.
    pub(crate) fn token(&self, request: RequestHash) -> String {
        let (kind, body) = match self {
            Self::Start => return String::new(),
            Self::After(place) => {
                let mut body = place.key.to_be_bytes().to_vec();
                body.extend_from_slice(place.id.as_str().as_bytes());
                (AFTER, body)
            }
            Self::Shown(hashes) => {
                let hashes = hashes.iter().flat_map(|hash| hash.to_be_bytes());
                (SHOWN, hashes.collect())
            }
        };
        let mut bytes = vec![FORMAT, kind];
        bytes.extend_from_slice(&request.0);
        bytes.extend_from_slice(&body);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn after(body: &[u8]) -> Option<Cursor> {
    let (key, id) = body.split_first_chunk()?;
    Some(Cursor::After(Place {
        key: u128::from_be_bytes(*key),
        id: str::from_utf8(id).ok()?.parse().ok()?,
    }))
}

fn shown(body: &[u8]) -> Option<Cursor> {
    let (hashes, rest) = body.as_chunks();
    let hashes: Vec<u32> = hashes
        .iter()
        .map(|hash| u32::from_be_bytes(*hash))
        .collect();
    let possible = rest.is_empty() && (1..=SHOWN_MAX).contains(&hashes.len());
    possible.then_some(Cursor::Shown(hashes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursors() -> impl Strategy<Value = Cursor> {
        let after = (any::<u128>(), "[A-Za-z0-9_-]{1,64}").prop_map(|(key, id)| {
            let id = id.parse().expect("id");
            Cursor::After(Place { key, id })
        });
        let shown = prop::collection::vec(any::<u32>(), 1..=SHOWN_MAX);
        prop_oneof![Just(Cursor::Start), after, shown.prop_map(Cursor::Shown)]
    }

    proptest! {
        #[test]
        fn a_token_is_read_back_for_its_request_only(cursor in cursors(), query in ".*") {
            let request = RequestHash::of(&[query.as_bytes(), b"x"]);
            let token = cursor.token(request);
            prop_assert_eq!(Cursor::parse(&token, request), Ok(cursor.clone()));
            let other = RequestHash::of(&[query.as_bytes(), b"y"]);
            if cursor != Cursor::Start {
                let refused = Cursor::parse(&token, other);
                prop_assert_eq!(refused, Err(InvalidPageToken::OfAnotherRequest));
            }
        }

        #[test]
        fn rubbish_is_refused(token in "\\PC{1,200}") {
            prop_assert!(Cursor::parse(&token, RequestHash([0; 8])).is_err());
        }

        /// A damaged token neither panics nor leads elsewhere: what is read writes the same token.
        #[test]
        fn damaged_tokens_are_harmless(
            cursor in cursors(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let request = RequestHash::of(&[b"mouse"]);
            let mut bytes = cursor.token(request).into_bytes();
            prop_assume!(!bytes.is_empty());
            let place = at.index(bytes.len());
            bytes[place] = byte;
            bytes.truncate(cut.index(bytes.len()) + 1);
            if let Ok(token) = String::from_utf8(bytes)
                && let Ok(read) = Cursor::parse(&token, request)
            {
                prop_assert_eq!(read.token(request), token);
            }
        }
    }

    #[test]
    fn parts_of_a_request_have_their_place() {
        assert_ne!(
            RequestHash::of(&[b"ab", b"c"]),
            RequestHash::of(&[b"a", b"bc"])
        );
    }
}
