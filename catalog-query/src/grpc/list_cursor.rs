//! Page tokens of lists: where a page ended, sealed together with what was asked for.

use catalog_events::{Position, ProductId, TokenKey};
use catalog_proto::v1;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::read_model::ListOrder;

/// What the seal is for, and the number of the format of tokens.
const PURPOSE: &str = "page of products 1";
const HASH_BYTES: usize = 8;
const BY_ID: u8 = 1;
const BY_CHANGE: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidListToken {
    #[error("is no token of this catalog, or was changed")]
    Forged,
    #[error("belongs to another request: only `page_size` and consistency tokens may change")]
    OfAnotherRequest,
}

/// Reads and writes the page tokens of one request.
pub(super) struct ListCursor {
    /// A hash of what decides which products come in which order.
    request: [u8; HASH_BYTES],
}

impl ListCursor {
    pub(super) fn of(request: &v1::ListProductsRequest) -> Self {
        let mut hasher = Sha256::new();
        let mut feed = |part: &[u8]| {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        };
        match &request.updated_since {
            Some(since) => {
                feed(&since.seconds.to_be_bytes());
                feed(&since.nanos.to_be_bytes());
            }
            None => feed(b""),
        }
        for list in [&request.skus, &request.gtins] {
            feed(&(list.len() as u64).to_be_bytes());
            list.iter().for_each(|text| feed(text.as_bytes()));
        }
        let hash = hasher.finalize();
        let mut first = [0; HASH_BYTES];
        first.copy_from_slice(&hash[..HASH_BYTES]);
        Self { request: first }
    }

    /// Where the page of this token begins; an empty token is the start.
    pub(super) fn parse(
        &self,
        key: &TokenKey,
        token: &str,
        since: Option<OffsetDateTime>,
    ) -> Result<ListOrder, InvalidListToken> {
        if token.is_empty() {
            return Ok(match since {
                None => ListOrder::ById {
                    after: String::new(),
                },
                Some(since) => ListOrder::ByChange { since, after: None },
            });
        }
        let bytes = key.open_bytes(PURPOSE, token);
        let bytes = bytes.ok_or(InvalidListToken::Forged)?;
        let (request, place) = bytes
            .split_first_chunk::<HASH_BYTES>()
            .ok_or(InvalidListToken::Forged)?;
        if *request != self.request {
            return Err(InvalidListToken::OfAnotherRequest);
        }
        match (place, since) {
            ([BY_ID, id @ ..], None) => after_id(id),
            ([BY_CHANGE, position @ ..], Some(since)) => after_position(position, since),
            _ => None,
        }
        .ok_or(InvalidListToken::Forged)
    }

    pub(super) fn token(&self, key: &TokenKey, next: &ListOrder) -> String {
        let mut bytes = self.request.to_vec();
        match next {
            ListOrder::ById { after } => {
                bytes.push(BY_ID);
                bytes.extend(after.as_bytes());
            }
            ListOrder::ByChange { after, .. } => {
                bytes.push(BY_CHANGE);
                let after = after.unwrap_or(Position::START);
                bytes.extend(after.to_i64().to_be_bytes());
            }
        }
        key.seal_bytes(PURPOSE, &bytes)
    }
}

fn after_id(id: &[u8]) -> Option<ListOrder> {
    let id: ProductId = str::from_utf8(id).ok()?.parse().ok()?;
    Some(ListOrder::ById {
        after: id.to_string(),
    })
}

fn after_position(position: &[u8], since: OffsetDateTime) -> Option<ListOrder> {
    let position = i64::from_be_bytes(position.try_into().ok()?);
    Some(ListOrder::ByChange {
        since,
        after: Some(Position::from_i64(position)),
    })
}
