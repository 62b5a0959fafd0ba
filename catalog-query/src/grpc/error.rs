//! Turns the errors of the read side into gRPC statuses, here and nowhere else. Internals are logged
//! and hidden from the caller.

use catalog_proto::encoded::Malformed;
use service_kit::status;
use tonic::{Code, Status};

use crate::consistency::ExpectationError;
use crate::events::LogError;
use crate::generations::RebuildError;
use crate::index::IndexError;
use crate::read_model::RepositoryError;
use crate::search::{InvalidField, MiningError, SearchError};
use crate::verification::VerificationError;

pub(crate) fn not_found() -> Status {
    status(Code::NotFound, "PRODUCT_NOT_FOUND", "no such product", [])
}

pub(crate) fn not_serving_yet() -> Status {
    let message = "the read model of this release is still being built";
    status(Code::Unavailable, "READ_MODEL_NOT_READY", message, [])
}

pub(crate) fn invalid(field: &str, reason: impl Into<String>) -> Status {
    let reason = reason.into();
    let message = format!("{field}: {reason}");
    status(
        Code::InvalidArgument,
        "INVALID_REQUEST",
        message,
        [(field.to_owned(), reason)],
    )
}

/// A request with several fields at fault, as (field, reason).
pub(crate) fn invalid_fields(violations: Vec<(&str, String)>) -> Status {
    let told = violations
        .iter()
        .map(|(field, reason)| format!("{field}: {reason}"));
    let message = told.collect::<Vec<_>>().join("; ");
    let violations = violations.into_iter();
    status(
        Code::InvalidArgument,
        "INVALID_REQUEST",
        message,
        violations.map(|(field, reason)| (field.to_owned(), reason)),
    )
}

pub(crate) fn invalid_field(err: InvalidField) -> Status {
    invalid(&err.field, err.reason)
}

pub(crate) fn expectation_status(err: ExpectationError) -> Status {
    let field = match err {
        ExpectationError::TooMany | ExpectationError::Token { .. } => "consistency_tokens",
        ExpectationError::NegativeWait => "consistency_wait_ms",
    };
    invalid(field, err.to_string())
}

/// A product that was encoded here and cannot be read.
pub(crate) fn malformed(err: Malformed) -> Status {
    internal(&err)
}

pub(crate) fn repository_status(err: RepositoryError) -> Status {
    unavailable(err)
}

pub(crate) fn database_status(err: sqlx::Error) -> Status {
    unavailable(err)
}

pub(crate) fn search_status(err: SearchError) -> Status {
    match err {
        SearchError::EmptyQuery => invalid("query", "is empty"),
        SearchError::QueryTooLong { .. } => invalid("query", err.to_string()),
        SearchError::PageToken(_) => invalid("page_token", err.to_string()),
        SearchError::UnknownProfile => invalid("ranking_profile", err.to_string()),
        SearchError::Late(_) => unavailable(err),
        SearchError::Unavailable(source) => match source.downcast_ref::<IndexError>() {
            Some(not_built @ IndexError::NotBuilt { .. }) => {
                let message = not_built.to_string();
                status(Code::Unavailable, "KEYWORD_INDEX_NOT_READY", message, [])
            }
            Some(no_bound @ IndexError::NoBound(name)) => {
                invalid(&format!("parameter.{name}"), no_bound.to_string())
            }
            _ => unavailable(SearchError::Unavailable(source)),
        },
    }
}

pub(crate) fn rebuild_status(err: RebuildError) -> Status {
    let message = err.to_string();
    match err {
        RebuildError::Busy => status(Code::Aborted, "REBUILD_UNDER_WAY", message, []),
        RebuildError::Differs { .. } => {
            status(Code::FailedPrecondition, "REBUILD_DIFFERS", message, [])
        }
        RebuildError::NothingToRollBackTo => status(
            Code::FailedPrecondition,
            "NOTHING_TO_ROLL_BACK_TO",
            message,
            [],
        ),
        RebuildError::Contended
        | RebuildError::Log(_)
        | RebuildError::Consumer(_)
        | RebuildError::Database(_)
        | RebuildError::Verification(_)
        | RebuildError::Index(_)
        | RebuildError::Embedding(_)
        | RebuildError::Other(_) => {
            let chain = format!("{:#}", anyhow::Error::new(err));
            tracing::error!("rebuild failed: {chain}");
            status(
                Code::Unavailable,
                "REBUILD_FAILED",
                format!("nothing was switched: {message}"),
                [],
            )
        }
    }
}

pub(crate) fn verification_status(err: VerificationError) -> Status {
    let message = err.to_string();
    match err {
        VerificationError::Database(err) => unavailable(err),
        VerificationError::NoLog => status(Code::FailedPrecondition, "LOG_UNKNOWN", message, []),
        VerificationError::Log(LogError::NotThereYet(_)) => {
            status(Code::OutOfRange, "LOG_BEHIND", message, [])
        }
        VerificationError::Log(LogError::Unavailable(_) | LogError::Answer(_)) => {
            tracing::warn!("{message}");
            status(Code::Unavailable, "LOG_UNAVAILABLE", message, [])
        }
        VerificationError::Busy => {
            status(Code::ResourceExhausted, "VERIFICATION_BUSY", message, [])
        }
        VerificationError::NotRead => {
            status(Code::DeadlineExceeded, "ANSWERS_NOT_READ", message, [])
        }
        VerificationError::Index(err) => internal(&err),
        VerificationError::Panicked(err) => internal(&err),
    }
}

pub(crate) fn mining_status(err: MiningError) -> Status {
    let message = err.to_string();
    match err {
        MiningError::NoModel => status(Code::FailedPrecondition, "NO_MODEL", message, []),
        MiningError::NotRead => status(Code::Cancelled, "ANSWERS_NOT_READ", message, []),
        MiningError::Embed(err) => unavailable(err),
        MiningError::Index(err) => internal(&err),
        MiningError::Panicked(err) => internal(&err),
    }
}

pub(crate) fn internal(err: &dyn std::error::Error) -> Status {
    tracing::error!("{err}");
    status(Code::Internal, "INTERNAL", "the query service failed", [])
}

fn unavailable(err: impl std::error::Error + Send + Sync + 'static) -> Status {
    tracing::error!("{:#}", anyhow::Error::new(err));
    status(
        Code::Unavailable,
        "READ_MODEL_UNAVAILABLE",
        "the catalog is not available",
        [],
    )
}
