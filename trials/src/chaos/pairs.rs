//! `--pairs`: makes pairs of a write and a read while services are killed one after the other. Each
//! read carries the token of its write; an answer that is older and does not say so is the one
//! thing that must not happen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chaos::checker::older;
use crate::chaos::history::{
    After, Answer, FailureKind, Mark, Outcome, Request, Seen, title, word,
};
use crate::chaos::wire::{Addresses, Wire};
use crate::chaos::workload::Marks;
use crate::cluster::{Cluster, ClusterOptions, Part};

const CLIENTS: u32 = 16;
/// One pair in this many reads by a search, which costs more than a read by id.
const SEARCH_ONE_IN: u64 = 10;
const KILL_EVERY_MS: std::ops::Range<u64> = 2_000..5_000;
const DOWN_MS: std::ops::Range<u64> = 50..1_000;
const RETRY_MS: u64 = 50;
const TELL_EVERY_SECONDS: u64 = 10;
const UNMARKED_SHOWN_MAX: usize = 10;

/// The result of a run.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// The number of pairs: an acknowledged write with a token, and an answer to its read.
    pairs: u64,
    by_search: u64,
    said_stale: u64,
    kills: u64,
    /// The number of writes whose answer had no token: they prove nothing.
    without_token: u64,
    errors: BTreeMap<FailureKind, u64>,
    unmarked: Vec<String>,
    seconds: f64,
}

impl Pairs {
    pub(super) fn is_clean(&self) -> bool {
        self.unmarked.is_empty() && self.pairs > 0
    }

    fn add(&mut self, other: Pairs) {
        self.pairs += other.pairs;
        self.by_search += other.by_search;
        self.said_stale += other.said_stale;
        self.kills += other.kills;
        self.without_token += other.without_token;
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_default() += count;
        }
        self.unmarked.extend(other.unmarked);
    }

    pub(super) fn summary(&self, seed: u64) -> String {
        let mut text = format!(
            "seed {seed}: {} pairs of a write and a read with its token in {:.0} s, {} of them by \
             search, {} services killed\n{} answers said that they are stale, {} were stale and did \
             not say so",
            self.pairs,
            self.seconds,
            self.by_search,
            self.kills,
            self.said_stale,
            self.unmarked.len()
        );
        if self.without_token > 0 {
            let _ = write!(
                text,
                "\n{} answers to writes had no token",
                self.without_token
            );
        }
        let errors: Vec<String> = self
            .errors
            .iter()
            .map(|(kind, n)| format!("{kind:?} {n}"))
            .collect();
        let _ = write!(
            text,
            "\nerrors that clients saw: {}",
            errors.join(", ").to_lowercase()
        );
        for unmarked in self.unmarked.iter().take(UNMARKED_SHOWN_MAX) {
            let _ = write!(text, "\n  {unmarked}");
        }
        text
    }
}

/// Runs until there are `wanted` pairs, the time is over, or `stop` is cancelled.
pub(super) async fn run(
    catalogctl: &std::path::Path,
    options: ClusterOptions,
    (seed, wanted, time): (u64, u64, Option<Duration>),
    stop: &CancellationToken,
) -> anyhow::Result<Pairs> {
    let mut cluster = Cluster::start_with(catalogctl, options).await?;
    let addresses = Addresses::of(&cluster);
    let marks = Arc::new(Marks::default());
    let done = Arc::new(AtomicU64::new(0));
    // This token ends the clients when the run ends, also by an error.
    let over = stop.child_token();
    let _over = over.clone().drop_guard();
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = Client {
            wire: Wire::of_client(number, &addresses)?,
            id: format!("pair-{number}"),
            marks: marks.clone(),
            done: done.clone(),
            wanted,
            over: over.clone(),
            result: Pairs::default(),
        };
        clients.spawn(client.run());
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut told = Instant::now();
    let mut result = Pairs::default();
    while done.load(Ordering::Relaxed) < wanted
        && !stop.is_cancelled()
        && time.is_none_or(|time| started.elapsed() < time)
    {
        let part = Part::ALL[random.usize(..Part::ALL.len())];
        pause(&mut random, KILL_EVERY_MS, &over, &done, wanted).await;
        cluster.kill(part).await?;
        result.kills += 1;
        tokio::time::sleep(Duration::from_millis(random.u64(DOWN_MS))).await;
        cluster.launch(part)?;
        cluster.supervise()?;
        if told.elapsed() > Duration::from_secs(TELL_EVERY_SECONDS) {
            told = Instant::now();
            eprintln!("{} pairs", done.load(Ordering::Relaxed));
        }
    }
    over.cancel();
    while let Some(client) = clients.join_next().await {
        result.add(client?);
    }
    result.seconds = started.elapsed().as_secs_f64();
    Ok(result)
}

