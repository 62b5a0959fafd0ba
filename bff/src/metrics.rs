//! The metrics that operators read at `/metrics`. Labels come from closed sets: no request adds a
//! series.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

const SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 1.0, 2.5, 10.0,
];

pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// The same by OpenTelemetry's names, for boards that know those.
    durations: Family<HttpLabels, Histogram, fn() -> Histogram>,
    refused: Family<KindLabels, Counter>,
    limits: Family<KindLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    http_request_method: &'static str,
    http_route: &'static str,
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// What tells of the requests of a kind that were refused.
#[derive(Clone)]
pub(crate) struct Refusals {
    count: Counter,
    limit: Gauge,
}

impl Refusals {
    /// One more was refused, while `limit` run at once.
    pub(crate) fn add(&self, limit: usize) {
        self.count.inc();
        self.limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let metrics = Self {
            requests,
            seconds: Family::new_with_constructor(histogram),
            durations: Family::new_with_constructor(histogram),
            refused: Family::default(),
            limits: Family::default(),
        };
        metrics.register_in(registry);
        metrics
    }

    fn register_in(&self, registry: &mut Registry) {
        registry.register(
            "bff_http_requests",
            "Requests answered",
            self.requests.clone(),
        );
        registry.register(
            "bff_http_request_seconds",
            "Time from the head of a request to the head of its answer",
            self.seconds.clone(),
        );
        registry.register_with_unit(
            "http_server_request_duration",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "bff_http_refused",
            "Requests refused because more came than could be answered in time",
            self.refused.clone(),
        );
        registry.register(
            "bff_http_limit",
            "How many requests of the kind were answered at once when one was refused last",
            self.limits.clone(),
        );
    }

    /// The metrics as OpenMetrics has them.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        self.register_in(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    /// Returns what tells of the refusals of a kind.
    pub(crate) fn refusals(&self, kind: &'static str) -> Refusals {
        let labels = KindLabels { kind };
        Refusals {
            count: self.refused.get_or_create(&labels).clone(),
            limit: self.limits.get_or_create(&labels).clone(),
        }
    }

    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &'static str,
        status: StatusCode,
        took: Duration,
    ) {
        let (method, status) = (known(method), status.as_u16());
        let labels = RequestLabels {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&labels).inc();
        let seconds = took.as_secs_f64();
        let labels = RouteLabels { method, route };
        self.seconds.get_or_create(&labels).observe(seconds);
        let labels = HttpLabels {
            http_request_method: method,
            http_route: route,
            http_response_status_code: status,
        };
        self.durations.get_or_create(&labels).observe(seconds);
    }
}

fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("other")
}
