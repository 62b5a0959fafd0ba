//! Keeps the search rules that this replica follows at the head of their stream. They are few: every
//! replica holds them in memory alone, and reads them from the first one when it starts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use catalog_events::{Position, RULE_STREAM, RuleEvent, decode_rule};
use service_kit::Retry;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::events::is_missing;
use crate::events::{ConsumerError, Delivered, EventConsumer};
use crate::index::Language;
use crate::projectors::progress::RuleProgress;
use crate::projectors::rule_book::RuleBook;
use crate::search::{RuleSet, RulesHandle};

const BATCH_EVENTS_MAX: usize = 1_000;
/// How often a stream is looked at that is not there, or that is behind.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a stream may be behind what was read from it: one that was lost is refilled within
/// seconds. After that it counts as the stream of another catalog.
const BEHIND_MAX: Duration = Duration::from_secs(20);
/// How long a replica that starts waits for its rules: searches are answered even when their stream
/// cannot be read.
const FIRST_READ_MAX: Duration = Duration::from_secs(5);
/// How often the clock is looked at, which may be set while the next date is waited for.
const CLOCK_LOOK_EVERY: Duration = Duration::from_secs(60);

pub(crate) struct RuleProjector {
    jetstream: jetstream::Context,
    followed: RulesHandle,
    /// The language of the words that rules are compared by.
    language: Language,
    progress: RuleProgress,
    first_read: FirstRead,
    /// The rules as they were read; None before those that were there at the start have been.
    known: watch::Sender<Option<Arc<RuleBook>>>,
}

/// Whether searches follow the rules that were there at the start. Once true it stays so.
#[derive(Clone, Default)]
pub(crate) struct FirstRead(watch::Sender<bool>);

impl FirstRead {
    /// Waits until they do. Gives up after a while and returns false.
    pub(crate) async fn wait(&self) -> bool {
        let mut changes = self.0.subscribe();
        let read = changes.wait_for(|read| *read);
        tokio::time::timeout(FIRST_READ_MAX, read).await.is_ok()
    }
}

/// One position of the log of rules.
struct ReceivedRule {
    position: Position,
    /// None for an event that cannot be read, which is passed over.
    event: Option<RuleEvent>,
}

impl Delivered for ReceivedRule {
    const STREAM: &'static str = RULE_STREAM;

    fn read(position: Position, message: &jetstream::Message) -> Self {
        let event = match decode_rule(message.headers.as_ref(), &message.payload) {
            Ok(event) if event.position == position => Ok(event),
            Ok(event) => Err(format!(
                "the event says that its position is {}",
                event.position
            )),
            Err(err) => Err(format!("{:#}", anyhow::Error::new(err))),
        };
        if let Err(error) = &event {
            tracing::error!(%position, "unreadable event of a search rule: {error}");
        }
        Self {
            position,
            event: event.ok(),
        }
    }
}

/// The rules that have been read, and since when the stream has ended before them.
#[derive(Default)]
struct Reading {
    book: RuleBook,
    behind_since: Option<Instant>,
}

impl RuleProjector {
    pub(crate) fn new(
        jetstream: jetstream::Context,
        followed: RulesHandle,
        language: Language,
        progress: RuleProgress,
    ) -> Self {
        Self {
            jetstream,
            followed,
            language,
            progress,
            first_read: FirstRead::default(),
            known: watch::Sender::new(None),
        }
    }

