//! Sends a request until it is answered. A read may be sent again at any time, and so may a write, for it
//! has an idempotency key.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::{Error, Problem};

/// How often a request is sent at most.
const TRIES_MAX: u32 = 5;
const PAUSE_MS: u64 = 100;
const RETRY_AFTER_S_MAX: u64 = 30;

/// Sends a request, and again where it was not answered or should come again.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, Error> {
    let mut tries = 1;
    loop {
        // A body that is a stream can be sent once.
        let again = request.try_clone().filter(|_| tries < TRIES_MAX);
        let Some(again) = again else {
            return answered(request.send().await).await;
        };
        let pause = match again.send().await {
            Ok(response) if is_for_now(response.status()) => {
                stated_pause(response.headers()).unwrap_or_else(|| pause(tries))
            }
            Err(err) if !err.is_builder() => pause(tries),
            answer => return answered(answer).await,
        };
        tokio::time::sleep(pause).await;
        tries += 1;
    }
}

async fn answered(answer: Result<Response, reqwest::Error>) -> Result<Response, Error> {
    let response = answer.map_err(Error::NoAnswer)?;
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    let problem: Problem = json(response).await?;
    Err(Error::Problem(Box::new(problem)))
}

/// Reads an answer whole.
pub(crate) async fn json<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let status = response.status();
    let body = response.bytes().await.map_err(Error::NoAnswer)?;
    serde_json::from_slice(&body).map_err(|err| Error::Unreadable(format!("{status}: {err}")))
}

fn is_for_now(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

fn stated_pause(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(RETRY_AFTER_S_MAX)))
}

/// Grows with the tries, and differs between clients: they must not come again all at once.
fn pause(tries: u32) -> Duration {
    let most = PAUSE_MS << tries;
    Duration::from_millis(fastrand::u64(most / 2..=most))
}
