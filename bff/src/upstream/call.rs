//! One call of an upstream: within its deadline, and with a name for what the transport leaves open.

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use service_kit::{TOKEN_MISSING, TOKEN_UNKNOWN};
use tonic::metadata::MetadataMap;
use tonic::{Code, ConnectError, Request, Response, Status, TimeoutExpired};

use crate::upstream::caller::Caller;

/// How long the read side waits for the writes of consistency tokens.
pub(crate) const CONSISTENCY_WAIT: Duration = Duration::from_millis(250);

/// Sends `message` by `rpc` on behalf of `caller`.
pub(super) async fn call<M, A, F>(
    caller: &Caller,
    deadline: Duration,
    message: M,
    rpc: impl FnOnce(Request<M>) -> F,
) -> Result<A, Status>
where
    F: Future<Output = Result<Response<A>, Status>>,
{
    let response = call_for_response(caller, deadline, message, rpc).await?;
    Ok(response.into_inner())
}

/// Makes a call whose answer's metadata matters too.
pub(super) async fn call_for_response<M, A, F>(
    caller: &Caller,
    deadline: Duration,
    message: M,
    rpc: impl FnOnce(Request<M>) -> F,
) -> Result<Response<A>, Status>
where
    F: Future<Output = Result<Response<A>, Status>>,
{
    within(deadline, rpc(caller.request(message, deadline))).await
}

/// Whether the answer, or the error, is older than the tokens of its request.
pub(crate) fn is_stale(metadata: &MetadataMap) -> bool {
    metadata
        .get("catalog-stale")
        .is_some_and(|stale| stale == "true")
}

/// Whether a write that ended so may have been done all the same: it was on its way, and no answer came.
pub(crate) fn is_outcome_unknown(status: &Status) -> bool {
    match status.code() {
        Code::DeadlineExceeded => true,
        // The write service lost its database in the middle.
        Code::Unavailable if status.source().is_none() => {
            service_kit::reason(status).as_deref() == Some("OUTCOME_UNKNOWN")
        }
        Code::Unavailable => !never_left(status),
        _ => false,
    }
}

/// Whether there was no connection to send a request by.
fn never_left(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(err) = source {
        if err.is::<ConnectError>() {
            return true;
        }
        source = err.source();
    }
    false
}

/// The time for a read that may first have to wait for the writes of `tokens`.
pub(super) fn patient(deadline: Duration, tokens: &[String]) -> Duration {
    if tokens.is_empty() {
        deadline
    } else {
        deadline + CONSISTENCY_WAIT
    }
}

/// Keeps the deadline here: the server is told it, but may be gone or too slow to keep it.
async fn within<A>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<A>, Status>>,
) -> Result<Response<A>, Status> {
    match tokio::time::timeout(deadline, call).await {
        Ok(answer) => answer.map_err(named),
        Err(_) => Err(Status::deadline_exceeded(
            "the upstream did not answer in time",
        )),
    }
}

/// Names what is not for the client to mend.
///
/// An upstream that refuses the BFF's own token is not available, whatever the client has shown. Beside
/// that, this gives a telling code to a status that the transport made as CANCELLED, INTERNAL or UNKNOWN. Only
/// such a status has a source. What a server answers stays as it is, except for its words for a late
/// answer.
fn named(status: Status) -> Status {
    if status.code() == Code::Unauthenticated && is_about_our_token(&status) {
        tracing::error!(
            "an upstream refuses BFF_SERVICE_TOKEN: {}",
            status.message()
        );
        return Status::unavailable("the upstream refuses the token of the BFF");
    }
    let late = TimeoutExpired(()).to_string();
    let code = match (status.code(), status.source()) {
        (Code::Cancelled, _) if status.message() == late => Code::DeadlineExceeded,
        (Code::Cancelled | Code::Internal | Code::Unknown, Some(_)) => Code::Unavailable,
        _ => return status,
    };
    let mut renamed = Status::new(code, status.message());
    renamed.set_source(Arc::new(status));
    renamed
}

fn is_about_our_token(status: &Status) -> bool {
    let reason = service_kit::reason(status);
    matches!(reason.as_deref(), Some(TOKEN_MISSING | TOKEN_UNKNOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: Status, expected: Code) {
        assert_eq!(named(status).code(), expected);
    }

    fn from_transport(code: Code) -> Status {
        let mut status = Status::new(code, "broken pipe");
        status.set_source(Arc::new(std::io::Error::other("broken pipe")));
        status
    }

    #[test]
    fn names_what_the_transport_leaves_open() {
        check(Status::cancelled("Timeout expired"), Code::DeadlineExceeded);
        check(Status::cancelled("the client went away"), Code::Cancelled);
        check(Status::unknown("the server said so"), Code::Unknown);
        check(Status::internal("the server said so"), Code::Internal);
        check(from_transport(Code::Unknown), Code::Unavailable);
        check(from_transport(Code::Cancelled), Code::Unavailable);
        check(from_transport(Code::Internal), Code::Unavailable);
        check(from_transport(Code::NotFound), Code::NotFound);
        let refused = service_kit::status(Code::Unauthenticated, TOKEN_UNKNOWN, "no", []);
        check(refused, Code::Unavailable);
        check(Status::unauthenticated("no"), Code::Unauthenticated);
    }

    /// The transport's own timer ends with the head of an answer: a server that sends no more than
    /// the head would never be late.
    #[tokio::test]
    async fn an_answer_that_never_ends_is_late() {
        let never = std::future::pending::<Result<Response<()>, Status>>();
        let status = within(Duration::from_millis(1), never)
            .await
            .expect_err("late");
        assert_eq!(status.code(), Code::DeadlineExceeded);
    }
}
