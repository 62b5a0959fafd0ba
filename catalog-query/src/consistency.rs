//! Read your writes: a read that carries the tokens of earlier writes waits until the documents, and
//! for a search the keyword index, have applied them. Invariant: an answer that may be older than a
//! token says so.

mod watch;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use catalog_events::{Position, ProductId, TokenError, TokenKey};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub(crate) use self::watch::DocumentWatch;
use self::watch::Waiting;
use crate::index::KeywordIndex;
use crate::index::{CurrentIndex, LiveIndex};
use crate::projectors::Progress;
use crate::read_model::{AtLeast, Held, LiveReadModel, ProductRepository};

const TOKENS_MAX: usize = 100;
const WAIT_MS_DEFAULT: u64 = 250;
const WAIT_MS_MAX: u64 = 2_000;
/// The most tokens that all reads together may wait for. A read that does not fit is answered at
/// once, as stale.
const WAITING_TOKENS_MAX: usize = 10_000;
const WAIT_SECONDS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 2.0];

/// What is wrong with the consistency fields of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpectationError {
    #[error("has more than {TOKENS_MAX} entries")]
    TooMany,
    #[error("entry {index} {source}")]
    Token { index: usize, source: TokenError },
    #[error("is negative")]
    NegativeWait,
}

/// The writes that an answer must not be older than, and how long it may wait for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectation {
    pub(crate) versions: AtLeast,
    wait: Duration,
}

impl Expectation {
    /// Whether the answer for a product is at least as new as its token.
    pub(crate) fn is_met(&self, id: &ProductId, held: &Held) -> bool {
        held.version >= self.versions.get(id).copied()
    }
}

/// The keyword index that a search waited for.
pub(crate) struct SeenIndex {
    index: Option<Arc<KeywordIndex>>,
    caught_up: bool,
    current: CurrentIndex,
}

impl SeenIndex {
    /// Whether the search saw what it waited for. False when another index answers by now, which may
    /// have answered before it had caught up.
    pub(crate) fn still_answers(&self) -> bool {
        let current = self.current.load();
        let same = |index| Arc::ptr_eq(index, &current);
        self.caught_up && self.index.as_ref().is_none_or(same)
    }
}

pub(crate) struct Consistency {
    key: TokenKey,
    index: Arc<LiveIndex>,
    watch: mpsc::Sender<Waiting>,
    room: Semaphore,
    metrics: Metrics,
}

impl Consistency {
    /// Also returns the watch. It must run: it tells waiting reads when their documents are there.
    pub(crate) fn new(
        secret: &str,
        live: LiveReadModel,
        index: Arc<LiveIndex>,
        progress: &Progress,
        registry: &mut Registry,
    ) -> (Self, DocumentWatch) {
        let (watch, arrivals) = mpsc::channel(WAITING_TOKENS_MAX);
        let consistency = Self {
            key: TokenKey::new(secret),
            index,
            watch,
            room: Semaphore::new(WAITING_TOKENS_MAX),
            metrics: Metrics::new(registry),
        };
        let moved = progress.read_model.moved();
        (consistency, DocumentWatch::new(arrivals, live, moved))
    }

    /// Reads the consistency fields of a request; a wait of 0 ms means the default.
    pub(crate) fn expectation(
        &self,
        tokens: &[String],
        wait_ms: i32,
    ) -> Result<Expectation, ExpectationError> {
        if tokens.len() > TOKENS_MAX {
            return Err(ExpectationError::TooMany);
        }
        let wait_ms = match u64::try_from(wait_ms) {
            Ok(0) => WAIT_MS_DEFAULT,
            Ok(wait_ms) => wait_ms.min(WAIT_MS_MAX),
            Err(_) => return Err(ExpectationError::NegativeWait),
        };
        let mut versions = AtLeast::new();
        for (index, token) in tokens.iter().enumerate() {
            let token = self
                .key
                .open(token)
                .map_err(|source| ExpectationError::Token { index, source })?;
            let version = versions.entry(token.product_id).or_insert(token.version);
            *version = token.version.max(*version);
        }
        Ok(Expectation {
            versions,
            wait: Duration::from_millis(wait_ms),
        })
    }

    /// Waits for the documents. False when they did not catch up in time.
    pub(crate) async fn documents(
        &self,
        expectation: &Expectation,
        repository: &impl ProductRepository,
    ) -> bool {
        let applied = async { self.applied(expectation, repository).await.is_some() };
        self.in_time(expectation, applied).await.unwrap_or(false)
    }

    /// Waits for the documents and then for the keyword index. None when one of them did not catch up
    /// in time.
    pub(crate) async fn search(
        &self,
        expectation: &Expectation,
        repository: &impl ProductRepository,
    ) -> Option<SeenIndex> {
        let seen = async {
            let position = self.applied(expectation, repository).await?;
            Some(self.indexed(position).await)
        };
        self.in_time(expectation, seen).await.flatten()
    }

    /// Counts an answer that may be older than its tokens.
    pub(crate) fn answered_stale(&self) {
        self.metrics.stale.inc();
    }

    async fn in_time<T>(
        &self,
        expectation: &Expectation,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        if expectation.versions.is_empty() {
            return Some(work.await);
        }
        let started = Instant::now();
        let done = tokio::time::timeout(expectation.wait, work).await;
        self.metrics.waits.inc();
        let seconds = started.elapsed().as_secs_f64();
        self.metrics.seconds.observe(seconds);
        done.ok()
    }

    /// Waits until the documents hold the expected writes; returns the position of the last of them.
    /// None when too many reads wait already, or when the watch has ended.
    async fn applied(
        &self,
        expectation: &Expectation,
        repository: &impl ProductRepository,
    ) -> Option<Position> {
        let mut reached = Position::START;
        let mut missing = Vec::new();
        for (id, version) in &expectation.versions {
            match repository.at_hand(id).await {
                Some(held) if held.version >= Some(*version) => {
                    reached = reached.max(held.position);
                }
                _ => missing.push((id.clone(), *version)),
            }
        }
        if missing.is_empty() {
            return Some(reached);
        }
        let _room = self.room.try_acquire_many(missing.len() as u32).ok()?;
        let (reply, answer) = oneshot::channel();
        self.watch.try_send(Waiting::new(missing, reply)).ok()?;
        Some(reached.max(answer.await.ok()?))
    }

    async fn indexed(&self, position: Position) -> SeenIndex {
        self.index.reached(position).await;
        let current = self.index.current();
        let answering = current.load_full();
        // Another index may have been put in its place just now.
        let caught_up = answering.position() >= position;
        SeenIndex {
            // Without an expectation any index will do.
            index: (position > Position::START).then_some(answering),
            caught_up,
            current,
        }
    }
}

struct Metrics {
    waits: Counter<u64, AtomicU64>,
    seconds: Histogram,
    stale: Counter<u64, AtomicU64>,
}

impl Metrics {
    fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            waits: Counter::default(),
            seconds: Histogram::new(WAIT_SECONDS),
            stale: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("catalog_query_consistency");
        let help = "Reads that carried consistency tokens";
        registry.register("waits", help, metrics.waits.clone());
        let help = "How long such reads waited for the projections";
        registry.register("wait_seconds", help, metrics.seconds.clone());
        let help = "Answers that may be older than their consistency tokens, and say so";
        registry.register("stale_answers", help, metrics.stale.clone());
        metrics
    }
}
