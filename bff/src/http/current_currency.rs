//! Prices that are stated without their currency: `19.99` is 1999 minor units only in a currency
//! with cents.
//!
//! Invariant: the write is bound to the version at which the currency was read. When that changes
//! in between, the price is held against the new one; it is never taken for another amount.
//!
//! A write that is sent again derives another version, perhaps another amount, from the same body.
//! So it carries a digest of what the client stated, by which the write service knows it again, and
//! asks for an earlier answer before anything is read, and once more before it is refused.

use std::future::Future;
use std::time::Duration;

use catalog_events::{Currency, Money, ProductId};
use tonic::{Code, Status};

use crate::http::Api;
use crate::http::idempotency::RequestId;
use crate::http::version::IfMatch;
use crate::price::Decimal;
use crate::problem::Problem;
use crate::upstream::{Caller, Statement, Written};

/// The read side may lag behind: so often it is asked before its answer counts.
const TRIES_MAX: u32 = 3;
/// No product gets there: a write at it finds an earlier answer or changes nothing.
const VERSION_NEVER: i64 = i64::MAX;

/// What the client stated where the price is to be derived; none where nobody can repeat it.
pub(super) fn statement(
    request_id: &RequestId,
    price: &Decimal,
    if_match: IfMatch,
) -> Option<Statement> {
    request_id.is_given().then(|| {
        let version = if_match.version().unwrap_or_default();
        Statement::of([price.as_str(), &version.to_string()])
    })
}

/// With a statement in `caller`, `write` is one that can be repeated.
pub(super) async fn in_current_currency<F>(
    api: &Api,
    caller: &Caller,
    id: &ProductId,
    if_match: IfMatch,
    price: &Decimal,
    write: impl Fn(Money, i64) -> F,
) -> Result<Written, Problem>
where
    F: Future<Output = Result<Written, Status>>,
{
    let repeatable = caller.derived_from.is_some();
    let tries = async {
        if repeatable && let Some(earlier) = earlier_answer(&write).await? {
            return Ok(earlier);
        }
        let mut attempt = 1;
        loop {
            match try_once(api, caller, id, if_match, price, &write).await {
                Err(Failure::Behind(_)) if attempt < TRIES_MAX => {
                    tokio::time::sleep(service_kit::backoff(attempt)).await;
                    attempt += 1;
                }
                Err(Failure::Behind(problem) | Failure::Final(problem)) => {
                    // The same request may have been on its way when it was asked for, and is what
                    // stands in the way of this one.
                    if repeatable && let Ok(Some(earlier)) = earlier_answer(&write).await {
                        return Ok(earlier);
                    }
                    return Err(problem);
                }
                Ok(written) => return Ok(written),
            }
        }
    };
    let late = |_| Problem::of_status(&Status::deadline_exceeded("the write took too long"), false);
    let deadline: Duration = api.upstream.write_deadline();
    tokio::time::timeout(deadline, tries)
        .await
        .map_err(late)
        .flatten()
}

/// Of the same request, sent before. The write service knows best whether the product exists.
async fn earlier_answer<F>(write: impl Fn(Money, i64) -> F) -> Result<Option<Written>, Problem>
where
    F: Future<Output = Result<Written, Status>>,
{
    let nothing = Money::from_minor(0, Currency::USD).map_err(Problem::internal)?;
    match write(nothing, VERSION_NEVER).await {
        Ok(earlier) => Ok(Some(earlier)),
        Err(status) if status.code() == Code::Aborted => Ok(None),
        Err(status) => Err(Problem::of_status(&status, false)),
    }
}

enum Failure {
    /// Another try may find the read side further on.
    Behind(Problem),
    Final(Problem),
}

async fn try_once<F>(
    api: &Api,
    caller: &Caller,
    id: &ProductId,
    if_match: IfMatch,
    price: &Decimal,
    write: impl Fn(Money, i64) -> F,
) -> Result<Written, Failure>
where
    F: Future<Output = Result<Written, Status>>,
{
    let expected = if_match.version();
    let failure = |status: Status| {
        let lags = match status.code() {
            Code::NotFound => true,
            Code::Aborted => expected.is_none(),
            _ => false,
        };
        let problem = Problem::of_status(&status, if_match.is_present());
        if lags {
            Failure::Behind(problem)
        } else {
            Failure::Final(problem)
        }
    };
    let current = api
        .upstream
        .get_product(caller, id, Vec::new())
        .await
        .map_err(failure)?
        .product;
    match expected {
        Some(expected) if expected < current.version => {
            return Err(Failure::Final(Problem::precondition_failed()));
        }
        Some(expected) if expected > current.version => {
            return Err(Failure::Behind(Problem::precondition_failed()));
        }
        Some(_) | None => {}
    }
    let price = current
        .currency
        .parse()
        .and_then(|currency| price.in_currency(currency));
    let price = price.map_err(|err| Failure::Final(Problem::invalid_field("/price", err)))?;
    write(price, current.version).await.map_err(failure)
}
