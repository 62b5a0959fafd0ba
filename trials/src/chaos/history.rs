//! Records what clients asked for and what they were told: an append-only list of calls, each with
//! an invocation and at most one end.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// The number of a write, unique in a run. All content of the write is derived from it, so the
/// content tells the write.
pub(super) type Mark = u64;

const WORD_LETTERS: u32 = 11;

/// A word for titles and searches that belongs to this mark alone and resembles no other.
pub(super) fn word(mark: Mark) -> String {
    let mut rest = mark.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31) ^ 0x5851_F42D;
    let mut word = String::from("q");
    for _ in 0..WORD_LETTERS {
        word.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    word
}

pub(super) fn title(mark: Mark) -> String {
    format!("{} item", word(mark))
}

pub(super) fn description(mark: Mark) -> String {
    format!("written by {mark}")
}

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Request {
    Create {
        id: String,
        mark: Mark,
    },
    Update {
        id: String,
        mark: Mark,
    },
    Price {
        id: String,
        mark: Mark,
    },
    Delete {
        id: String,
        mark: Mark,
    },
    /// New products, all in one transaction; their marks are consecutive.
    Import {
        ids: Vec<String>,
        mark: Mark,
    },
    Get {
        id: String,
        after: Option<After>,
    },
    Search {
        id: String,
        word: String,
        after: Option<After>,
    },
}

/// The write that a read must not be older than.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct After {
    pub(super) version: i64,
    /// False after a deletion.
    pub(super) live: bool,
    /// The consistency token; where the service gives none it is empty, and nothing is promised.
    pub(super) token: String,
}

impl Request {
    /// The mark of a write; none for a read.
    pub(super) fn mark(&self) -> Option<Mark> {
        match self {
            Request::Create { mark, .. }
            | Request::Update { mark, .. }
            | Request::Price { mark, .. }
            | Request::Delete { mark, .. }
            | Request::Import { mark, .. } => Some(*mark),
            Request::Get { .. } | Request::Search { .. } => None,
        }
    }

    pub(super) fn after(&self) -> Option<&After> {
        match self {
            Request::Get { after, .. } | Request::Search { after, .. } => after.as_ref(),
            _ => None,
        }
    }

    /// The ids of the products that the request is about.
    pub(super) fn ids(&self) -> Vec<&str> {
        match self {
            Request::Create { id, .. }
            | Request::Update { id, .. }
            | Request::Price { id, .. }
            | Request::Delete { id, .. }
            | Request::Get { id, .. }
            | Request::Search { id, .. } => vec![id],
            Request::Import { ids, .. } => ids.iter().map(String::as_str).collect(),
        }
    }
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub(super) enum Answer {
    /// The answer to a write; `version` is none where the answer does not tell it, as for a
    /// deletion over HTTP.
    Written {
        version: Option<i64>,
        token: String,
    },
    Imported {
        created: i32,
        unchanged: i32,
        token: String,
    },
    Found {
        seen: Seen,
        stale: bool,
    },
    Missing {
        stale: bool,
    },
    /// The product that a search was for, if it was found.
    Hit {
        seen: Option<Seen>,
        stale: bool,
    },
}

impl Answer {
    pub(super) fn token(&self) -> Option<&str> {
        match self {
            Answer::Written { token, .. } | Answer::Imported { token, .. } => Some(token),
            Answer::Found { .. } | Answer::Missing { .. } | Answer::Hit { .. } => None,
        }
    }

    pub(super) fn is_stale(&self) -> bool {
        match self {
            Answer::Found { stale, .. } | Answer::Missing { stale } | Answer::Hit { stale, .. } => {
                *stale
            }
            Answer::Written { .. } | Answer::Imported { .. } => false,
        }
    }
}

/// A product in the answer to a read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Seen {
    pub(super) version: i64,
    pub(super) title: String,
    pub(super) price_minor: i64,
}

/// Why a call has no good answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureKind {
    /// A typed error: the request was refused and changed nothing.
    Refused,
    /// A typed error: not available or not in time; the request may have been applied all the same.
    Unavailable,
    /// The connection failed or ended.
    Connection,
    /// No answer came within the client's own, longer limit.
    Hang,
    /// The answer makes no sense, or should never be given to a client.
    Wrong,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum Event {
    Invoke {
        request: Request,
    },
    Ok {
        answer: Answer,
    },
    Fail {
        failure: Failure,
    },
    /// The request may have been applied or not.
    Unknown {
        failure: Failure,
    },
    /// An action on the cluster, and its result.
    Nemesis {
        text: String,
    },
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    pub(super) at_ms: u64,
    /// The number of the client; 0 for the nemesis.
    pub(super) client: u32,
    /// The number of the call, which connects an end to its invocation.
    pub(super) call: u64,
    #[serde(flatten)]
    pub(super) event: Event,
}

