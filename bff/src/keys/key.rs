//! One key: what it allows, and how much of it.

use std::num::NonZeroU32;
use std::sync::Arc;

use catalog_proto::v1;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use time::OffsetDateTime;

use crate::scope::{Scope, Scopes};

/// A key that is not revoked.
pub(crate) struct Key {
    pub(crate) id: String,
    /// By what people recognise the key.
    pub(crate) prefix: String,
    pub(crate) scopes: Scopes,
    pub(crate) expires_at: Option<OffsetDateTime>,
    origins: Vec<String>,
    /// The filter that every search is held to, in the syntax of the query string; empty for none.
    pub(crate) forced_filter: String,
    pub(crate) limit: Option<Limit>,
}

/// How many requests a second a key is good for. The count belongs to this replica; clones share it.
#[derive(Clone)]
pub(crate) struct Limit {
    pub(crate) per_second: NonZeroU32,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl Key {
    pub(crate) fn of(message: &v1::ApiKey) -> Self {
        let scopes = message.scopes().filter_map(Scope::of_message).collect();
        let per_second = message.requests_per_second.and_then(|count| {
            let count = u32::try_from(count).ok()?;
            NonZeroU32::new(count)
        });
        Self {
            id: message.id.clone(),
            prefix: message.prefix.clone(),
            scopes,
            expires_at: message.expires_at.as_ref().and_then(moment),
            origins: message.allowed_origins.clone(),
            forced_filter: message.forced_filter.clone(),
            limit: per_second.map(Limit::of),
        }
    }

    /// Whether a browser page of this origin may use the key. A request without an origin comes from no
    /// page.
    pub(crate) fn allows_origin(&self, origin: Option<&[u8]>) -> bool {
        let known = |origin: &[u8]| self.origins.iter().any(|known| known.as_bytes() == origin);
        self.origins.is_empty() || origin.is_none_or(known)
    }
}

impl Limit {
    fn of(per_second: NonZeroU32) -> Self {
        Self {
            per_second,
            limiter: Arc::new(RateLimiter::direct(Quota::per_second(per_second))),
        }
    }

    /// Returns the limit as `RateLimit-Policy` tells it.
    pub(crate) fn header(&self) -> String {
        format!("\"key\";q={};w=1", self.per_second)
    }

    /// Takes one request off what is left; false where nothing is left.
    pub(crate) fn take(&self) -> bool {
        self.limiter.check().is_ok()
    }
}

pub(super) fn moment(time: &prost_types::Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.seconds).ok()
}
