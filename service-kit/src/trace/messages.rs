//! The steps of messages on their way through a broker, and how long each takes. Names are those of
//! OpenTelemetry's conventions for messaging.

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::trace::export;
use crate::{Span, SpanKind, TraceContext};

const SYSTEM: &str = "nats";
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

type Durations = Family<MessageLabels, Histogram, fn() -> Histogram>;

static SENDING: LazyLock<Durations> = LazyLock::new(durations);
static PROCESSING: LazyLock<Durations> = LazyLock::new(durations);
static SENT: LazyLock<Family<MessageLabels, Counter>> = LazyLock::new(Family::default);
static CONSUMED: LazyLock<Family<MessageLabels, Counter>> = LazyLock::new(Family::default);

fn durations() -> Durations {
    Family::new_with_constructor(|| Histogram::new(SECONDS))
}

/// The labels are those of the code: no message adds a series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabels {
    messaging_system: &'static str,
    messaging_operation_name: String,
    messaging_destination_name: &'static str,
}

/// Adds the messages and the times of their batches.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_with_unit(
        "messaging_client_operation_duration",
        "Time from the first message of a batch that is sent until the broker has stored the last",
        Unit::Seconds,
        SENDING.clone(),
    );
    registry.register_with_unit(
        "messaging_process_duration",
        "Time to act upon a batch of messages",
        Unit::Seconds,
        PROCESSING.clone(),
    );
    registry.register(
        "messaging_client_sent_messages",
        "Messages sent to the broker",
        SENT.clone(),
    );
    registry.register(
        "messaging_client_consumed_messages",
        "Messages of the broker that were acted upon",
        CONSUMED.clone(),
    );
}

/// What a service does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageOperation {
    /// It gives them to the broker.
    Send,
    /// It acts upon them.
    Process,
}

/// A batch of messages that is sent or processed, until this is dropped: a step in each trace that the
/// messages belong to. Neighbours of one trace, such as the rows of an import, share a step.
#[derive(Debug)]
pub struct MessageSteps {
    operation: MessageOperation,
    labels: MessageLabels,
    started: Instant,
    count: u64,
    has_failed: bool,
    steps: Vec<Span>,
}

impl MessageSteps {
    /// Begins the steps. `traceparents` are those of the messages in their order, `actor` is the part of the
    /// service that acts, and `stream` is where the messages are.
    pub fn begin<'a>(
        operation: MessageOperation,
        actor: &'static str,
        stream: &'static str,
        traceparents: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Self {
        let mut count = 0;
        let counted = traceparents.into_iter().inspect(|_| count += 1);
        let runs = runs(counted.flatten());
        let labels = MessageLabels {
            messaging_system: SYSTEM,
            messaging_operation_name: format!("{} {actor}", operation.name()),
            messaging_destination_name: stream,
        };
        let steps = if export::is_on() {
            let runs = runs.into_iter();
            runs.filter_map(|run| step(operation, &labels, run))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            operation,
            labels,
            started: Instant::now(),
            count,
            has_failed: false,
            steps,
        }
    }

    /// Marks the steps as failed: the messages will come again.
    pub fn fail(&mut self, why: &dyn Display) {
        self.has_failed = true;
        for step in &mut self.steps {
            step.fail(why.to_string());
        }
    }
}

impl Drop for MessageSteps {
    fn drop(&mut self) {
        if self.has_failed {
            return;
        }
        let (durations, messages) = match self.operation {
            MessageOperation::Send => (&SENDING, &SENT),
            MessageOperation::Process => (&PROCESSING, &CONSUMED),
        };
        let seconds = self.started.elapsed().as_secs_f64();
        durations.get_or_create(&self.labels).observe(seconds);
        messages.get_or_create(&self.labels).inc_by(self.count);
    }
}

/// The traces of neighbouring messages, each with how many they are.
fn runs<'a>(traceparents: impl Iterator<Item = &'a str>) -> Vec<(&'a str, i64)> {
    let mut runs: Vec<(&str, i64)> = Vec::new();
    for traceparent in traceparents {
        match runs.last_mut() {
            Some((last, count)) if *last == traceparent => *count += 1,
            _ => runs.push((traceparent, 1)),
        }
    }
    runs
}

/// The step in one trace, where the messages tell a trace.
fn step(
    operation: MessageOperation,
    labels: &MessageLabels,
    (traceparent, count): (&str, i64),
) -> Option<Span> {
    let trace = TraceContext::parse(traceparent)?.child();
    let name = labels.messaging_operation_name.clone();
    let mut span = Span::start(trace, operation.kind(), name);
    span.set("messaging.system", SYSTEM);
    span.set("messaging.operation.type", operation.name());
    span.set(
        "messaging.destination.name",
        labels.messaging_destination_name,
    );
    span.set("messaging.batch.message_count", count);
    Some(span)
}

impl MessageOperation {
    fn kind(self) -> SpanKind {
        match self {
            Self::Send => SpanKind::Producer,
            Self::Process => SpanKind::Consumer,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Process => "process",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_trace_share_a_step() {
        let found = runs(["a", "a", "b", "a"].into_iter());
        assert_eq!(found, [("a", 2), ("b", 1), ("a", 1)]);
    }

    #[test]
    fn what_failed_is_not_counted() {
        let steps = |operation| {
            let traceparents = [Some("00-a"), None, None];
            MessageSteps::begin(operation, "a test", "TEST", traceparents)
        };
        let mut failed = steps(MessageOperation::Send);
        let labels = failed.labels.clone();
        failed.fail(&"no broker");
        drop(failed);
        assert_eq!(SENT.get_or_create(&labels).get(), 0);
        drop(steps(MessageOperation::Send));
        assert_eq!(SENT.get_or_create(&labels).get(), 3);
    }
}
