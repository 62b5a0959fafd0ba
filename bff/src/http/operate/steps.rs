//! Work that is told step by step to whoever asks for JSON Lines, and to all others as what came of it.

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::http::answer::long::{as_lines, as_object, line, wants_lines};
use crate::problem::Problem;

/// Steps that wait for a client that reads slowly. More are left out, for the next one says more.
const AHEAD_STEPS: usize = 16;

/// Tells the steps; nobody may listen.
#[derive(Clone)]
pub(super) struct Steps(Option<mpsc::Sender<Bytes>>);

/// One line.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Progress {
        of: &'a str,
        done: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
    },
    Report {
        report: Value,
    },
    Problem {
        problem: Value,
    },
}

impl Steps {
    /// Tells how much is done of a part of the work, and of how much where that is known.
    pub(super) fn tell(&self, of: &str, done: u64, total: Option<u64>) {
        if let Some(lines) = &self.0 {
            let _ = lines.try_send(line(&Event::Progress { of, done, total }));
        }
    }

    /// The same with the counts of a message, where 0 in all means that this is not known.
    pub(super) fn tell_counts(&self, of: &str, done: i64, total: i64) {
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        self.tell(
            of,
            count(done),
            Some(count(total)).filter(|total| *total > 0),
        );
    }

    /// Completes when nobody waits any more.
    pub(super) async fn unread(&self) {
        match &self.0 {
            Some(lines) => lines.closed().await,
            None => std::future::pending().await,
        }
    }
}

/// Does the work in a task of its own and answers in the form that the client asks for.
pub(super) async fn answer<T, F>(
    headers: &HeaderMap,
    work: impl FnOnce(Steps) -> F,
) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: Future<Output = Result<T, Problem>> + Send + 'static,
{
    if !wants_lines(headers) {
        let running = tokio::spawn(work(Steps(None)));
        return as_object(running, (), |problem| json!({"problem": problem.to_json()})).await;
    }
    let (lines, told) = mpsc::channel(AHEAD_STEPS);
    let work = work(Steps(Some(lines.clone())));
    tokio::spawn(async move {
        let last = match work.await {
            Ok(report) => line(&Event::Report {
                report: serde_json::to_value(report).unwrap_or_default(),
            }),
            Err(problem) => line(&Event::Problem {
                problem: problem.to_json(),
            }),
        };
        let _ = lines.send(last).await;
    });
    Ok(as_lines(told, ()))
}
