//! Judges what clients were told by what the event log says. Pure: a history and a part of the log
//! in, violations out.

mod reads;
mod writes;

use std::collections::BTreeMap;

pub(super) use crate::chaos::checker::reads::older;
use catalog_events::Product;
use serde::Serialize;

use crate::chaos::history::{Call, FailureKind, Outcome, Request};
use crate::chaos::schedule::{Fault, Schedule, Target};

/// A broken invariant, and the calls that show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Violation {
    /// `I1` to `I8`.
    pub(super) invariant: &'static str,
    pub(super) text: String,
    pub(super) calls: Vec<u64>,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self {
            invariant,
            text: text.into(),
            calls: Vec::new(),
        }
    }

    fn of_calls(mut self, calls: impl IntoIterator<Item = u64>) -> Self {
        self.calls.extend(calls);
        self
    }
}

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logged {
    pub(super) position: i64,
    pub(super) event_id: String,
    pub(super) product_id: String,
    pub(super) version: i64,
    pub(super) event_type: String,
    /// None after a deletion.
    pub(super) product: Option<Product>,
}

/// What the reads of a schedule amounted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) writes_ok: u64,
    pub(super) writes_unknown: u64,
    pub(super) writes_failed: u64,
    /// Reads with a token whose answer did not say that it is stale: each of them was checked.
    pub(super) token_reads: u64,
    pub(super) stale_answers: u64,
}

/// The log by product and version.
struct Story<'e>(BTreeMap<&'e str, Vec<&'e Logged>>);

impl<'e> Story<'e> {
    fn of(events: &'e [Logged]) -> Self {
        let mut products: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
        for event in events {
            products.entry(&event.product_id).or_default().push(event);
        }
        Self(products)
    }

    fn product(&self, id: &str) -> &[&'e Logged] {
        self.0.get(id).map_or(&[], Vec::as_slice)
    }

    fn at(&self, id: &str, version: i64) -> Option<&'e Logged> {
        let mut events = self.product(id).iter();
        events.find(|event| event.version == version).copied()
    }
}

/// `events` are all events of the products of the history. `idempotent`: whether a write that is
/// sent again under its id must not happen again.
pub(super) fn judge(
    calls: &[Call],
    events: &[Logged],
    schedule: &Schedule,
    idempotent: bool,
) -> (Vec<Violation>, Counts) {
    let story = Story::of(events);
    let mut counts = Counts::default();
    let mut violations = Vec::new();
    writes::judge(calls, &story, idempotent, &mut violations, &mut counts);
    reads::judge(calls, &story, &mut violations, &mut counts);
    for call in calls {
        violations.extend(untyped(call, schedule));
    }
    (violations, counts)
}

/// I8: whatever went wrong was told in a form that a client can act on, in time.
fn untyped(call: &Call, schedule: &Schedule) -> Option<Violation> {
    let failure = call.outcome.failure()?;
    let blamed = match failure.kind {
        FailureKind::Refused | FailureKind::Unavailable => return None,
        FailureKind::Wrong => "an error that is not typed or not expected",
        FailureKind::Hang => "no answer in time",
        FailureKind::Connection if may_be_gone(call, schedule) => return None,
        FailureKind::Connection => "a connection failed whose service nobody had ended",
    };
    let after_ms = call.to_ms.saturating_sub(call.from_ms);
    let text = format!("{blamed}, after {after_ms} ms: {}", failure.text);
    Some(Violation::new("I8", text).of_calls([call.call]))
}

/// Whether the schedule ended the process that the client talks to.
fn may_be_gone(call: &Call, schedule: &Schedule) -> bool {
    let target = match (&call.request, call.over_http()) {
        (_, true) => Target::Bff,
        (Request::Get { .. } | Request::Search { .. }, false) => Target::Query,
        (_, false) => Target::Command,
    };
    // A service that starts while its database is away ends, and is started again until it is back.
    let fragile = target != Target::Bff && schedule.ends(Target::Postgres);
    fragile || schedule.ends(target)
}

impl Schedule {
    fn ends(&self, target: Target) -> bool {
        self.strikes.iter().any(|strike| {
            strike.fault == Fault::Kill(target) || strike.fault == Fault::Restart(target)
        })
    }
}

fn is_ok(call: &Call) -> bool {
    matches!(call.outcome, Outcome::Ok(_))
}

#[cfg(test)]
mod tests;
