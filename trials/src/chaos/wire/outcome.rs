//! The limits of every call, and what a call without a good answer amounts to.

use crate::chaos::history::{Failure, FailureKind, Outcome};

/// What a client gives a service; services answer sooner, or say that they cannot.
pub(super) const DEADLINE_MS: u64 = 5_000;
/// When a client gives up on a service that did not even say that: a slow machine has no excuse.
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

/// The whole chain, since the outer error alone says little.
pub(super) fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
