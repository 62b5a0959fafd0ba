//! The state that all handlers share.

use std::time::Duration;

use crate::metrics::Metrics;
use crate::openapi::Served;
use crate::upstream::Upstream;

pub(crate) struct Api {
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Metrics,
    /// The description of the API.
    pub(crate) document: Served,
    pub(crate) body_bytes_max: usize,
    pub(crate) query_bytes_max: usize,
    /// How long a client may take to send a body.
    pub(crate) read_timeout: Duration,
}
