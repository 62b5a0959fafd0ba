//! Atomic batch publish (NATS ADR-50): all messages are stored with consecutive sequences, or none.
//! The client library has no call for it, so the headers are set here.

use std::time::Duration;

use async_nats::{Client, Request, RequestErrorKind};
use catalog_events::{EncodedMessage, Position};
use serde::Deserialize;
use uuid::Uuid;

/// How long the answer to a batch may take: longer than a slow disk needs for one sync, shorter than a
/// person waits.
const COMMIT_MS_MAX: u64 = 5_000;

/// Why a batch was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("connection: {0}")]
    Connection(String),
    #[error("no answer to a batch within {COMMIT_MS_MAX} ms")]
    Timeout,
    /// Another relay was faster, or the stream lost its tail: both end in a resync.
    #[error("the stream is not at {expected}: {description} ({code})")]
    Fenced {
        expected: Position,
        code: u64,
        description: String,
    },
    /// Nothing is lost: the log keeps what the stream does not take.
    #[error(
        "the stream {stream} is full: {description} ({code}); raise its limits or those of the \
         server's JetStream storage, or keep events for a shorter time, and publishing goes on by \
         itself; after a full disk the NATS server must be restarted"
    )]
    Full {
        stream: &'static str,
        code: u64,
        description: String,
    },
    #[error("the server refused the batch: {description} ({code})")]
    Refused { code: u64, description: String },
    #[error("the server's answer cannot be read")]
    Answer(#[source] serde_json::Error),
}

/// The codes of a wrong last sequence, and of a repeated `Nats-Msg-Id` in the same situation.
const FENCED_CODES: [u64; 2] = [10071, 10201];

/// The codes of a stream that cannot store (its own limits, or the disk), of a server and of an account
/// without storage left.
const FULL_CODES: [u64; 3] = [10077, 10047, 10002];

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    seq: u64,
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// Publishes the messages behind `last` and returns the sequence of the last of them. `stream` is the
/// name of the stream that takes their subjects.
pub(crate) async fn publish_batch(
    client: &Client,
    stream: &'static str,
    last: Position,
    messages: Vec<EncodedMessage>,
) -> Result<Position, PublishError> {
    let connection = |err: &dyn std::fmt::Display| PublishError::Connection(err.to_string());
    let batch = Uuid::now_v7().to_string();
    let count = messages.len();
    let mut commit = None;
    for (index, message) in messages.into_iter().enumerate() {
        let EncodedMessage {
            subject,
            mut headers,
            payload,
        } = message;
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
        if index == 0 {
            headers.insert("Nats-Expected-Last-Sequence", last.to_string());
        }
        if index + 1 < count {
            let published = client.publish_with_headers(subject, headers, payload).await;
            published.map_err(|err| connection(&err))?;
        } else {
            headers.insert("Nats-Batch-Commit", "1");
            // Longer than the client's own limit: a slow disk is no reason to send it all again.
            let request = Request::new()
                .headers(headers)
                .payload(payload)
                .timeout(Some(Duration::from_millis(COMMIT_MS_MAX)));
            let answer = client.send_request(subject, request).await;
            commit = Some(answer.map_err(|err| match err.kind() {
                RequestErrorKind::TimedOut => PublishError::Timeout,
                _ => connection(&err),
            })?);
        }
    }
    match commit {
        Some(message) => read_answer(&message.payload, stream, last),
        None => Ok(last),
    }
}

fn read_answer(
    payload: &[u8],
    stream: &'static str,
    expected: Position,
) -> Result<Position, PublishError> {
    let answer: Answer = serde_json::from_slice(payload).map_err(PublishError::Answer)?;
    let Some(error) = answer.error else {
        return Ok(Position(answer.seq));
    };
    let AnswerError {
        err_code: code,
        description,
    } = error;
    Err(if FENCED_CODES.contains(&code) {
        PublishError::Fenced {
            expected,
            code,
            description,
        }
    } else if FULL_CODES.contains(&code) {
        PublishError::Full {
            stream,
            code,
            description,
        }
    } else {
        PublishError::Refused { code, description }
    })
}