/// A list of entries that clients append to.
#[derive(Debug)]
pub(super) struct History {
    started: Instant,
    entries: Mutex<Vec<Entry>>,
}

impl History {
    pub(super) fn begin() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::default(),
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Records an invocation and returns the number of the call.
    pub(super) fn invoke(&self, client: u32, request: &Request) -> u64 {
        let mut entries = self.lock();
        let call = entries.len() as u64;
        let request = request.clone();
        self.push(&mut entries, client, call, Event::Invoke { request });
        call
    }

    pub(super) fn end(&self, client: u32, call: u64, event: Event) {
        self.push(&mut self.lock(), client, call, event);
    }

    pub(super) fn note(&self, text: impl Into<String>) {
        let mut entries = self.lock();
        let call = entries.len() as u64;
        let text = text.into();
        self.push(&mut entries, 0, call, Event::Nemesis { text });
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    fn push(&self, entries: &mut Vec<Entry>, client: u32, call: u64, event: Event) {
        entries.push(Entry {
            at_ms: self.now_ms(),
            client,
            call,
            event,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call: an invocation and its end.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) call: u64,
    pub(super) client: u32,
    pub(super) request: Request,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) outcome: Outcome,
}

/// Whether a client speaks HTTP, as every second one does.
pub(super) fn speaks_http(client: u32) -> bool {
    client.is_multiple_of(2)
}

impl Call {
    pub(super) fn is_ok(&self) -> bool {
        matches!(self.outcome, Outcome::Ok(_))
    }

    pub(super) fn over_http(&self) -> bool {
        speaks_http(self.client) && !matches!(self.request, Request::Import { .. })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Ok(Answer),
    Fail(Failure),
    Unknown(Failure),
}

impl Outcome {
    pub(super) fn answer(&self) -> Option<&Answer> {
        match self {
            Outcome::Ok(answer) => Some(answer),
            Outcome::Fail(_) | Outcome::Unknown(_) => None,
        }
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::Ok(_) => None,
            Outcome::Fail(failure) | Outcome::Unknown(failure) => Some(failure),
        }
    }

    pub(super) fn event(self) -> Event {
        match self {
            Outcome::Ok(answer) => Event::Ok { answer },
            Outcome::Fail(failure) => Event::Fail { failure },
            Outcome::Unknown(failure) => Event::Unknown { failure },
        }
    }
}

/// The calls of a history. A call without an end is unknown: its client did not live to see it.
pub(super) fn calls(entries: &[Entry]) -> Vec<Call> {
    let mut calls: std::collections::BTreeMap<u64, Call> = std::collections::BTreeMap::new();
    for entry in entries {
        let outcome = match &entry.event {
            Event::Nemesis { .. } => continue,
            Event::Invoke { request } => {
                let call = Call {
                    call: entry.call,
                    client: entry.client,
                    request: request.clone(),
                    from_ms: entry.at_ms,
                    to_ms: entry.at_ms,
                    outcome: Outcome::Unknown(Failure {
                        kind: FailureKind::Connection,
                        text: "no end".to_owned(),
                    }),
                };
                calls.insert(entry.call, call);
                continue;
            }
            Event::Ok { answer } => Outcome::Ok(answer.clone()),
            Event::Fail { failure } => Outcome::Fail(failure.clone()),
            Event::Unknown { failure } => Outcome::Unknown(failure.clone()),
        };
        if let Some(call) = calls.get_mut(&entry.call) {
            call.to_ms = entry.at_ms;
            call.outcome = outcome;
        }
    }
    calls.into_values().collect()
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_mark_has_a_word_of_its_own() {
        let words: HashSet<String> = (0..100_000).map(word).collect();
        assert_eq!(words.len(), 100_000);
    }

    #[test]
    fn an_invocation_without_an_end_is_unknown() {
        let history = History::begin();
        let get = |id: &str| Request::Get {
            id: id.to_owned(),
            after: None,
        };
        let first = history.invoke(1, &get("a"));
        history.note("kill query");
        let second = history.invoke(2, &get("b"));
        let answer = Answer::Missing { stale: false };
        history.end(2, second, Outcome::Ok(answer.clone()).event());
        let calls = calls(&history.entries());
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].call, first);
        assert!(matches!(calls[0].outcome, Outcome::Unknown(_)));
        assert_eq!(calls[1].outcome, Outcome::Ok(answer));
    }
}