/// Waits, but ends early when all pairs are there.
async fn pause(
    random: &mut fastrand::Rng,
    range: std::ops::Range<u64>,
    over: &CancellationToken,
    done: &AtomicU64,
    wanted: u64,
) {
    let until = Instant::now() + Duration::from_millis(random.u64(range));
    while Instant::now() < until && !over.is_cancelled() && done.load(Ordering::Relaxed) < wanted {
        tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
    }
}

struct Client {
    wire: Wire,
    /// The product that only this client writes to.
    id: String,
    marks: Arc<Marks>,
    done: Arc<AtomicU64>,
    wanted: u64,
    over: CancellationToken,
    result: Pairs,
}

impl Client {
    async fn run(mut self) -> Pairs {
        let mut created = false;
        while !self.over.is_cancelled() && self.done.load(Ordering::Relaxed) < self.wanted {
            let mark = self.marks.take(1);
            let id = self.id.clone();
            let request = if !created {
                Request::Create { id, mark }
            } else if mark.is_multiple_of(SEARCH_ONE_IN) {
                Request::Update { id, mark }
            } else {
                Request::Price { id, mark }
            };
            match self.wire.call(&request, &format!("pair-{mark}")).await {
                Outcome::Ok(answer) => {
                    created = true;
                    self.read(&request, mark, &answer).await;
                }
                outcome => {
                    // The product may exist after a creation whose answer did not come.
                    created |= matches!(outcome, Outcome::Fail(_));
                    self.count_error(&outcome).await;
                }
            }
        }
        self.result
    }

    async fn read(&mut self, write: &Request, mark: Mark, answer: &Answer) {
        let Answer::Written {
            version: Some(version),
            token,
        } = answer
        else {
            return;
        };
        if token.is_empty() {
            self.result.without_token += 1;
        }
        let after = After {
            version: *version,
            live: true,
            token: token.clone(),
        };
        let request = self.read_back(write, mark, &after);
        let outcome = self.wire.call(&request, "").await;
        let Outcome::Ok(answer) = outcome else {
            return self.count_error(&outcome).await;
        };
        if token.is_empty() {
            return;
        }
        let by_search = matches!(request, Request::Search { .. });
        self.result.pairs += 1;
        self.result.by_search += u64::from(by_search);
        self.result.said_stale += u64::from(answer.is_stale());
        self.done.fetch_add(1, Ordering::Relaxed);
        if is_unmarked(&answer, &after, by_search.then_some(mark)) {
            let text = format!("{write:?}, then {request:?}: {answer:?}");
            self.result.unmarked.push(text);
        }
    }

    /// A search where the text is new, else a read by id.
    fn read_back(&self, write: &Request, mark: Mark, after: &After) -> Request {
        let (id, after) = (self.id.clone(), Some(after.clone()));
        if matches!(write, Request::Create { .. } | Request::Update { .. }) {
            let word = word(mark);
            Request::Search { id, word, after }
        } else {
            Request::Get { id, after }
        }
    }

    async fn count_error(&mut self, outcome: &Outcome) {
        if let Some(failure) = outcome.failure() {
            *self.result.errors.entry(failure.kind).or_default() += 1;
        }
        tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
    }
}

/// Whether an answer is older than the write and does not say so, or shows the version of the write
/// without its new text, that of `text_of`.
fn is_unmarked(answer: &Answer, after: &After, text_of: Option<Mark>) -> bool {
    let seen = match answer {
        Answer::Found { seen, .. } => Some(seen),
        Answer::Hit { seen, .. } => seen.as_ref(),
        _ => None,
    };
    let is_older = older(after, seen).is_some() && !answer.is_stale();
    let has_other_text = |seen: &Seen| {
        seen.version == after.version && text_of.is_some_and(|mark| seen.title != title(mark))
    };
    is_older || seen.is_some_and(has_other_text)
}
