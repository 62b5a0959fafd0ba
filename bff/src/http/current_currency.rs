//! Prices that are stated without their currency: `19.99` is 1999 minor units only in a currency
//! with cents.
//!
//! Invariant: the write is bound to the version at which the currency was read. When that changes
//! in between, the price is held against the new one; it is never taken for another amount.

use std::future::Future;
use std::time::Duration;

use catalog_events::{Money, ProductId};
use catalog_proto::v1;
use tonic::{Code, Status};

use crate::http::Api;
use crate::http::version::IfMatch;
use crate::price::Decimal;
use crate::problem::Problem;
use crate::upstream::Caller;

/// The read side may lag behind: so often it is asked before its answer counts.
const TRIES_MAX: u32 = 3;

pub(super) async fn in_current_currency<F>(
    api: &Api,
    caller: &Caller,
    id: &ProductId,
    if_match: IfMatch,
    price: &Decimal,
    write: impl Fn(Money, i64) -> F,
) -> Result<v1::Product, Problem>
where
    F: Future<Output = Result<v1::Product, Status>>,
{
    let tries = async {
        let mut attempt = 1;
        loop {
            match try_once(api, caller, id, if_match, price, &write).await {
                Err(Failure::Behind(_)) if attempt < TRIES_MAX => {
                    tokio::time::sleep(service_kit::backoff(attempt)).await;
                    attempt += 1;
                }
                Err(Failure::Behind(problem) | Failure::Final(problem)) => return Err(problem),
                Ok(product) => return Ok(product),
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
) -> Result<v1::Product, Failure>
where
    F: Future<Output = Result<v1::Product, Status>>,
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
        .get_product(caller, id)
        .await
        .map_err(failure)?;
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
