//! The limits of every call, and the outcome of a call without a good answer.

use crate::chaos::history::{Failure, FailureKind, Outcome};

/// The deadline that a client gives a service; services answer sooner, or say that they cannot.
pub(super) const DEADLINE_MS: u64 = 5_000;
/// The time after which a client gives up on a service that did not even report its deadline; a
/// slow machine is no excuse.
pub(super) const HANG_MS: u64 = 12_000;

pub(super) fn unknown(kind: FailureKind, text: impl Into<String>) -> Outcome {
    let text = text.into();
    Outcome::Unknown(Failure { kind, text })
}

pub(super) fn fail(text: impl Into<String>) -> Outcome {
    Outcome::Fail(Failure {
        kind: FailureKind::Refused,
        text: text.into(),
    })
}

/// An error with all its sources, since the outer one alone says little.
pub(super) fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
