//! W3C trace context: one id follows a request from the HTTP call through gRPC into the event.
//! (Trace Context Level 1, §3.2.) Where a collector is named, it is told the steps of the trace.

mod messages;
mod span;
mod export;

use std::fmt;

use http::HeaderMap;

pub use self::export::{TraceExport, TracingConfig};
pub(crate) use self::messages::register;
pub use self::messages::{MessageOperation, MessageSteps};
pub use self::span::{Span, SpanKind};

pub(crate) const TRACEPARENT: &str = "traceparent";

/// The trace that a request belongs to, and its place in it.
///
/// Invariant: neither id is all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    /// The step that led to this one; none where the trace begins or where that is not known.
    parent_id: Option<u64>,
    sampled: bool,
}

impl TraceContext {
    /// Starts a new trace.
    pub fn fresh() -> Self {
        let trace_id = fastrand::u128(1..);
        Self {
            trace_id,
            span_id: fastrand::u64(1..),
            parent_id: None,
            sampled: export::samples(trace_id),
        }
    }

    /// The next step of the trace, which this one led to.
    #[must_use]
    pub fn child(self) -> Self {
        Self {
            span_id: fastrand::u64(1..),
            parent_id: Some(self.span_id),
            ..self
        }
    }

    /// Continues the trace that the `traceparent` header names, or starts one where there is none that
    /// can be read.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .and_then(Self::parse)
            .map_or_else(Self::fresh, Self::child)
    }

    /// Reads the text of a `traceparent` header; none where it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id, span_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version_00_has_four_parts = version != "00" || parts.next().is_none();
        let lengths = (version.len(), trace_id.len(), span_id.len(), flags.len());
        let lower_hex = |part: &str| {
            part.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if lengths != (2, 32, 16, 2)
            || version == "ff"
            || !version_00_has_four_parts
            || ![version, trace_id, span_id, flags]
                .into_iter()
                .all(lower_hex)
        {
            return None;
        }
        let context = Self {
            trace_id: u128::from_str_radix(trace_id, 16).ok()?,
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            parent_id: None,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    /// The id of the trace as 32 hexadecimal digits, as logs and problem reports show it.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

/// Writes the text of a `traceparent` header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(
            f,
            "00-{:032x}-{:016x}-{flags:02x}",
            self.trace_id, self.span_id
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let context = TraceContext::fresh();
        assert_eq!(TraceContext::parse(&context.to_string()), Some(context));

        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        assert!(TraceContext::parse(&format!("00-{trace}-{span}-01")).is_some());
        assert!(TraceContext::parse(&format!("01-{trace}-{span}-01-more")).is_some());
        for bad in [
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{span}"),
            String::new(),
        ] {
            assert_eq!(TraceContext::parse(&bad), None, "{bad}");
        }
    }
}
