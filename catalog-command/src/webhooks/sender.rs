//! One delivery: a signed POST by the specification Standard Webhooks, and what its answer means. Redirects
//! are not followed, and of the answer only the status counts.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio_rustls::TlsConnector;

use crate::domain::{Reach, SigningSecret, StoredWebhook};
use crate::webhooks::connector::HookConnector;

const AGENT: &str = concat!("catalog-webhooks/", env!("CARGO_PKG_VERSION"));
/// An answer that is longer loses its connection: it is read only so that this can be used again.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
const HEAD_BYTES_MAX: usize = 32 * 1024;
const IDLE_CONNECTIONS_MAX: usize = 8;
const IDLE_S_MAX: u64 = 30;
/// The longest wait that an endpoint may ask for: a person can pause it for longer.
const RETRY_AFTER_S_MAX: u64 = 24 * 3_600;
const ERROR_CHARS_MAX: usize = 300;

/// Delivers. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client<HookConnector, Full<Bytes>>,
    timeout: Duration,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Delivered {
        status: u16,
    },
    /// The endpoint says that it is gone for good.
    Gone,
    Failed {
        status: Option<u16>,
        error: String,
        retry_after: Option<Duration>,
    },
}

/// To whom, and what requests are signed with.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: String,
    secret: SigningSecret,
    previous: Option<(SigningSecret, OffsetDateTime)>,
}

impl Endpoint {
    pub(crate) fn of(hook: &StoredWebhook) -> Self {
        Self {
            url: hook.webhook.url.clone(),
            secret: hook.secret,
            previous: hook.previous.zip(hook.webhook.previous_until),
        }
    }

    /// The signatures that are valid at this time, with the newest secret first.
    fn signatures(&self, id: &str, now: OffsetDateTime, body: &[u8]) -> Option<String> {
        let previous = self.previous.filter(|(_, until)| now < *until);
        let secrets = [Some(self.secret), previous.map(|(secret, _)| secret)];
        let mut signatures = Vec::with_capacity(secrets.len());
        for secret in secrets.into_iter().flatten() {
            let signer = standardwebhooks::Webhook::from_bytes(secret.0.to_vec()).ok()?;
            signatures.push(signer.sign(id, now.unix_timestamp(), body).ok()?);
        }
        Some(signatures.join(" "))
    }
}

impl Sender {
    /// Without TLS, deliveries by https fail for the reason that is stated.
    pub(crate) fn new(reach: Reach, tls: Result<TlsConnector, String>, timeout: Duration) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_S_MAX))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(HookConnector { reach, tls });
        Self { client, timeout }
    }

    /// Sends it once.
    pub(crate) async fn send(&self, to: &Endpoint, id: &str, body: Bytes) -> Outcome {
        let request = match request(to, id, body, OffsetDateTime::now_utc()) {
            Ok(request) => request,
            Err(err) => return failed(format!("cannot be called: {err}")),
        };
        let answered = tokio::time::timeout(self.timeout, self.exchange(request)).await;
        answered.unwrap_or_else(|_| {
            let ms = self.timeout.as_millis();
            failed(format!("did not answer within {ms} ms"))
        })
    }

    /// Sends it once and tells how long that took.
    pub(crate) async fn try_out(
        &self,
        to: &Endpoint,
        id: &str,
        body: Bytes,
    ) -> (Outcome, Duration) {
        let started = Instant::now();
        let outcome = self.send(to, id, body).await;
        (outcome, started.elapsed())
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Outcome {
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(err) => return failed(cause(&err)),
        };
        let status = response.status();
        let retry_after = retry_after(response.headers(), OffsetDateTime::now_utc());
        // The outcome is known: what is left to read is for the sake of the connection.
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        let _ = body.collect().await;
        judge(status, retry_after)
    }
}

fn request(
    to: &Endpoint,
    id: &str,
    body: Bytes,
    now: OffsetDateTime,
) -> Result<Request<Full<Bytes>>, String> {
    let signatures = to.signatures(id, now, &body).ok_or("it cannot be signed")?;
    Request::post(&to.url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .header(HEADER_WEBHOOK_ID, id)
        .header(HEADER_WEBHOOK_TIMESTAMP, now.unix_timestamp())
        .header(HEADER_WEBHOOK_SIGNATURE, signatures)
        .body(Full::new(body))
        .map_err(|err| err.to_string())
}

fn judge(status: StatusCode, retry_after: Option<Duration>) -> Outcome {
    let code = status.as_u16();
    let error = match status {
        StatusCode::GONE => return Outcome::Gone,
        _ if status.is_success() => return Outcome::Delivered { status: code },
        _ if status.is_redirection() => {
            format!("answered {code}: redirects are not followed, state the address that it names")
        }
        _ => format!("answered {code}"),
    };
    Outcome::Failed {
        status: Some(code),
        error,
        retry_after,
    }
}

/// The wait that an answer asks for, in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        // RFC 9110 writes GMT, RFC 2822 numbers; they are the same.
        Err(_) => {
            let date = text.replace("GMT", "+0000");
            let until = OffsetDateTime::parse(&date, &Rfc2822).ok()?;
            u64::try_from((until - now).whole_seconds()).ok()?
        }
    };
    Some(Duration::from_secs(seconds.min(RETRY_AFTER_S_MAX)))
}

fn failed(error: String) -> Outcome {
    Outcome::Failed {
        status: None,
        error: error.chars().take(ERROR_CHARS_MAX).collect(),
        retry_after: None,
    }
}

/// The innermost cause, which says what is wrong; those around it say only that something is.
fn cause(err: &(dyn Error + 'static)) -> String {
    let mut innermost = err;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let judged = |code| judge(StatusCode::from_u16(code).expect("status"), None);
        assert_eq!(judged(204), Outcome::Delivered { status: 204 });
        assert_eq!(judged(410), Outcome::Gone);
        for code in [100, 301, 302, 307, 400, 404, 429, 500, 503] {
            let Outcome::Failed { status, error, .. } = judged(code) else {
                panic!("{code} is a failure");
            };
            assert_eq!(status, Some(code));
            assert!(error.starts_with(&format!("answered {code}")), "{error}");
        }
    }

    #[test]
    fn an_endpoint_says_when_to_come_again() {
        let told = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("ASCII"));
            retry_after(&headers, NOW).map(|wait| wait.as_secs())
        };
        assert_eq!(told("120"), Some(120));
        assert_eq!(told("999999999"), Some(24 * 3_600));
        assert_eq!(told("Thu, 01 Jan 2026 00:01:00 GMT"), Some(60));
        for nothing in ["", "soon", "-1", "Wed, 31 Dec 2025 23:59:00 GMT"] {
            assert_eq!(told(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn requests_are_signed_with_every_secret_that_is_valid() {
        let (new, old) = (SigningSecret([2; 32]), SigningSecret([1; 32]));
        let endpoint = Endpoint {
            url: "https://shop.example/".to_owned(),
            secret: new,
            previous: Some((old, NOW)),
        };
        let one = endpoint.signatures("id", NOW, b"{}").expect("signed");
        let before = NOW - time::Duration::SECOND;
        let two = endpoint.signatures("id", before, b"{}").expect("signed");
        assert_eq!(one.split(' ').count(), 1, "the old one has ended");
        assert_eq!(two.split(' ').count(), 2);
        // The example of the specification's libraries.
        let secret = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let signer = standardwebhooks::Webhook::new(secret).expect("secret");
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = signer.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
        assert_eq!(
            signed.expect("signed"),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }
}
