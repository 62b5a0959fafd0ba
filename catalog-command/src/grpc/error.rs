//! The one place where the write side's errors become gRPC statuses. Internals are logged here and
//! hidden from the caller.

use service_kit::status;
use tonic::{Code, Status};

use crate::commands::{CommandError, ExportError, HistoryError};
use crate::domain::{KeyRejection, Rejection, RuleRejection, Violation, WebhookRejection};
use crate::store::{LogError, Obstacle};

pub(crate) fn command_status(err: CommandError) -> Status {
    match err {
        CommandError::Rejected(rejection) => rejection_status(rejection),
        CommandError::RuleRejected(rejection) => rule_rejection_status(rejection),
        CommandError::KeyRejected(rejection) => key_rejection_status(rejection),
        CommandError::WebhookRejected(rejection) => webhook_rejection_status(rejection),
        CommandError::Random(err) => {
            tracing::error!("{err}");
            let message = "the write service cannot make secrets";
            status(Code::Internal, "NO_RANDOM_NUMBERS", message, [])
        }
        CommandError::RequestIdReused => {
            let (field, problem) = ("request_id", "was used for another request");
            status(
                Code::InvalidArgument,
                "REQUEST_ID_REUSED",
                err.to_string(),
                [(field.to_owned(), problem.to_owned())],
            )
        }
        CommandError::Contended => status(Code::Aborted, "CONTENDED", err.to_string(), []),
        CommandError::Database(err) => database_status(err),
    }
}

pub(crate) fn history_status(err: HistoryError) -> Status {
    match err {
        HistoryError::NotFound => rejection_status(Rejection::NotFound),
        HistoryError::Backlog => status(Code::Unavailable, "EVENTS_PENDING", err.to_string(), []),
        HistoryError::Database(err) => database_status(err),
    }
}

pub(crate) fn export_status(err: ExportError) -> Status {
    match err {
        ExportError::Beyond { .. } => {
            let reason = err.to_string();
            let violation = [("position".to_owned(), reason.clone())];
            let message = format!("the position {reason}");
            status(Code::InvalidArgument, "BEYOND_THE_LOG", message, violation)
        }
        ExportError::Log(err) => log_status(err),
    }
}

pub(crate) fn invalid_request(violations: Vec<Violation>) -> Status {
    invalid("INVALID_PRODUCT", violations)
}

pub(crate) fn invalid_rule(violations: Vec<Violation>) -> Status {
    invalid("INVALID_RULE", violations)
}

pub(crate) fn invalid_export(violations: Vec<Violation>) -> Status {
    invalid("INVALID_EXPORT", violations)
}

pub(crate) fn invalid_follow(violations: Vec<Violation>) -> Status {
    invalid("INVALID_REQUEST", violations)
}

pub(crate) fn invalid_key(violations: Vec<Violation>) -> Status {
    invalid("INVALID_KEY", violations)
}

pub(crate) fn invalid_webhook(violations: Vec<Violation>) -> Status {
    invalid("INVALID_WEBHOOK", violations)
}

fn invalid(reason: &str, violations: Vec<Violation>) -> Status {
    let summary = violations
        .first()
        .map_or("the request is not valid".to_owned(), |first| {
            format!("{}: {}", first.field, first.reason)
        });
    let pairs = violations.into_iter().map(|one| (one.field, one.reason));
    status(Code::InvalidArgument, reason, summary, pairs)
}

pub(crate) fn database_status(err: sqlx::Error) -> Status {
    if let Some(obstacle) = Obstacle::of(&err) {
        return obstacle_status(obstacle, err);
    }
    // Without a connection nothing was done; one that broke may have carried a commit.
    let reason = match err {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => "STORE_UNAVAILABLE",
        _ => "OUTCOME_UNKNOWN",
    };
    let err = anyhow::Error::new(err);
    tracing::error!("database: {err:#}");
    status(
        Code::Unavailable,
        reason,
        "the catalog's database is not available",
        [],
    )
}