    pub(crate) fn first_read(&self) -> FirstRead {
        self.first_read.clone()
    }

    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        self.progress.projection.set_active(true);
        tokio::select! {
            () = self.read() => Ok(()),
            ended = self.follow() => ended,
            () = stop.cancelled() => Ok(()),
        }
    }

    /// Never ends.
    async fn read(&self) {
        let mut reading = Reading::default();
        let mut retry = Retry::new("search rules");
        loop {
            if let Err(err) = self.read_on(&mut reading, &mut retry).await {
                self.progress.projection.failed(retry.failed(err)).await;
            }
        }
    }

    /// Reads on from where `reading` is. Returns when the stream is to be looked at again.
    async fn read_on(&self, reading: &mut Reading, retry: &mut Retry) -> Result<(), ConsumerError> {
        let Some(last) = self.last_in_stream().await? else {
            self.wait_for_stream(reading).await;
            return Ok(());
        };
        if last < reading.book.position() {
            self.wait_for_refill(reading, last).await;
            return Ok(());
        }
        reading.behind_since = None;
        let from = reading.book.position();
        let mut consumer = EventConsumer::<ReceivedRule>::open(&self.jetstream, from).await?;
        self.progress.projection.set_error(None);
        loop {
            // Searches follow no rules until all that the stream held at first are read.
            if reading.book.position() >= last {
                self.known
                    .send_replace(Some(Arc::new(reading.book.clone())));
            }
            let batch = consumer.next_batch(BATCH_EVENTS_MAX).await?;
            let received = batch.len();
            let mut readable = 0;
            for ReceivedRule { position, event } in batch {
                readable += usize::from(event.is_some());
                reading.book.apply(position, event);
            }
            retry.succeeded();
            let progress = &self.progress.projection;
            progress.reached(progress.position(), readable, received - readable);
        }
    }

    /// The last position of the stream; None when there is no stream.
    async fn last_in_stream(&self) -> Result<Option<Position>, ConsumerError> {
        match self.jetstream.get_stream(RULE_STREAM).await {
            Ok(stream) => Ok(Some(Position(stream.cached_info().state.last_sequence))),
            Err(err) if is_missing(&err) => Ok(None),
            Err(err) => Err(ConsumerError::Stream(RULE_STREAM, err.to_string())),
        }
    }

    /// Waits for the stream: an older write side makes none, and a new one makes it in a moment.
    async fn wait_for_stream(&self, reading: &mut Reading) {
        reading.behind_since = None;
        let is_lost = reading.book.position() > Position::START;
        let error =
            format!("the stream {RULE_STREAM} is gone; the rules read from it are followed");
        self.progress.projection.set_error(is_lost.then_some(error));
        if self.known.borrow().is_none() {
            self.known.send_replace(Some(Arc::default()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }

    /// Waits for a stream that ends before what was read. After a while everything is read anew.
    async fn wait_for_refill(&self, reading: &mut Reading, last: Position) {
        let at = reading.book.position();
        let since = *reading.behind_since.get_or_insert_with(Instant::now);
        if since.elapsed() < BEHIND_MAX {
            let error = format!("the stream {RULE_STREAM} ends at {last}, before {at}");
            self.progress.projection.set_error(Some(error));
            tokio::time::sleep(LOOK_EVERY).await;
            return;
        }
        tracing::warn!(%at, %last, "the search rules are read anew: their stream is another one");
        *reading = Reading::default();
    }

    /// Makes searches follow the rules that have been read, each between its dates. Ends only with an
    /// error.
    async fn follow(&self) -> anyhow::Result<()> {
        let mut known = self.known.subscribe();
        loop {
            let book = known.borrow_and_update().clone();
            let Some(book) = book else {
                known.changed().await?;
                continue;
            };
            let (position, rules) = (book.position(), book.len());
            let (language, now) = (self.language, OffsetDateTime::now_utc());
            let compile = move || RuleSet::compile(language, book.rules(), now);
            let set = tokio::task::spawn_blocking(compile).await?;
            let (active, next_change) = (set.active(), set.next_change());
            self.followed.store(Arc::new(set));
            self.progress.set(rules, active);
            if position != self.progress.projection.position() {
                self.progress.projection.reached(position, 0, 0);
            }
            self.first_read.0.send_replace(true);
            tokio::select! {
                changed = known.changed() => changed?,
                () = until(next_change) => {}
            }
        }
    }
}

/// Waits until the next change. Returns early at times, so that the clock is looked at again.
async fn until(next_change: Option<OffsetDateTime>) {
    let Some(at) = next_change else {
        return std::future::pending().await;
    };
    let rest = Duration::try_from(at - OffsetDateTime::now_utc()).unwrap_or_default();
    tokio::time::sleep(rest.min(CLOCK_LOOK_EVERY)).await;
}
