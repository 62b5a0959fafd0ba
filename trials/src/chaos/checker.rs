//! Judges what clients were told against what the event log says. It is pure: a history and a part
//! of the log go in, violations come out.

mod reads;
mod writes;

use crate::chaos::history::{Call, FailureKind, Request};
use crate::chaos::logged::{Logged, Story};
use crate::chaos::schedule::{Fault, Schedule, Target};
use crate::chaos::violation::{Counts, Violation};

pub(super) use crate::chaos::checker::reads::older;

/// Judges the calls of a history. `events` are all events of its products; `idempotent` says
/// whether a write that is sent again under its id must happen only once.
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

/// I8: every failure was reported in time and in a form that a client can act on.
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
    // A service that starts while its database is down ends, and is started again until the
    // database is back.
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

#[cfg(test)]
mod tests;
