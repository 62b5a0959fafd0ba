//! What is told of an answered request beside its line in the log: the step of its trace, and how long it
//! took. Names are those of OpenTelemetry's conventions for HTTP and RPC.

use std::sync::LazyLock;
use std::time::Duration;

use http::{Extensions, Method, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::Span;

/// How a client names that there is no such method; who asks for a thousand of them makes no thousand series.
const UNIMPLEMENTED: &str = "UNIMPLEMENTED";
const UNKNOWN_METHOD: &str = "_OTHER";
const SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// The names of the codes of gRPC, from 0 on.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    UNIMPLEMENTED,
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// The codes that are the fault of the server.
const FAULTS: [&str; 6] = [
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    UNIMPLEMENTED,
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
];

type Durations = Family<CallLabels, Histogram, fn() -> Histogram>;

/// The calls that this process has answered.
static CALLS: LazyLock<Durations> =
    LazyLock::new(|| Family::new_with_constructor(|| Histogram::new(SECONDS)));

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    rpc_system_name: &'static str,
    rpc_method: String,
    rpc_response_status_code: &'static str,
}

/// The route that answered, with names in place of what differs from request to request. Services of HTTP
/// put it into the extensions of their answers.
#[derive(Clone, Copy, Debug)]
pub struct Route(pub &'static str);

/// Adds the times of gRPC calls.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_with_unit(
        "rpc_server_call_duration",
        "Time from the head of a gRPC call to the head of its answer",
        Unit::Seconds,
        CALLS.clone(),
    );
}

/// A request as its answer is told.
pub(super) struct Answered<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) is_grpc: bool,
    pub(super) took: Duration,
}

impl Answered<'_> {
    pub(super) fn tell<R>(&self, span: &mut Span, response: &Response<R>, code: Option<&str>) {
        if self.is_grpc {
            // A call that fails at once has its code in the headers.
            self.tell_call(span, code.map_or(CODES[0], named));
        } else if span.is_recorded() {
            self.tell_http(span, response.status().as_u16(), response.extensions());
        }
    }

    fn tell_call(&self, span: &mut Span, code: &'static str) {
        let name = match self.path.strip_prefix('/') {
            Some(name) if code != UNIMPLEMENTED => name,
            _ => UNKNOWN_METHOD,
        };
        let labels = CallLabels {
            rpc_system_name: "grpc",
            rpc_method: name.to_owned(),
            rpc_response_status_code: code,
        };
        CALLS
            .get_or_create(&labels)
            .observe(self.took.as_secs_f64());
        if span.is_recorded() {
            span.rename(labels.rpc_method.clone());
            span.set("rpc.system.name", labels.rpc_system_name);
            span.set("rpc.method", labels.rpc_method);
            span.set("rpc.response.status_code", code);
            if FAULTS.contains(&code) {
                span.fail(code);
            }
        }
    }

    fn tell_http(&self, span: &mut Span, status: u16, extensions: &Extensions) {
        let method = self.method.as_str();
        match extensions.get::<Route>() {
            Some(Route(route)) => {
                span.rename(format!("{method} {route}"));
                span.set("http.route", *route);
            }
            None => span.rename(method.to_owned()),
        }
        span.set("http.request.method", method.to_owned());
        span.set("url.path", self.path.to_owned());
        span.set("http.response.status_code", i64::from(status));
        if status >= 500 {
            span.fail(status.to_string());
        }
    }
}

fn named(code: &str) -> &'static str {
    let number: Option<usize> = code.parse().ok();
    let known = number.and_then(|number| CODES.get(number));
    known.copied().unwrap_or("UNKNOWN")
}