/// The status of a request that met an obstacle. Nothing was written: it may come again.
fn obstacle_status(obstacle: Obstacle, err: sqlx::Error) -> Status {
    tracing::warn!("database: {:#}", anyhow::Error::new(err));
    let (reason, message) = match obstacle {
        Obstacle::Lock => (
            "LOCK_TIMEOUT",
            "another write holds this product, request id, the rules, the keys or the webhooks for too long: try again",
        ),
        Obstacle::Idle => (
            "TRANSACTION_TIMEOUT",
            "the write stood still for too long and was given up: try again",
        ),
        Obstacle::Statement => (
            "STATEMENT_TIMEOUT",
            "reading this took too long and was given up: try again",
        ),
    };
    status(Code::Unavailable, reason, message, [])
}

pub(crate) fn log_status(err: LogError) -> Status {
    match err {
        LogError::Database(err) => database_status(err),
        LogError::Corrupt(_) => {
            let message = err.to_string();
            tracing::error!("{message}");
            status(Code::DataLoss, "LOG_CORRUPT", message, [])
        }
    }
}

pub(crate) fn rejection_status(rejection: Rejection) -> Status {
    let message = rejection.to_string();
    match rejection {
        Rejection::NotFound => status(Code::NotFound, "PRODUCT_NOT_FOUND", message, []),
        Rejection::AlreadyExists => status(Code::AlreadyExists, "PRODUCT_EXISTS", message, []),
        Rejection::MustNotExist { .. } => status(Code::Aborted, "PRODUCT_EXISTS", message, []),
        Rejection::VersionMismatch { .. } | Rejection::Missing { .. } => {
            status(Code::Aborted, "VERSION_MISMATCH", message, [])
        }
        Rejection::Invalid(violations) => invalid_request(violations),
    }
}

fn rule_rejection_status(rejection: RuleRejection) -> Status {
    let message = rejection.to_string();
    match rejection {
        RuleRejection::NotFound => status(Code::NotFound, "RULE_NOT_FOUND", message, []),
        RuleRejection::Exists => status(Code::Aborted, "RULE_EXISTS", message, []),
        RuleRejection::Missing { .. } => status(Code::Aborted, "VERSION_MISMATCH", message, []),
        RuleRejection::VersionMismatch { .. } => {
            status(Code::Aborted, "VERSION_MISMATCH", message, [])
        }
        RuleRejection::TooMany => status(Code::ResourceExhausted, "TOO_MANY_RULES", message, []),
    }
}

fn key_rejection_status(rejection: KeyRejection) -> Status {
    let message = rejection.to_string();
    match rejection {
        KeyRejection::NotFound => status(Code::NotFound, "KEY_NOT_FOUND", message, []),
        KeyRejection::Invalid(violations) => invalid_key(violations),
        KeyRejection::VersionMismatch { .. } => {
            status(Code::Aborted, "VERSION_MISMATCH", message, [])
        }
        KeyRejection::Revoked => status(Code::FailedPrecondition, "KEY_REVOKED", message, []),
        KeyRejection::Expired => status(Code::FailedPrecondition, "KEY_EXPIRED", message, []),
        KeyRejection::TooMany => status(Code::ResourceExhausted, "TOO_MANY_KEYS", message, []),
    }
}

fn webhook_rejection_status(rejection: WebhookRejection) -> Status {
    let message = rejection.to_string();
    match rejection {
        WebhookRejection::NotFound => status(Code::NotFound, "WEBHOOK_NOT_FOUND", message, []),
        WebhookRejection::Invalid(violations) => invalid_webhook(violations),
        WebhookRejection::VersionMismatch { .. } => {
            status(Code::Aborted, "VERSION_MISMATCH", message, [])
        }
        WebhookRejection::TooMany => {
            status(Code::ResourceExhausted, "TOO_MANY_WEBHOOKS", message, [])
        }
        WebhookRejection::Beyond { field, .. } => {
            let violation = [(field.to_owned(), message.clone())];
            status(Code::OutOfRange, "BEYOND_THE_LOG", message, violation)
        }
    }
}
