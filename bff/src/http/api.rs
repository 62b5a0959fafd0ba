//! The state that all handlers share.

use std::time::Duration;

use axum::http::HeaderValue;

use crate::events::Feed;
use crate::http::feeds::Feeds;
use crate::http::shed::admission::Admission;
use crate::keys::KeyRing;
use crate::metrics::Metrics;
use crate::openapi::Served;
use crate::scope::Scopes;
use crate::tokens::Provider;
use crate::upstream::Upstream;

pub(crate) struct Api {
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Metrics,
    pub(crate) keys: KeyRing,
    /// Whose tokens are taken.
    pub(crate) provider: Option<Provider>,
    pub(crate) events: Feed,
    /// What needs no key.
    pub(crate) public: Scopes,
    /// The origins whose pages may ask.
    pub(crate) cors_origins: Vec<HeaderValue>,
    /// Who is let in.
    pub(crate) admission: Admission,
    /// The description of the API.
    pub(crate) document: Served,
    pub(crate) body_bytes_max: usize,
    pub(crate) query_bytes_max: usize,
    /// How long a client may take to send a body.
    pub(crate) read_timeout: Duration,
    pub(crate) feeds: Feeds,
}
