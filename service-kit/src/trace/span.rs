//! One step of a trace, from its start until it is dropped.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::TraceContext;
use crate::trace::export;

/// The part that a service has in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// It answers a request.
    Server,
    /// It gives a message to a broker.
    Producer,
    /// It takes a message from a broker.
    Consumer,
}

/// A step of a trace. The collector is told of it when it is dropped; without a collector, and in a trace
/// that is not sampled, it costs nothing.
#[derive(Debug)]
pub struct Span(Option<Box<SpanData>>);

impl Span {
    /// Begins the step that `trace` stands for. `name` has no part that differs from request to request.
    pub fn start(trace: TraceContext, kind: SpanKind, name: impl Into<Cow<'static, str>>) -> Self {
        if !trace.sampled || !export::is_on() {
            return Self(None);
        }
        let flags = TraceFlags::SAMPLED;
        let (trace_id, span_id) = (TraceId::from(trace.trace_id), SpanId::from(trace.span_id));
        let now = SystemTime::now();
        Self(Some(Box::new(SpanData {
            span_context: SpanContext::new(trace_id, span_id, flags, false, TraceState::NONE),
            parent_span_id: trace.parent_id.map_or(SpanId::INVALID, SpanId::from),
            parent_span_is_remote: trace.parent_id.is_some(),
            span_kind: kind.into(),
            name: name.into(),
            start_time: now,
            end_time: now,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME")).build(),
        })))
    }

    /// Whether anybody will be told: only then are its attributes worth computing.
    pub fn is_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Names the step once it is known what it was.
    pub fn rename(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(data) = &mut self.0 {
            data.name = name.into();
        }
    }

    /// States an attribute, by its name in OpenTelemetry's conventions where they have one.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(data) = &mut self.0 {
            data.attributes.push(KeyValue::new(name, value));
        }
    }

    /// Marks the step as failed.
    pub fn fail(&mut self, why: impl Into<Cow<'static, str>>) {
        if let Some(data) = &mut self.0 {
            data.status = Status::error(why);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut data) = self.0.take() {
            data.end_time = SystemTime::now();
            export::send(*data);
        }
    }
}

impl From<SpanKind> for opentelemetry::trace::SpanKind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Server => Self::Server,
            SpanKind::Producer => Self::Producer,
            SpanKind::Consumer => Self::Consumer,
        }
    }
}
