//! Answers of work that takes long: line by line while it goes on, or as one object, whose head goes ahead
//! after a while so that no proxy takes the connection for dead.

use std::io;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::http::answer::{Live, json_response};
use crate::problem::Problem;

/// JSON Lines.
pub(crate) const LINES: &str = "application/x-ndjson";
/// How long the head of the answer waits for the whole object. Then it goes ahead, and blanks follow it.
const HEAD_WAIT: Duration = Duration::from_secs(15);
const BLANK_EVERY: Duration = Duration::from_secs(15);

/// Whether the client asks to be told line by line.
pub(crate) fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains(LINES))
}

/// A value as a line.
pub(crate) fn line(value: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

/// Answers line by line. What is `kept` is dropped when nobody reads any more.
pub(crate) fn as_lines(told: mpsc::Receiver<Bytes>, kept: impl Send + 'static) -> Response {
    let lines = ReceiverStream::new(told).map(move |line| {
        let _kept = &kept;
        Ok::<_, io::Error>(line)
    });
    let kind = HeaderValue::from_static(LINES);
    let body = Body::from_stream(lines);
    (Extension(Live), [(CONTENT_TYPE, kind)], body).into_response()
}

/// Answers with one object when the work has ended. After its head, a problem can only be told in the object
/// itself, as `failed` makes it.
pub(crate) async fn as_object<T: Serialize + Send + 'static>(
    mut running: JoinHandle<Result<T, Problem>>,
    kept: impl Send + 'static,
    failed: fn(&Problem) -> Value,
) -> Result<Response, Problem> {
    tokio::select! {
        ended = &mut running => json_response(StatusCode::OK, &ended.map_err(Problem::internal)??),
        () = tokio::time::sleep(HEAD_WAIT) => {
            let (blanks, told) = mpsc::channel(1);
            tokio::spawn(with_blanks(running, blanks, failed));
            let mut response = as_lines(told, kept);
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            Ok(response)
        }
    }
}

/// Blanks may stand before the value of a JSON text.
async fn with_blanks<T: Serialize>(
    mut running: JoinHandle<Result<T, Problem>>,
    told: mpsc::Sender<Bytes>,
    failed: fn(&Problem) -> Value,
) {
    let ended = loop {
        tokio::select! {
            ended = &mut running => break ended,
            () = tokio::time::sleep(BLANK_EVERY) => {
                let _ = told.try_send(Bytes::from_static(b" "));
            }
        }
    };
    let object = match ended.map_err(Problem::internal).and_then(|ended| ended) {
        Ok(value) => line(&value),
        Err(problem) => line(&failed(&problem)),
    };
    let _ = told.send(object).await;
}
